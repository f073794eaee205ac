"""42 CFR part 2: when a disclosure carries the notice and the scope of the consent, and what the scope says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.documents.notices import Disclosure, Scope
from bridge.mappings.classes import GRANTABLE, SUBSTANCE_USE
from bridge.model import Consent, Decision, Part
from bridge.release.withhold import classes_of
from bridge.settings import Practice


def disclosure(
    leaving: Sequence[Part], decision: Decision, consents: Iterable[Consent], practice: Practice, zone: str
) -> Disclosure | None:
    """What goes along with these parts; None where nothing of them is a substance use record.

    The scope is that of the consents the decision rests on: whoever reads it learns what this person agreed to, not
    what of the record stayed behind.
    """
    if SUBSTANCE_USE not in classes_of(leaving):
        return None
    scopes = tuple(scope(one, zone) for one in consents if one.id in decision.consents)
    return Disclosure(practice.name, scopes, practice.document.part2_notice == "full")


def scope(consent: Consent, zone: str) -> Scope:
    """One consent's scope, its days as the agency's clocks have them."""
    return Scope(
        authority=consent.authority.value,
        purpose=consent.purpose,
        classes=tuple(sorted(consent.classes & GRANTABLE)),
        first_day=day(consent.start, zone),
        last_day=day(consent.until, zone, timedelta(microseconds=1)) if consent.until is not None else "",
        form=consent.document,
    )


def day(instant: int, zone: str, earlier: timedelta = timedelta(0)) -> str:
    """The day of an instant in microseconds, so much earlier, in a zone: `YYYY-MM-DD`."""
    moment = datetime.fromtimestamp(instant / 1_000_000, UTC) - earlier
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()
