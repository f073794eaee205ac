"""A practice's referral to the agency: taken in on the practice's own authority, placed by the agency, answered barely.

No consent is needed to receive it, and nothing flows back by it but the bare status that the practice's own referral
may be answered with (R26; `release.may_answer`). Whom it is about the agency says, or the practice's own number of a
patient whom it named before; a name is never enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from bridge.errors import ConfigError, Problem
from bridge.intake.fate import fate
from bridge.intake.referral import KIND, Number, Referral, open_referral, told
from bridge.model import Accepted, Fate, Hold, HoldReason, Item, Owner, Part
from bridge.moves import granting
from bridge.moves.answering import note
from bridge.moves.line import Line
from bridge.settings import Agency, Practice
from bridge.store import browsing, persons, referrals
from bridge.store import permissions as kept

PLACE = "answer"
ASKED = {
    Fate.NEW: (
        "the practice referred a patient to the agency",
        "say which of the agency's persons it is (page, or `bridge referrals place`), or that it is not taken",
    ),
    Fate.VERSION: (
        "the practice changed its referral",
        "read what changed, and say again which of the agency's persons it is about",
    ),
    Fate.VOID: (
        "the practice took its referral back",
        "close it in the agency's own system, then answer here that it is not taken",
    ),
}


def referral_key(agency: str, practice: str, name: str) -> str:
    """What the agency's answer to a referral opens; `name` is the keyed hash of the practice's number of it."""
    return f"referral:{agency}/{practice}/{name}"


def name_of(line: Line, number: Number) -> str:
    """A referral's number as the ledger keeps it."""
    return line.ledger.keyring.hash("referral", *number)


def value_hash_of(line: Line, value: str) -> str:
    """The same of its value alone, for a number that was written down without its system."""
    return line.ledger.keyring.hash("referral-value", value)


def accept(line: Line, practice: Practice, agency: Agency, resource: Any, by: str, now: int, where: str) -> Accepted:
    """The fate of one referral, once it is durable."""
    found = open_referral(resource, partial(line.validator.check, profiles=(), advise=False), where)
    if isinstance(found, Problem):
        return Accepted(0, Fate.REJECTED, problem=found)
    answer = line.ledger.write(referrals.keep, to_keep(line, practice, agency, found, by, now))
    if answer.fate is not Fate.RESEND:
        note(line, agency.id, by, "referral-accept", f"referral {answer.record} practice {practice.id}", now)
    return answer


def to_keep(line: Line, practice: Practice, agency: Agency, found: Referral, by: str, now: int) -> referrals.Keep:
    """One referral as the ledger keeps it: what names it and its patient only as keyed hashes."""
    ledger, name = line.ledger, name_of(line, found.number)
    unplaced = f"{referrals.UNPLACED}{practice.id}:{name}"
    item = Item(
        agency=agency.id,
        program=agency.program,
        kind=KIND,
        source_id=name,
        version=found.version,
        subject=unplaced,
        when=None,
        final=True,
        void=found.void,
        digest=ledger.keyring.hash(found.digest),
        raw=found.raw,
        practice=practice.id,
    )
    return referrals.Keep(
        ledger=ledger,
        id=ledger.ids.take(),
        blob=ledger.ids.take(),
        hold_id=ledger.ids.take(),
        item=item,
        value_hash=value_hash_of(line, found.number[1]),
        numbers=tuple(ledger.keyring.hash(*number) for number in found.patient),
        status=found.status,
        unplaced=persons.prepare(ledger, agency.id, unplaced),
        fate=fate,
        holds={
            one: Hold(HoldReason.REFERRAL, referral_key(agency.id, practice.id, name), Owner.AGENCY, rule, step)
            for one, (rule, step) in ASKED.items()
        },
        by=by,
        now=now,
        hold_due=line.hold_due(now),
    )


def known(line: Line, referral: int) -> dict[str, Any]:
    """One referral in force by its number. Raises ConfigError where there is none."""
    with line.ledger.read() as connection:
        found = referrals.one(connection, referral)
    if found is None or found["state"] == referrals.SUPERSEDED:
        step = "`bridge referrals list` shows them"
        raise ConfigError(Problem("referral-unknown", "no referral in force has this number", PLACE, "referral", step))
    return found


def of_hold(line: Line, hold: Mapping[str, Any]) -> dict[str, Any] | None:
    """The referral in force that a hold asks about; None where there is none any more."""
    agency, practice, name = str(hold["waits_for"]).removeprefix("referral:").split("/")
    with line.ledger.read() as connection:
        return referrals.by_key(connection, agency, practice, name)


