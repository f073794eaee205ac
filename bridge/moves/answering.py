"""A person's answers: look again, it stands there, it does not, send it or not, this chart, this code. All audited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.ehr.match import PATIENT
from bridge.errors import ConfigError, Problem
from bridge.mappings.tables import Row, Table, row_of
from bridge.model import HoldReason, Owner
from bridge.moves import granting
from bridge.moves.line import Line
from bridge.moves.matching import PATIENT_ID
from bridge.release import guard
from bridge.settings.words import nearest
from bridge.store import answers, audit, needs, permissions
from bridge.store.needs import Pile

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # hl7.org/fhir/R4/datatypes.html#id
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
PLACE = "answer"


def note(line: Line, agency: str, by: str, action: str, about: str, now: int) -> None:
    """What somebody did stands in the trail: ids and codes only."""
    line.ledger.write(audit.note, audit.Line(line.ledger.ids.take(), agency, now, by, action, about))


def retry(line: Line, hold: int | None, reason: str, by: str, now: int, pile: Pile | None = None) -> int:
    """What is held is looked at again; how many. One hold, a pile, or all of a reason. Raises ConfigError for none."""
    if hold is None and not reason and pile is None:
        raise ConfigError(Problem("hold-which", "name a hold, or a reason with --reason", "command line"))
    count = line.ledger.write(answers.retry, answers.Retry(hold, reason, by, now, pile))
    agencies = [pile.agency] if pile is not None else list(line.project.agencies)
    if hold is not None and pile is None:
        agencies = [one_hold(line, hold)["agency"]]
    about = f"hold {hold}" if hold is not None else f"holds {pile.reason if pile is not None else reason}"
    for agency in agencies:
        note(line, agency, by, "hold-retry", about, now)
    return count


def decide(line: Line, hold: int, stands: str, absent: bool, drop: bool, by: str, now: int) -> bool:
    """The decision about the entry of one hold is taken; False where the hold was closed before.

    `stands` is the EHR's own id of what stands. Raises ConfigError unless exactly one of the three is given, where the
    hold is not about an entry, and for dropping what the agency withdrew: it stands until it was taken back.
    """
    if sum((bool(stands), absent, drop)) != 1:
        raise ConfigError(Problem("hold-answer", "give one of --stands, --absent and --drop", PLACE))
    found = one_hold(line, hold)
    if found["entry"] is None:
        step = "`bridge held list` shows what waits"
        raise ConfigError(Problem("hold-entry", "this hold is not about an entry", PLACE, "hold", step))
    if stands and not FHIR_ID.fullmatch(stands):
        rule = "an id of the EHR has letters, digits, dashes and dots, 64 at most"
        raise ConfigError(Problem("hold-stands", rule, PLACE, "stands", "copy it as the EHR shows it"))
    if found["closed_at"] is not None:
        return False
    if absent and found["reason"] == HoldReason.DUPLICATE:
        rule = "this stands more than once; that none of it does, nobody asked"
        step = "`bridge held retry` once all but one were withdrawn, or say with `stands` which one was kept"
        raise ConfigError(Problem("hold-duplicate", rule, PLACE, "absent", step))
    if drop and (not found["should"] or found["recalled"]):
        rule = "this was withdrawn already; what stands in the chart has to be taken back"
        raise ConfigError(Problem("hold-withdrawn", rule, PLACE, "drop", "say that it is not there once it was"))
    verdict = "stands" if stands else "absent" if absent else "drop"
    done = line.ledger.write(answers.decide, answers.Verdict(hold, found["entry"], verdict, stands, by, now))
    note(line, found["agency"], by, f"hold-{verdict}", f"entry {found['entry']}", now)
    return done


def let_leave(line: Line, hold: int, by: str, now: int) -> bool:
    """A person read what the guard found: it may leave as it is, this version and no other. False where the hold was
    closed before. Raises ConfigError for a hold of something else.
    """
    found = one_hold(line, hold)
    if not asks_to_read(found):
        rule = "this hold is not about what the guard found"
        raise ConfigError(Problem("hold-guard", rule, PLACE, "hold", "`bridge held show` says what it waits for"))
    if found["closed_at"] is not None:
        return False
    said = answers.Verdict(hold, found["entry"], "leave", "", by, now, guard.digest_of(found["waits_for"]))
    done = line.ledger.write(answers.decide, said)
    note(line, found["agency"], by, "hold-leave", f"entry {found['entry']}", now)
    return done


def asks_to_read(hold: Mapping[str, Any]) -> bool:
    """Whether a hold asks the agency to read what would leave."""
    return hold["entry"] is not None and bool(guard.digest_of(hold["waits_for"]))


def release_record(line: Line, hold: int, send: bool, by: str, now: int) -> bool:
    """A record that its mapping holds for a person's decision is sent as it is, or kept by its agency.

    False where the hold was closed before. Raises ConfigError for a hold that waits for something else.
    """
    found = one_hold(line, hold)
    if not awaits_word(found):
        rule = "this hold is not about sending a record or not"
        raise ConfigError(Problem("hold-record", rule, PLACE, "hold", "`bridge held show` says what it waits for"))
    verdict = answers.RecordVerdict(hold, found["record"], send, by, now)
    done = line.ledger.write(answers.decide_record, verdict)
    note(line, found["agency"], by, "record-send" if send else "record-keep", f"record {found['record']}", now)
    return done


def keep_pile(line: Line, pile: Pile, by: str, now: int) -> int:
    """Every record that this pile holds for a decision is kept by its agency; how many. Raises ConfigError as above."""
    if not awaits_word({"record": 1, "reason": pile.reason, "owner": pile.owner}):
        raise ConfigError(Problem("hold-record", "these holds are not about sending records or not", PLACE, "hold"))
    with line.ledger.read() as connection:
        waiting = [one for one in needs.open_in(connection, pile) if one["record"] is not None]
    said = [answers.RecordVerdict(one["id"], one["record"], False, by, now) for one in waiting]
    done = line.write_all(answers.decide_record, said)
    lines = [
        audit.Line(line.ledger.ids.take(), pile.agency, now, by, "record-keep", f"record {one['record']}")
        for one in waiting
    ]
    line.write_all(audit.note, lines)
    return sum(done)


def awaits_word(hold: Mapping[str, Any]) -> bool:
    """Whether a hold asks the agency to send a record or not (what stopped a worker is the engineer's to find out)."""
    asked = hold["reason"] == HoldReason.DECISION.value and hold["owner"] == Owner.AGENCY.value
    return asked and hold["record"] is not None


def confirm_link(
    line: Line, agency: str, person: str, practice: str, number: tuple[str, str], patient: str, by: str, now: int
) -> bool:
    """A person said which patient of a practice this is; False where that was known and is only looked at again.

    Either by the practice's own `number` (its system and value) or by the EHR's own `patient` id. Raises ConfigError
    unless exactly one of them is given, in the form it must have.
    """
    system, value = (part.strip() for part in number)
    patient = patient.strip().removeprefix(f"{PATIENT}/")
    if bool(value) == bool(patient):
        rule = "give either the practice's number of the patient or the id of the chart"
        raise ConfigError(Problem("link-which", rule, PLACE))
    if patient and not FHIR_ID.fullmatch(patient):
        rule = "the id of a chart has letters, digits, dashes and dots, 64 at most"
        raise ConfigError(Problem("link-patient", rule, PLACE, "patient", "copy it as the practice's EHR shows it"))
    if value and not URI.fullmatch(system):
        step = "ask the practice; it is in its roster, for example urn:oid:1.2.3 or https://…"
        raise ConfigError(Problem("link-system", "a number needs the system it is from", PLACE, "system", step))
    said = (PATIENT_ID, patient) if patient else (system, value)
    done = line.ledger.write(
        permissions.make_link, granting.link_of(line, agency, person, practice, *said, "person", by, now)
    )
    note(line, agency, by, "link-confirm", f"person {person} practice {practice}", now)
    return done


def add_row(line: Line, agency: str, table: str, code: str, cells: Mapping[str, str], by: str, now: int) -> int:
    """A code of this agency has its row; how many records that waited run again.

    `cells` are a table's columns without `code`. A row of the same code that was added with the same `from` gives way.
    Raises ConfigError for a table that is not in force, for cells that make no row, and for a row of days on which
    another one that was added holds.
    """
    tables = line.translator.mappings.tables
    if agency not in line.project.agencies or table not in tables:
        step = nearest(table, tables) if agency in line.project.agencies else nearest(agency, line.project.agencies)
        rule = "no table of this agency has this name"
        raise ConfigError(Problem("row-table", rule, PLACE, "table", step))
    row = {"code": code, **{name: cell.strip() for name, cell in cells.items()}}
    row["equivalence"] = row.get("equivalence") or ("equivalent" if row.get("target") else "unmatched")
    try:
        made = row_of(row)
    except ValueError as error:
        raise ConfigError(Problem("row-form", f"the row {error}", PLACE, "row")) from None
    line.learn_rows()
    for other in line.added.of(agency).get(table, Table(table)).every():
        if other.code == code and other.start != made.start and other.meets(made):
            rule = f"the row added {_period(other)} holds on some of these days"
            step = "add that one again with an earlier `until`, then this one"
            raise ConfigError(Problem("row-overlap", rule, PLACE, "from", step))
    count = granting.add_row(line, agency, table, code, row, by, now)
    note(line, agency, by, "row-add", f"table {table}", now)
    return count


def _period(row: Row) -> str:
    return f"from {row.start}" if row.start else f"until {row.until}"


def one_hold(line: Line, hold: int) -> dict[str, Any]:
    """The hold with what it is about. Raises ConfigError where there is none of this number."""
    with line.ledger.read() as connection:
        found = needs.one_case(connection, hold)
    if found is None:
        step = "`bridge held list` shows what waits"
        raise ConfigError(Problem("hold-unknown", "there is no hold of this number", PLACE, "hold", step))
    return found
