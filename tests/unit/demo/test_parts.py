"""The demo's own folder, its sandboxes, and the comparison of two counts."""

from __future__ import annotations

import base64
import io
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bridge.demo import counts, display, ehrs, folder, run, told
from bridge.demo.caseload import caseload
from bridge.demo.cast import SHAPES, Cast, Site, cast_of, own_cast
from bridge.errors import ConfigError
from bridge.model import Fate
from bridge.sandbox import names
from bridge.settings import DocumentSettings, Project, load
from bridge.settings.shape import Coding
from bridge.settings.starter import start
from bridge.store.keys import make_key_file

BEGINS = date(2026, 5, 26)
BASE = "http://127.0.0.1:9/fhir"


def bases(cast: Cast) -> dict[str, str]:
    return {site.id: BASE for site in cast.sites}


def test_every_shape_that_a_vendor_gets_is_one_that_the_sandbox_has() -> None:
    assert set(names()) == SHAPES


def test_the_folder_is_a_project_of_synthetic_agencies_and_test_connections(tmp_path: Path) -> None:
    cast = own_cast()
    project = folder.make(tmp_path / "new", cast, bases(cast), BEGINS)
    assert {agency.source for agency in project.agencies.values()} == {"synthetic"}
    assert {connection.kind for connection in project.connections.values()} == {"test"}
    assert {project.connections[site.id].vendor for site in cast.sites} == {"open", "epic", "oracle", "athena"}
    assert project.practices["northgate"].document.mime == "application/xhtml+xml"
    assert project.people[folder.staff_of(project)].agency == "harbor"
    assert project.people[folder.ENGINEER].role == "engineer"


def test_a_folder_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        folder.make(tmp_path, own_cast(), bases(own_cast()), BEGINS)
    assert caught.value.problems[0].code == "demo-occupied"
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.fixture
def own(tmp_path: Path) -> Project:
    start(tmp_path / "own", ["ma-soc"], make_key_file)
    return load(tmp_path / "own")


def test_a_projects_agencies_practices_and_mappings_are_taken_and_not_its_ehrs(own: Project, tmp_path: Path) -> None:
    (own.directory / "tables" / "contact-place.csv").write_text("code\n", encoding="utf-8")
    cast = cast_of(own)
    assert [office.id for office in cast.offices] == ["harbor"]
    assert [(site.id, site.shape) for site in cast.sites] == [("elm-street", "open")]
    made = folder.make(tmp_path / "demo", cast, bases(cast), BEGINS, own.directory)
    assert made.practices["elm-street"].send_from == own.practices["elm-street"].send_from
    assert made.connections["elm-street"].base == BASE
    assert made.store != own.store
    assert (made.directory / "tables" / "contact-place.csv").exists()


def test_a_projects_document_types_are_written_as_it_has_them(tmp_path: Path) -> None:
    types = {"ma-soc/contact": Coding("http://loinc.org", "34109-9", "Note")}
    site = Site("elm", "Elm", "open", "urn:oid:1", DocumentSettings(types=types), frozenset({"Encounter"}), BEGINS)
    office = own_cast().offices[0]
    cast = Cast((type(office)(**{**fields(office), "practices": ("elm",)}),), (site,))
    project = folder.make(tmp_path / "new", cast, bases(cast), date(2020, 1, 1))
    assert dict(project.practices["elm"].document.types) == types
    assert project.practices["elm"].enable == {"Encounter"}
    assert project.practices["elm"].send_from == BEGINS


def fields(office: Any) -> dict[str, Any]:
    return {name: getattr(office, name) for name in office.__slots__}


def test_a_sandbox_is_filled_asked_and_gone_afterwards() -> None:
    with ehrs.running({"one": "open"}) as running:
        ehr = running["one"]
        ehr.load([{"resourceType": "Patient", "id": "p"}])
        ehr.load([])
        ehr.lose_answers(1)
        assert ehr.received() == []
        assert ehr.everything() == ""
        assert (ehr.doubles(), ehr.faults_met()) == (0, 0)
        with pytest.raises(ConfigError):
            ehr.load([{"no": "type"}])
    with pytest.raises(ConnectionRefusedError):
        ehr.received()


def test_a_shape_that_is_none_is_said_before_anything_runs() -> None:
    with pytest.raises(ConfigError) as caught, ehrs.running({"one": "no-such-shape"}):
        pytest.fail("nothing runs")
    assert caught.value.problems[0].code == "demo-sandbox"


