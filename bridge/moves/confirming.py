"""What was handed over is confirmed, by what came back or by a person, or somebody is told that nothing did."""

from __future__ import annotations

from bridge.errors import ConfigError, Problem
from bridge.handoff.over import CANCELS, Fate, HandOver, was_handed
from bridge.model import Hold, HoldReason, Owner
from bridge.moves.holding import refused_later
from bridge.moves.line import SECOND, Line
from bridge.settings import Practice
from bridge.store import audit, handoffs
from bridge.store.handoffs import AGAIN, CONFIRMED, Overdue, Word

DAY = 86_400 * SECOND
PLACE = "hand-off"
MOST = 10_000  # looked at in one round, of one practice


async def listen(line: Line, practice: Practice, now: int) -> int:
    """What came back since is heard: acknowledgements, notifications; how many entries it was about."""
    hand, wants = line.hands.get(practice.id), practice.handoff
    if hand is None or wants is None:
        return 0
    with line.ledger.read() as connection:
        rows = handoffs.waiting(connection, practice.id, limit=MOST)
    controls = {row["reference"] + ("" if row["should"] else CANCELS): row for row in rows}
    if not controls:
        return 0
    said = 0
    for control, fate in (await hand.heard(frozenset(controls))).items():
        row = controls[control]
        if fate is Fate.CONFIRMED and wants.confirms == "person":
            continue
        refused = fate is Fate.REFUSED
        word = Word(
            practice.id,
            row["reference"],
            not row["should"],
            CONFIRMED if not refused else "refused",
            "answer",
            now,
            refused_later(row["id"]) if refused else None,
            line.ledger.ids.take(),
            line.hold_due(now),
        )
        said += await line.write(handoffs.hear, word)
    return said


def remind(line: Line, practice: Practice, now: int) -> int:
    """Somebody is told of what nothing confirmed within `confirm_days`; how many notices were added."""
    wants = practice.handoff
    if wants is None:
        return 0
    with line.ledger.read() as connection:
        rows = handoffs.waiting(connection, practice.id, before=now - wants.confirm_days * DAY, limit=MOST)
    owner = Owner.AGENCY if wants.way == "packet" else Owner.PRACTICE
    notices = [
        Overdue(row["id"], row["agency"], practice.id, unconfirmed(row, owner), line.ledger.ids.take(), now, now)
        for row in rows
    ]
    return sum(line.write_all(handoffs.tell, notices))


def unconfirmed(row: dict[str, object], owner: Owner) -> Hold:
    """The notice of what was handed over and not confirmed."""
    return Hold(
        HoldReason.NOTICE,
        f"handoff:{row['id']}",
        owner,
        "it was handed over, and nothing confirmed since that it came into the chart",
        f"ask the practice for the document with reference {row['reference']}, then say so on the practice's page"
        " or with `bridge handoffs confirm` or `again`",
    )


def confirm(line: Line, practice: str, reference: str, verdict: str, by: str, now: int) -> int:
    """A person said that it is there (`confirmed`), or never came and is to be handed over anew (`again`).

    How many entries it was about. Raises ConfigError for a practice or a word there is not.
    """
    if practice not in line.project.practices or verdict not in (CONFIRMED, AGAIN):
        raise ConfigError(Problem("handoff-which", "no practice has this id", PLACE, "practice"))
    cancels = reference.endswith(CANCELS)
    plain = reference.removesuffix(CANCELS)
    with line.ledger.read() as connection:
        rows = handoffs.rows_of(connection, Word(practice, plain, cancels, verdict, by, now))
    count = line.ledger.write(handoffs.hear, Word(practice, plain, cancels, verdict, by, now))
    for row in rows if count else ():
        about = f"entry {row.id}"
        line.ledger.write(
            audit.note, audit.Line(line.ledger.ids.take(), row.agency, now, by, f"handoff-{verdict}", about)
        )
    return count


def agency_of(line: Line, practice: str, reference: str) -> str:
    """Whose the entry is that goes to this practice under this reference; "" where there is none."""
    with line.ledger.read() as connection:
        return handoffs.agency_of(connection, practice, reference.removesuffix(CANCELS))


def pages(line: Line, practice: str, reference: str) -> HandOver:
    """What was handed over last under a reference and waits. Raises ConfigError where nothing does."""
    with line.ledger.read() as connection:
        kept = handoffs.last_given(connection, line.ledger, practice, reference.removesuffix(CANCELS))
    if not was_handed(kept):
        rule = "nothing that was handed over waits under this reference"
        step = "`bridge handoffs list` shows what was"
        raise ConfigError(Problem("handoff-unknown", rule, PLACE, "", step))
    return HandOver.read(kept)
