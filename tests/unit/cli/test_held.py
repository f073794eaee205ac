"""`bridge held`: what waits is listed, and each way to answer it is an option."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.store import tables
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.console.test_answers import CONSENT, LOOK, ROW, SITE
from tests.unit.console.visiting import GROUP
from tests.unit.store.making import claim, entry_plan, item, keep, one, open_holds, rows, save


def waiting(command: Command) -> dict[str, int]:
    """One of each, the settings being in force already: the numbers of the holds by reason."""
    assert command("status").code == 0
    with command.ledger() as ledger:
        for number, hold in enumerate((CONSENT, LOOK, SITE)):
            keep(ledger, item(f"e{number}"))
            (work,) = claim(ledger)
            assert save(ledger, work, entry_plan(f"document-{number}", practice="elm", hold=hold))
        for number, hold in enumerate((GROUP, ROW)):
            keep(ledger, item(f"r{number}"))
            (work,) = claim(ledger)
            assert save(ledger, work, holds=(hold,))
        found = open_holds(ledger)
    return {"group" if hold["waits_for"] == GROUP.waits_for else hold["reason"]: hold["id"] for hold in found}


def test_what_waits_is_listed_with_what_to_do(command: Command, tmp_path: Path) -> None:
    assert command("held", "list").out == "nothing waits\n"
    numbers = waiting(command)
    told = command("held", "list")
    names = {str(number): f"<{name}>" for name, number in numbers.items()}
    text = "\n".join(names.get(line[:8].strip(), line[:8]) + line[8:] for line in told.out.splitlines())
    assert (told.code, matches("held-list", text + "\n", tmp_path)) == (0, True)
    found = command("held", "list", "--reason", "table", "--json").json
    assert [hold["id"] for hold in found["holds"]] == [numbers["table"]]
    assert found["holds"][0]["overdue"] is True
    assert found["counts"] == {"capability": 1, "consent": 1, "decision": 2, "table": 1}
    assert command("held", "list", "--agency", "cedar").out == "nothing waits\n"
    assert len(command("held", "list", "--limit", "2", "--json").json["holds"]) == 2


def test_one_is_shown_whole(command: Command, tmp_path: Path) -> None:
    numbers = waiting(command)
    shown = json.loads(command("held", "show", str(numbers["consent"])).out)
    assert (shown["reason"], shown["practice"], shown["person"]) == ("consent", "elm", "child-1")
    told = command("held", "show", "1")
    assert (told.code, matches("held-unknown", told.err, tmp_path)) == (2, True)


def test_it_is_looked_at_again_one_or_all_of_a_reason(command: Command, tmp_path: Path) -> None:
    numbers = waiting(command)
    told = command("held", "retry", str(numbers["capability"]))
    assert (told.code, told.out) == (0, "1 runs again\n")
    told = command("held", "retry", str(numbers["capability"]), "--json")
    assert (told.code, told.json) == (1, {"again": 0})
    assert command("held", "retry", "--reason", "consent").out == "1 runs again\n"
    for name, arguments in (("retry-which", []), ("retry-reason", ["--reason", "mood"])):
        told = command("held", "retry", *arguments)
        assert (told.code, matches(name, told.err, tmp_path)) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--stands", "doc-7"], {"state": "ready", "stands_id": "doc-7"}),
        (["--absent"], {"state": "ready", "stands_id": None}),
        (["--drop"], {"state": "cancelled", "should": False}),
    ],
)
def test_an_entry_is_answered(command: Command, arguments: list[str], expected: dict[str, object]) -> None:
    with command.ledger() as ledger:
        keep(ledger, item("e1"))
        (work,) = claim(ledger)
        assert save(ledger, work, entry_plan(practice="elm", hold=LOOK))
        (hold,) = open_holds(ledger)
    told = command("held", "answer", str(hold["id"]), *arguments)
    assert (told.code, told.out) == (0, "answered\n")
    told = command("held", "answer", str(hold["id"]), *arguments)
    assert (told.code, told.out) == (1, "it was answered before; nothing was changed\n")
    with command.ledger() as ledger:
        entry = one(ledger, tables.entry)
        assert {name: entry[name] for name in expected} == expected
        assert rows(ledger, tables.audit)[0]["actor"] == "command"


@pytest.mark.parametrize(("option", "state", "decided"), [("--send", "held", "send"), ("--keep", "translated", "keep")])
def test_a_record_is_sent_or_kept(command: Command, option: str, state: str, decided: str) -> None:
    with command.ledger() as ledger:
        keep(ledger, item("r1"))
        (work,) = claim(ledger)
        assert save(ledger, work, holds=(GROUP,))
        (hold,) = open_holds(ledger)
    assert command("held", "answer", str(hold["id"]), option, "--json").json == {"answered": True}
    with command.ledger() as ledger:
        record = one(ledger, tables.record)
        assert (record["state"], record["decided"]) == (state, decided)


def test_an_answer_must_fit_the_question(command: Command, tmp_path: Path) -> None:
    numbers = waiting(command)
    for name, hold, options in (
        ("answer-none", numbers["decision"], []),
        ("answer-two", numbers["decision"], ["--absent", "--send"]),
        ("answer-entry", numbers["group"], ["--absent"]),
        ("answer-record", numbers["decision"], ["--send"]),
        ("answer-id", numbers["decision"], ["--stands", "../two words"]),
    ):
        told = command("held", "answer", str(hold), *options)
        assert (told.code, matches(name, told.err, tmp_path)) == (2, True), name


def test_a_code_gets_its_row(command: Command, tmp_path: Path) -> None:
    waiting(command)
    row = ("held", "row", "harbor", "ma-soc/contact-place", "yurt")
    told = command(*row, "--display", "A round tent")
    assert (told.code, told.out) == (0, "1 runs again\n")
    for name, arguments in (
        ("row-table", ("held", "row", "harbor", "ma-soc/contact-plaec", "yurt", "--display", "A tent")),
        ("row-system", (*row, "--display", "A tent", "--target", "22232009")),
    ):
        told = command(*arguments)
        assert (told.code, matches(name, told.err, tmp_path)) == (2, True), name
