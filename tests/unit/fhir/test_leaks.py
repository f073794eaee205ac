"""R24: whatever a resource holds, checking it does not fail, and no finding repeats a word of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.fhir.opinion import second_opinion
from bridge.model import Finding
from tests.unit.fhir.probes import MORE, PROBES, Probe
from tests.unit.fhir.samples import bundle, changed, sample, validator

CANARY = "zq-canary-zq"
KINDS = [entry["resource"]["resourceType"] for entry in bundle()["entry"]]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(CANARY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([CANARY, "url", "reference", "coding", "value", "extension", "id"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON document."""
    found = [above] if above else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        found += places(inner, (*above, step))
    return found


def with_canaries(value: Any) -> Any:
    """The document with every string that is no structure replaced by the canary."""
    if isinstance(value, dict):
        return {
            name: inner if name in ("resourceType", "profile") else with_canaries(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [with_canaries(inner) for inner in value]
    return CANARY if isinstance(value, str) else value


def told(resource: Any) -> tuple[Finding, ...]:
    """Everything that is said about a resource."""
    found = validator().check_all([resource], outside=frozenset())
    return (*found, *(second_opinion(resource) if isinstance(resource, dict) else ()))


@pytest.mark.parametrize("kind", [*KINDS, *MORE])
def test_a_resource_of_nothing_but_canaries(kind: str) -> None:
    base = MORE[kind] if kind in MORE else sample(kind)
    full = {
        **with_canaries(base),
        CANARY: CANARY,
        f"_{CANARY}": {},
        "contained": [{"resourceType": CANARY, "id": CANARY}],
    }
    full["extension"] = [{"url": CANARY, CANARY: [CANARY], "valueString": "\u0001" + CANARY}]
    found = told(full)
    assert len(found) >= 5
    assert CANARY not in repr(found)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_no_probe_is_repeated(probe: Probe) -> None:
    words = {word for value in probe.changes.values() if isinstance(word := value, str) and len(word) > 9}
    said = repr(told(probe.resource()))
    assert not [word for word in words if word in said]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_resources_neither_break_the_validator_nor_show(data: st.DataObject) -> None:
    resource = copy.deepcopy(sample(data.draw(st.sampled_from(KINDS))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([found for found in places(resource) if found != ("resourceType",)]))
        target: Any = resource
        for step in place[:-1]:
            target = target[step]
        action = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "replace":
            target[place[-1]] = data.draw(JSON)
        elif action == "remove":
            del target[place[-1]]
        elif isinstance(target, dict):
            target[data.draw(st.sampled_from([CANARY, "extension", "text", "value", "_status"]))] = data.draw(JSON)
    assert CANARY not in repr(told(resource))


@given(JSON)
def test_any_json_can_be_checked(value: Any) -> None:
    assert CANARY not in repr(validator().check(value))
    assert CANARY not in repr(validator().check(changed(bundle(), {"entry": value, "type": "document"})))
