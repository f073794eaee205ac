"""`bridge recall`: what went to a chart is listed and marked; what is asked wrongly changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model import EntryState, Stands
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.store.making import begin, claim, claim_lane, entries, entry_plan, finish, item, keep, release, save

ASKED = ("--practice", "elm", "--person", "harbor/child-1")


def delivered(command: Command, *charts: str) -> None:
    """One document stands in each of these charts."""
    with command.ledger() as ledger:
        for chart in charts:
            keep(ledger, item(chart, chart.encode()))
            (work,) = claim(ledger)
            assert save(ledger, work, entry_plan(chart, practice="elm"))
            lane = claim_lane(ledger)
            _, step = begin(ledger, lane, lane.entries[0], patient=chart)
            there = Stands(f"doc-{chart}", "1", "d1", chart)
            assert finish(ledger, lane, lane.entries[0], EntryState.DELIVERED, stands=there, step=step, answer="done")
            assert release(ledger, lane)


def test_what_went_there_is_listed_first_and_then_marked(command: Command) -> None:
    delivered(command, "p-1")
    tried = command("recall", *ASKED, "--dry-run", "--json")
    assert (tried.code, tried.json["marked"], [one["patient"] for one in tried.json["went"]]) == (0, 0, ["p-1"])
    told = command("recall", *ASKED)
    assert told.code == 0
    assert "create   Patient/p-1  DocumentReference/doc-p-1  DB-p-1" in told.out
    with command.ledger() as ledger:
        assert entries(ledger)["p-1"]["recalled"] == "p-1"
    again = command("recall", *ASKED, "--json").json
    assert (again["marked"], len(again["went"])) == (0, 1)
    listed = command("recall", "--list", "--json").json["incidents"]
    assert [(one["id"], one["unseen"], one["entries"]) for one in listed] == [(again["incident"], 2, 1)]
    assert "2 of 2 not seen yet" in command("recall", "--list").out
    assert "incidents 1 not seen yet" in command("status").out
    assert command("recall", "--lift", str(again["incident"])).out == "lifted\n"
    assert command("recall", "--lift", str(again["incident"])).code == 1
    assert "lifted" in command("recall", "--list").out


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("recall-nothing", ("--practice", "elm", "--person", "harbor/child-9")),
        ("recall-practice", ("--practice", "elms", "--person", "harbor/child-1")),
        ("recall-reason", (*ASKED, "--reason", "mistake")),
        ("recall-since", (*ASKED, "--since", "2026-03-02")),
        ("recall-charts", ASKED),
        ("recall-lift", ("--lift", "7")),
    ],
)
def test_what_is_asked_wrongly_is_said_and_changes_nothing(
    command: Command, tmp_path: Path, name: str, arguments: tuple[str, ...]
) -> None:
    delivered(command, "p-1", "p-2")
    told = command("recall", *arguments)
    assert (told.code, matches(name, told.err, tmp_path)) == (2, True)
    with command.ledger() as ledger:
        assert {row["recalled"] for row in entries(ledger).values()} == {None}