def words(line: Line, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the practice wrote, as labels and words, for who may read it; empty where the person's key was destroyed."""
    with line.ledger.read() as connection:
        raw = referrals.words(connection, line.ledger, found["raw_blob"])
    return told(raw) if raw else []


def place(line: Line, referral: int, person: str, by: str, now: int) -> bool:
    """The agency says whom the referral is about; the practice's own number of the patient becomes that person's.

    False where it said so before. Raises ConfigError for a person no record speaks of, and where the number, or the
    person's number at this practice, is another: which is right a person finds out first.
    """
    found = known(line, referral)
    agency, practice = found["agency"], found["practice"]
    with line.ledger.read() as connection:
        row = persons.fetch(connection, [(agency, person)], lock=False).get((agency, person))
        patient = patient_of(referrals.words(connection, line.ledger, found["raw_blob"]))
        hashes = [line.ledger.keyring.hash(*number) for number in patient]
        holders = kept.holders(connection, agency, practice, hashes)
        theirs = kept.current_number(connection, row.id, practice) if row is not None else ""
    if row is None or person.startswith(referrals.UNPLACED):
        step = "send the person's own record first, or check the id as the agency's system shows it"
        rule = "the agency has sent nothing of this person"
        raise ConfigError(Problem("referral-person", rule, PLACE, "person", step))
    if holders - {row.id} or (theirs and hashes and theirs not in hashes):
        rule = "the practice's number of this patient and this person's number at the practice are not the same"
        step = "ask the practice which is right; `bridge links import` or the person's page corrects it"
        raise ConfigError(Problem("referral-link", rule, PLACE, "person", step))
    if patient and not theirs:
        number = chosen(line, agency, practice, patient)
        made = granting.link_of(line, agency, person, practice, *number, "referral", by, now)
        line.ledger.write(kept.make_link, made)
    done = write_answer(line, found, person, by, now)
    note(line, agency, by, "referral-place", f"referral {referral} person {person}", now)
    return done


def decline(line: Line, referral: int, by: str, now: int) -> bool:
    """The agency does not take the referral, or has closed what the practice took back; False where it said so before.

    The practice hears of it by the agency's own status of the referral, where it asked for that.
    """
    found = known(line, referral)
    done = write_answer(line, found, None, by, now)
    note(line, found["agency"], by, "referral-decline", f"referral {referral}", now)
    return done


def write_answer(line: Line, found: dict[str, Any], person: str | None, by: str, now: int) -> bool:
    """The answer is durable, and what waited for it runs again."""
    with line.ledger.read() as connection:
        versions = referrals.one(connection, found["id"])
    count = versions["versions"] if versions is not None else 1
    answer = referrals.Answer(
        ledger=line.ledger,
        id=found["id"],
        person=persons.prepare(line.ledger, found["agency"], person) if person is not None else None,
        key=referral_key(found["agency"], found["practice"], found["name"]),
        by=by,
        now=now,
        spare=line.ids(count),
    )
    return line.ledger.write(referrals.answer, answer)


def patient_of(raw: bytes) -> list[Number]:
    """The practice's own numbers of the patient of what it sent."""
    found = open_referral(orjson.loads(raw), lambda _: ()) if raw else None
    return list(found.patient) if isinstance(found, Referral) else []


def chosen(line: Line, agency: str, practice: str, patient: Sequence[Number]) -> Number:
    """Of several numbers the one in the system of those that the practice gave before; else the first."""
    with line.ledger.read() as connection:
        system = browsing.known_system(connection, line.ledger, agency, practice)
    return next((number for number in patient if number[0] == system), patient[0])


# ── the bare status that answers it ───────────────────────────────────────────────────────────────────────────────
def mistaken(line: Line, agency: str, practice: str, person: str, parts: Sequence[Part]) -> Hold | None:
    """The hold of a status that names a referral of this practice which is not this person's, or was in error.

    A referral that came by telephone or fax is not known here, and its status goes by the agency's word.
    """
    for system, value in based_on(parts):
        with line.ledger.read() as connection:
            found = referrals.of_value(connection, agency, practice, value_hash_of(line, value))
        if system:
            found = [one for one in found if one["name"] == name_of(line, (system, value))]
        if found and not any(one["subject"] == person and one["status"] != "entered-in-error" for one in found):
            return Hold(
                HoldReason.REFERRAL,
                referral_key(agency, practice, found[0]["name"]),
                Owner.AGENCY,
                "the practice's referral of this number is not known to be about this person, or was in error",
                "say on the page whom the referral is about, or correct the number in the status",
            )
    return None


def based_on(parts: Sequence[Part]) -> Iterator[Number]:
    """The referrals that a status answers: system ("" where none is written) and value."""
    for part in parts:
        for reference in part.resource.get("basedOn", []):
            identifier = reference.get("identifier", {})
            if identifier.get("value"):
                yield str(identifier.get("system", "")), str(identifier["value"])
