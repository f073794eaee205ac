"""What `bridge try --recipient` shows is what the line then does: the same rows, the same document (R24-R26)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.moves import showing
from bridge.release.preview import ELSEWHERE
from tests.flow.pilot import AGENCY
from tests.flow.test_line import PRACTICE, contact
from tests.flow.test_release import HEADER, MOTHER, opened

WORDS: dict[str, Any] = {
    "narrative": "We read together.",
    "child_welfare": "The worker visits.",
    "others_involved": "An uncle came by.",
    "place_name": "Harbor House",
    "caregiver": "g-1",
    "caregiver_stress": {"score": 8, "note": "Too tired."},
    "caregiver_substance_use": "Sober since May.",
    "caregiver_screening": ["done"],
}
PORTAL = ", document: { released_at_once: ['34109-9'] }"
CHILD, CAREGIVER = "c-1", "g-1"
REFERENCE = re.compile(r"^Delivery reference: .*$", re.M)


def row(person: str, classes: str, form: str = "F-12") -> str:
    authority = "self" if person == CAREGIVER else "parent"
    return f"{AGENCY},{person},{PRACTICE},2026-01-01,,,g-1,{authority},{classes},care-coordination,es,{form}"


@pytest.mark.parametrize(
    ("extra", "program"),
    [("", ""), (PORTAL, ""), (", caregiver_screening: true", ""), ("", ", part2: true")],
    ids=["plain", "portal", "screening", "part 2"],
)
@pytest.mark.parametrize(
    "rows",
    [
        (),
        (row(CHILD, "ordinary"),),
        (row(CHILD, "narrative child-welfare violence-location caregiver-health substance-use"),),
        (row(CHILD, "narrative"), row(CAREGIVER, "caregiver-health narrative")),
        (row(CHILD, "none"), row(CAREGIVER, "substance-use caregiver-health narrative")),
    ],
    ids=["none", "facts", "all", "two", "refused"],
)
def test_the_preview_is_what_the_line_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: tuple[str, ...], extra: str, program: str
) -> None:
    record = contact(**WORDS)
    with opened(tmp_path / "pilot", extra=extra, program=program) as (bridge, ehr):
        if rows:
            bridge.roster("consents", HEADER, rows)
        bridge.accept("ma-soc/caregiver", MOTHER)
        bridge.accept("ma-soc/contact", record)
        bridge.settle()
        stands = {REFERENCE.sub("", text) for text in ehr.documents()}
        done = {one.person: one for one in showing.leaving(bridge.line, bridge.records()[1], bridge.clock())}
    records, forms = tmp_path / "record.json", tmp_path / "forms.csv"
    records.write_text(json.dumps([record]), encoding="utf-8")
    forms.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    capsys.readouterr()
    asked = ["try", "ma-soc/contact", str(records), "--recipient", PRACTICE, "--consents", str(forms)]
    assert main([*asked, "--at", "2026-03-02", "--project", str(tmp_path / "pilot"), "--json"]) == 0
    charts = {one["person"]: one for one in json.loads(capsys.readouterr().out)["records"][0]["charts"]}
    assert set(charts) == {CHILD, CAREGIVER}
    for person, chart in charts.items():
        shown = [(one["part"], one["section"], one["leaves"], one["rule"]) for one in chart["rows"]]
        line = [(one.part, one.section, one.leaves, one.rule) for one in done[person].rows if one.type != "Provenance"]
        assert [one for one in shown if one[3] != ELSEWHERE] == line
    unknown = [one["person"] for one in charts.values() for hold in one["holds"] if hold["reason"] == "record"]
    leaves = any(row["leaves"] for row in charts[CAREGIVER]["rows"])
    assert unknown == ([CAREGIVER] if leaves else []), "a record alone does not say that the agency sent hers too"
    assert {one.waits for one in done.values()} == {None}
    documents = {REFERENCE.sub("", one["document"]["text"]) for one in charts.values() if one["document"]}
    assert {text.strip() for text in documents} == {text.strip() for text in stands}
