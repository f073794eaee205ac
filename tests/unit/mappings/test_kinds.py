from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import RecordError
from bridge.mappings.kinds import Kind
from bridge.mappings.load import load, read_packs
from tests.unit.mappings.small import KIND, pack, problems

RECORD = {"id": "V1", "version": 3, "child": "K1", "mother": "M1", "at": "2026-01-05", "words": "Hola"}
WEIGHTS: tuple[dict[str, str], ...] = (
    {}, {"place": "ward"}, {"place": "home"}, {"words": "x"}, {"place": "ward", "words": "x"}
)  # fmt: skip


@pytest.fixture(scope="module")
def visit() -> Kind:
    return load(pack()).kinds["tiny/visit"]


@pytest.fixture(scope="module")
def consent() -> Kind:
    return load(read_packs(["ma-soc"])).kinds["ma-soc/consent"]


def test_a_record_is_opened_by_its_kind(visit: Kind) -> None:
    opened = visit.open(RECORD, "America/New_York")

    assert (opened.source_id, opened.version, opened.subject) == ("V1", "3", "K1")
    assert opened.people == {"child": ("K1",), "mother": ("M1",)}
    assert opened.when == 1_767_632_400_000_000  # noon in New York on that day
    assert (opened.final, opened.void) == (True, False)
    assert visit.open({**RECORD, "status": "void"}, "UTC").void


def test_how_much_a_record_weighs_is_said_by_any_of_its_kinds_rules() -> None:
    either = "[{ path: place, in: [home] }, { path: words, in: [x] }]"
    said = f"{KIND}urgent: {{ path: place, in: [ward] }}\nsignificant: {either}\n"
    kind = load(pack(kind=said)).kinds["tiny/visit"]
    found = [kind.open({**RECORD, **more}, "UTC").weight.value for more in WEIGHTS]
    assert found == ["", "urgent", "significant", "significant", "urgent"]


def test_r24_what_is_never_collected_is_gone_at_any_depth(visit: Kind) -> None:
    record = {
        **RECORD,
        "secret": "CANARY",
        "steps": [{"text": "x", "secret": {"deep": "CANARY"}}, ["y", {"secret": 1}]],
    }

    kept = visit.strip(record)

    assert kept == {**RECORD, "steps": [{"text": "x"}, ["y", {}]]}
    assert "secret" in record


def test_a_dotted_never_field_is_taken_there_only() -> None:
    kind = load(pack(kind=KIND.replace("never: [secret]", "never: [steps.text]"))).kinds["tiny/visit"]

    assert kind.strip({"text": "a", "steps": [{"text": "b", "id": "1"}]}) == {"text": "a", "steps": [{"id": "1"}]}


def test_fields_that_say_nothing_count_as_absent(visit: Kind) -> None:
    assert visit.check({**RECORD, "words": None, "place": "  ", "steps": []}) == []
    assert [problem.field for problem in visit.check({**RECORD, "child": " "})] == ["child"]


def test_a_record_nested_too_deeply_is_refused_and_not_walked(visit: Kind) -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = {"a": deep}

    assert [problem.code for problem in visit.check(visit.strip({**RECORD, "words": deep}))] == ["record-depth"]


def test_half_a_character_is_refused(visit: Kind) -> None:
    assert [problem.code for problem in visit.check({**RECORD, "steps": [{"text": "a\ud800"}]})] == ["record-text"]


@pytest.mark.parametrize("record", [{"id": "", "child": "K1"}, {"id": "V1"}, {"id": "V1", "child": "K1", "at": "soon"}])
def test_a_record_without_name_or_time_is_refused_without_its_values(visit: Kind, record: dict[str, str]) -> None:
    with pytest.raises(RecordError) as caught:
        visit.open(record, "UTC")

    assert "soon" not in str(caught.value)


def test_an_id_that_no_ledger_column_takes_is_refused(visit: Kind) -> None:
    for field in ("id", "child"):
        with pytest.raises(RecordError) as refused:
            visit.open({"id": "1", "child": "2"} | {field: "a\x00b"}, "UTC")
        assert [problem.code for problem in refused.value.problems] == ["record-control"]


def test_versions_are_ordered_as_numbers_or_as_instants(visit: Kind) -> None:
    contact = load(read_packs(["ma-soc"])).kinds["ma-soc/contact"]

    assert visit.order("10") > visit.order("9")
    assert contact.order("2026-03-01T00:30:00+02:00") < contact.order("2026-02-28T23:00:00Z")
    assert contact.order("2026-03-01T08:00", "America/New_York") > contact.order("2026-03-01T12:00Z")
    assert contact.order("") == 0


def test_r26_a_consent_covers_whole_local_days(consent: Kind) -> None:
    record = {"id": "1", "child": "K1", "practice": "maple", "from": "2026-01-05", "until": "2026-01-31"}

    given = consent.permission({**record, "narrative": True}, "America/New_York")

    assert given is not None
    assert (given.person, given.practice, given.revoked) == ("K1", "maple", None)
    assert given.terms.classes == {"ordinary", "narrative"}
    assert given.start == 1_767_589_200_000_000  # 2026-01-05T05:00:00Z
    assert given.until == 1_769_922_000_000_000  # 2026-02-01T05:00:00Z


def test_r26_narrative_is_permitted_only_by_true(consent: Kind) -> None:
    record = {"id": "1", "caregiver": "P1", "practice": "maple", "from": "2026-01-05", "revoked": "2026-02-01T09:00Z"}

    silent = consent.permission(record, "UTC")

    assert silent is not None
    assert (silent.person, silent.revoked) == ("P1", 1_769_936_400_000_000)
    assert silent.terms.classes == {"ordinary"}


def test_a_kind_without_consents_gives_none(visit: Kind) -> None:
    assert visit.permission(RECORD, "UTC") is None


@pytest.mark.parametrize(
    ("wrong", "right", "code", "where"),
    [
        ("id: idd", "id: id", "kind-declaration", "tiny/visit.kind.yaml:4:1"),
        ("subject: kid", "subject: child", "kind-declaration", "tiny/visit.kind.yaml:7:1"),
        ("version_as: letters", "version_as: integer", "kind-declaration", "tiny/visit.kind.yaml:6:1"),
        ("never: secret", "never: [secret]", "kind-declaration", "tiny/visit.kind.yaml:11:1"),
        ("agency_only: [worri]", "agency_only: [worry]", "kind-declaration", "tiny/visit.kind.yaml:12:15"),
        ("{ path: status }", "{ path: status, in: [void] }", "kind-declaration", "tiny/visit.kind.yaml:10:1"),
        ("kind: visit", "kind: tiny/visit", "kind-declaration", "tiny/visit.kind.yaml:2:1"),
        ("titel: A visit", "title: A visit", "kind-shape", "tiny/visit.kind.yaml:3:1"),
        ("  type: objekt", "  type: object", "kind-schema", "tiny/visit.kind.yaml:14:3"),
    ],
)
def test_a_kind_file_s_mistakes_are_named_with_their_line(wrong: str, right: str, code: str, where: str) -> None:
    found = problems(pack(kind=KIND.replace(right, wrong, 1)))

    assert (code, where) in [(problem.code, problem.where) for problem in found]
