"""Records, texts and lists that nobody can take, each wrong in another way, their words marked."""

from __future__ import annotations

from typing import Any

from tests.flow.canaries import Marks
from tests.flow.pilot import SYSTEM


def bad_records(writer: Any) -> list[dict[str, Any]]:
    """Records that their kind does not allow, each in another way, their words marked."""

    def said(where: str) -> str:
        return str(writer.text("rejected", where))

    plain = {"id": "k-bad", "status": "signed", "child": "c-door", "narrative": said("narrative")}
    name = writer.word("rejected", "a field's name")
    return [
        {**plain, name: 1},
        {**plain, name.upper(): {name: said("unknown field")}},
        {**plain, "selfDisclosure": said("a misspelt field"), "SELF_DISCLOSURE": said("a field in capitals")},
        {**plain, "status": said("an enum")},
        {**plain, "place": said("a code")},
        {**plain, "id": said("an id")},
        {**plain, "child": [said("a type")]},
        {**plain, "started": said("a moment")},
        {
            **plain,
            "started": "2031-01-01",
            "mode": "phone",
            "outcome": "no-answer",
            "staff": [{"role": "clinician", "name": "D"}],
        },
        {**plain, "language": said("a language")},
        {**plain, "address": said("too long") * 9},
        {**plain, "staff": [{"role": "clinician", "name": said("inside"), name: said("unknown inside")}]},
        {**plain, "caregiver_stress": {"score": said("a number"), "note": 7}},
        {**plain, "caregiver_stress": {"score": 99, "note": said("beside a number out of range")}},
        {**plain, "updated_at": "2026-02-30", "narrative": said("beside an impossible day")},
        {"narrative": said("no id"), "status": "draft", "child": "c-door"},
        {**plain, "deep": deep(said("deep"))},
    ]


def deep(text: str, levels: int = 80) -> Any:
    """The text under so many lists and objects."""
    value: Any = {"self_disclosure": text}
    for _ in range(levels):
        value = {"a": [value]}
    return value


def broken_texts(writer: Any) -> list[str]:
    """JSON that is none, around marked words."""

    def said(where: str) -> str:
        return str(writer.text("rejected", where))

    return [
        f'{{"id": "{said("cut off")}',
        f'{{"id": "k-1", "id": "{said("a key given twice")}"}}',
        f'{{"id": "k-1", "narrative": NaN, "x": "{said("beside NaN")}"}}',
        f'"{said("a text alone")}"',
        f'[{{"id": "k-1"}} {said("no comma")}]',
        f'{{"narrative": "\\ud800 {said("half a character")}"}}',
        f'{{"narrative": "\udcff {said("a wrong byte")}"}}',
        f'{{"x": {"[" * 3000}"{said("a bomb")}"{"]" * 3000}}}',
        said("no JSON at all"),
    ]


def bad_rows(marks: Marks) -> dict[str, list[str]]:
    """Rosters of marked cells, each wrong in another way; one row of each is taken."""

    def said(where: str) -> str:
        return marks.text("rejected", f"roster {where}").replace(",", ";")

    links = ["agency,person,practice,system,value", f"harbor,c-roster,maple,{SYSTEM},{marks.word('mrn', 'roster')}"]
    links += [
        f"{said('agency')},c-1,maple,{SYSTEM},{said('value')}",
        f"harbor,{said('person')},maple,{SYSTEM},{said('value')}",
        f"harbor,c-1,{said('practice')},{SYSTEM},{said('value')}",
        f"harbor,c-1,maple,{SYSTEM},{said('value')},{said('one too many')}",
        f"harbor,c-1,maple,,{said('value')}",
    ]
    consents = ["agency,person,practice,from,until,narrative", "harbor,c-roster,maple,2026-01-01,,no"]
    consents += [
        f"harbor,{said('person')},maple,2026-01-01,,no",
        f"harbor,c-1,maple,{said('from')},,no",
        f"harbor,c-1,maple,2026-01-01,{said('until')},no",
        f"harbor,c-1,maple,2026-01-01,,{said('narrative')}",
        f"harbor,c-1,{said('practice')},2026-01-01,,no",
    ]
    return {"links": links, "consents": consents}
