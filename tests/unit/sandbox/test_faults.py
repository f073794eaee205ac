"""Faults: which requests they meet, and a schedule that depends on seed and request alone."""

from __future__ import annotations

from collections import Counter

import pytest

from bridge.sandbox.faults import CHANGES, KINDS, Fault, Faults, Ordered, Plan, parse_plan


def test_a_fault_is_counted_down_over_the_requests_it_is_for() -> None:
    faults = Faults()
    faults.add(Ordered(Fault("429"), 2, method="POST"))
    faults.add(Ordered(Fault("slow"), None, type="Task"))
    asked = [("GET", "Goal"), ("POST", "Task"), ("POST", "Goal"), ("POST", "Goal"), ("GET", "Task"), ("GET", "Task")]
    met = [faults.take(method, kind, "x", "/", b"") for method, kind in asked]
    assert [fault and fault.kind for fault in met] == [None, "429", "429", None, "slow", "slow"]
    faults.clear()
    assert faults.take("GET", "Task", "x", "/", b"") is None


def test_a_schedule_depends_on_seed_and_request_not_on_order() -> None:
    requests = [f"/Task/{number}" for number in range(400)]

    def drawn(seed: int, order: list[str]) -> dict[str, Fault | None]:
        faults = Faults(Plan(seed, 0.3))
        return {path: faults.take("PUT", "Task", "update", path, b"{}") for path in order}

    first = drawn(5, requests)
    assert first == drawn(5, requests[::-1])
    assert first != drawn(6, requests)
    assert 80 <= sum(fault is not None for fault in first.values()) <= 160


def test_the_same_request_again_draws_again() -> None:
    faults = Faults(Plan(1, 0.5))
    drawn = [faults.take("POST", "Task", "create", "/Task", b"{}") for _ in range(60)]
    assert 15 <= sum(fault is None for fault in drawn) <= 45


def test_weights_choose_the_fault_and_rates_how_often() -> None:
    plan = parse_plan("3:1:drop-after=3,slow=1")
    drawn = Counter((plan.draw(b"%d" % number, 1) or Fault("429")).kind for number in range(2000))
    assert set(drawn) == {"drop-after", "slow"}
    assert 2.5 < drawn["drop-after"] / drawn["slow"] < 3.6
    assert {fault.kind for number in range(2000) if (fault := Plan(1, 1).draw(b"%d" % number, 1))} == KINDS
    timed = parse_plan("3:1:slow=1/7,429=1/2,commit-late=1")
    assert {(fault.kind, fault.seconds) for n in range(99) if (fault := timed.draw(b"%d" % n, 1))} == {
        ("slow", 7.0),
        ("429", 2.0),
        ("commit-late", 0.2),
    }
    assert all(Plan(1, 0).draw(b"%d" % number, 1) is None for number in range(200))


def test_what_is_not_for_a_type_is_spared_by_the_schedule() -> None:
    assert Faults(Plan(1, 1)).take("GET", "", "capabilities", "/metadata", b"") is None


def test_what_changes_beside_a_request_is_drawn_by_name_and_only_where_it_can_happen() -> None:
    assert set(Plan(1, 1).weights) == KINDS
    plan = parse_plan("4:1:" + ",".join(f"{kind}=1" for kind in sorted(CHANGES)))
    faults = Faults(plan)
    asked = {"create": "POST", "update": "PUT", "read": "GET", "search-type": "GET"}
    met = {
        interaction: {
            fault.kind
            for number in range(200)
            if (fault := faults.take(method, "Task", interaction, f"/{number}", b""))
        }
        for interaction, method in asked.items()
    }
    assert met["create"] == {"expire", "read-only", "duplicated", "merge"}
    assert met["update"] == {"expire", "read-only", "merge"}
    assert met["read"] == {"expire", "merge"}
    assert met["search-type"] == {"expire", "pages-expire"}
    token = [faults.take("POST", "", "token", "/oauth2/token", b"%d" % number) for number in range(100)]
    assert {fault.kind for fault in token if fault} == {"expire", "unknown-kid"}
    again = Faults(plan)
    assert token == [again.take("POST", "", "token", "/oauth2/token", b"another") for _ in range(100)]


@pytest.mark.parametrize("text", ["", "7", "x:0.1", "7:2", "7:-1", "7:0.1:moon=1", "7:0.1:slow=x", "7:0.1:slow=1/x"])
def test_what_is_not_a_plan(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_plan(text)