def test_a_document_is_read_as_a_person_would() -> None:
    data = base64.b64encode(b"<p>&iquest;Qu&eacute; &lt;hay&gt;?</p>").decode()
    assert list(ehrs.documents({"content": [{"attachment": {"data": data}}]})) == ["<p>¿Qué <hay>?</p>"]
    assert list(ehrs.documents({"resourceType": "Task"})) == []


@pytest.mark.parametrize(
    ("status", "believed"),
    [("current", True), (None, True), ("finished", True), ("entered-in-error", False), ("superseded", False)],
)
def test_what_was_withdrawn_or_replaced_does_not_stand(status: str | None, believed: bool) -> None:
    assert ehrs.stands({"resourceType": "DocumentReference", "status": status}) is believed


def test_a_difference_between_ledger_and_ehr_is_named() -> None:
    assert counts.differences("elm", {"Task": 2}, {"Task": 2}) == []
    (said,) = counts.differences("elm", {"Task": 2}, {"Task": 3})
    assert said == "elm: the ledger says 2 Task stand there, the EHR says 3"
    assert len(counts.differences("elm", {"Task": 1}, {"Encounter": 1})) == 2


def test_what_a_practice_never_asked_for_is_named() -> None:
    site = Site("elm", "Elm", "open", "urn:oid:1", enable=frozenset({"Encounter"}))
    assert counts.unasked(site, {"DocumentReference": 4, "Encounter": 2}) == []
    assert counts.unasked(site, {"Task": 1}) == ["elm: 1 Task stand there, and the practice did not enable it"]


def test_r24_a_sentence_found_in_a_chart_is_counted_and_not_repeated() -> None:
    site = own_cast().sites[0]
    assert counts.disclosed(site, "nothing of it", ["my own son"]) == []
    (said,) = counts.disclosed(site, "… my own son …", ["my own son", "another"])
    assert "1 sentences" in said
    assert "son" not in said


def test_the_summary_says_what_is_wrong_and_who_can_answer() -> None:
    cast, whole = own_cast(), caseload(own_cast(), date(2026, 11, 22), 22)
    entries = dict.fromkeys(("delivered", "held", "refused", "ready", "unknown", "sending", "retracted"), 0)
    entries |= {"cancelled": 0, "handed-over": 0}
    of = {"entries": entries, "delivered": {"Task": 3}, "held": {"consent": 2}, "withheld_parts": 1, "ehr": "open"}
    answer = {
        "records": {"accepted": 9, "translated": 6, "held": 1, "superseded": 1, "waiting": 1}, "entries": entries,
        "practices": {site.id: of for site in cast.sites}, "duplicates": 0, "seconds": 1.5,
    }  # fmt: skip
    pile = {
        "agency": "harbor",
        "practice": "",
        "reason": "table",
        "owner": "agency",
        "rule": "no row",
        "holds": 3,
        "cases": 2,
    }
    found = counts.Counts(answer, ("maple-street: differs",), 12, 0, [pile] * 9)

    class Empty:
        def received(self) -> list[Any]:
            return []

    nothing: Any = {site.id: Empty() for site in cast.sites}
    text = "\n".join(told.summary(cast, whole, Counter({Fate.NEW: 10}), found, 5, nothing))
    for said in ("22 families, 11", "3 Task", "2 no consent in force", "2 to answer, by the agency",
                 "and 1 more kinds", "NOT AS IT SHOULD BE", "maple-street: differs", "It took 1.5 s."):  # fmt: skip
        assert said in text


def test_the_fates_of_a_month_are_told_in_words() -> None:
    fates = Counter({Fate.NEW: 1200, Fate.REJECTED: 2})
    assert run.told(fates) == "1,200 new, 2 not taken"


def test_a_log_gets_lines_a_terminal_a_bar_and_a_program_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with display.watching(10, quiet=True) as quiet:
        quiet.say("never shown")
        quiet.moved(1, 1, 1)
    with display.watching(10, quiet=False) as plain:
        plain.say("month 1")
        plain.moved(1, 1, 1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "month 1\n"


def test_on_a_terminal_the_bar_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=120, record=True, stderr=True, file=io.StringIO())
    monkeypatch.setattr(display, "Console", lambda **_: console)
    with display.watching(1500, quiet=False) as bar:
        bar.say("month 1")
        bar.moved(750, 1000, 20)
    shown = console.export_text()
    assert "month 1" in shown
