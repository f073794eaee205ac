"""Told ahead and afterwards: agencies of consents that end soon, practices that no further records come."""

from __future__ import annotations

from bridge.consent import consent_key, decide
from bridge.model import Hold, HoldReason, Owner
from bridge.moves import planning
from bridge.moves.line import SECOND, Line
from bridge.store import notices, permissions

ENDS_SOON = "this person's consent for this practice ends soon, and no other follows it"
NO_MORE = "no further records of this patient will be sent by this agency"
CHUNK = 500
DAY = 86_400 * SECOND


def notice_key(agency: str, person: str, practice: str) -> str:
    """What a practice's notice is recognised by; a new consent closes it."""
    return f"notice:{agency}/{person}/{practice}"


def announce(line: Line, now: int) -> int:
    """Agencies are asked for new forms where a consent ends within `announce_expiry_days`; how many were added.

    Also those that end because somebody comes of age. Asked once, until a form comes.
    """
    horizon = now + line.project.limits.announce_expiry_days * DAY
    said = 0
    for agency in line.project.agencies:
        after = ""
        while True:
            with line.ledger.read() as connection:
                sources = notices.persons_with_consents(connection, agency, after, CHUNK)
                known = permissions.of_persons(connection, line.ledger, agency, sources)
            ask = [one for source in sources for one in ending(line, agency, source, known[source], now, horizon)]
            said += sum(line.write_all(notices.tell, ask))
            if len(sources) < CHUNK:
                break
            after = sources[-1]
    return said


def ending(
    line: Line, agency: str, source: str, has: permissions.Permissions, now: int, horizon: int
) -> list[notices.Tell]:
    """A notice for each practice whose permit ends before `horizon` with nothing after it."""
    of = line.project.agencies[agency]
    subject = planning.subject_of(line, agency, of.program, has.patient)
    found = []
    for practice in of.practices:
        decision = decide(has.consents, practice, now, subject)
        while decision.permit and decision.until is not None and decision.until <= horizon:
            ends = decision.until
            decision = decide(has.consents, practice, ends, subject)
            if not decision.permit:
                step = "ask the family, and record the new form before it ends (page, or `bridge consents give`)"
                key = consent_key(agency, source, practice)
                hold = Hold(HoldReason.CONSENT, key, Owner.AGENCY, ENDS_SOON, step)
                found.append(notices.Tell(agency, source, practice, line.ledger.ids.take(), hold, ends, now))
    return found


def no_more(line: Line, agency: str, person: str, practice: str, now: int) -> notices.Tell:
    """The practice's notice that nothing more comes; why, and what it was, is not its to know."""
    key = notice_key(agency, person, practice)
    step = "nothing needs doing: what stands in the chart Patient/{patient} was true and stays"
    hold = Hold(HoldReason.NOTICE, key, Owner.PRACTICE, NO_MORE, step)
    return notices.Tell(agency, person, practice, line.ledger.ids.take(), hold, line.hold_due(now), now, of_chart=True)
