"""Who a case's record would go to: a practice on a day, and the consents there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.mappings.classes import GRANTABLE, ORDINARY
from bridge.mappings.functions import AgencyContext
from bridge.mappings.moments import start_of_day
from bridge.model import Authority, Consent, Purpose

SETTINGS = ("referral_status", "caregiver_screening", "part2", "minor_consented")
RECIPIENT_KEYS = ("practice", "at", *SETTINGS)
CONSENT_KEYS = (
    "person", "practice", "from", "until", "revoked", "classes", "grantor", "authority", "purpose", "language", "form",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipient:
    """One practice at one instant (microseconds), what it and the record's program are set to, and the consents."""

    practice: str
    at: int
    consents: tuple[Consent, ...] = ()
    referral_status: bool = False
    caregiver_screening: bool = False
    part2: bool = False
    minor_consented: bool = False


class Unreadable(ValueError):
    """What cannot be read of a recipient or a consent; holds the key and the rule."""

    def __init__(self, key: str, rule: str) -> None:
        super().__init__(rule)
        self.key, self.rule = key, rule


def recipient_of(value: Mapping[str, Any], consents: tuple[Consent, ...], zone: str) -> Recipient:
    """The recipient that a case names. Raises Unreadable."""
    known(value, RECIPIENT_KEYS)
    if not value.get("practice"):
        raise Unreadable("practice", "names the practice that would receive")
    at = day(value, "at", zone)
    if at is None:
        raise Unreadable("at", "says the day that counts, YYYY-MM-DD")
    for key in SETTINGS:
        if not isinstance(value.get(key, False), bool):
            raise Unreadable(key, "is true or false")
    return Recipient(str(value["practice"]), at, consents, **{key: value.get(key, False) for key in SETTINGS})


def consent_of(value: Mapping[str, Any], number: int, practice: str, agency: AgencyContext) -> Consent:
    """One consent as a case writes it: the words of a list of consents, `classes` a list, `[]` a refusal.

    Raises Unreadable.
    """
    known(value, CONSENT_KEYS)
    start, until = day(value, "from", agency.timezone), day(value, "until", agency.timezone, 1)
    if not value.get("person") or start is None:
        raise Unreadable("consents", "says whose records it is about (`person`) and `from` which day")
    classes = value.get("classes", [ORDINARY])
    if not isinstance(classes, list) or not set(map(str, classes)) <= GRANTABLE:
        rule = f"lists classes that a consent can let leave ({', '.join(sorted(GRANTABLE))}); none is a refusal"
        raise Unreadable("classes", rule)
    person, grantor = str(value["person"]), str(value.get("grantor", ""))
    own = Authority.SELF if grantor == person else Authority.UNSTATED
    try:
        authority = Authority(str(value.get("authority", own)))
        purpose = Purpose(str(value.get("purpose", Purpose.CARE_COORDINATION)))
    except ValueError:
        said = f"authority is one of {', '.join(Authority)}; purpose one of {', '.join(Purpose)}"
        raise Unreadable("authority", said) from None
    return Consent(
        id=number,
        agency=agency.id,
        person=person,
        practice=str(value.get("practice", practice)),
        start=start,
        until=until,
        classes=frozenset(map(str, classes)) | {ORDINARY} if classes else frozenset(),
        revoked=day(value, "revoked", agency.timezone),
        grantor="" if grantor == person else grantor,
        authority=authority,
        purpose=purpose,
        language=str(value.get("language", "")),
        document=str(value.get("form", "")),
        source="case",
    )


def day(value: Mapping[str, Any], key: str, zone: str, days: int = 0) -> int | None:
    """The first instant of a day, so many days later; None where it is not said. Raises Unreadable."""
    if value.get(key) is None:
        return None
    try:
        return start_of_day(str(value[key]), zone, days=days)
    except ValueError:
        raise Unreadable(key, "is a day, YYYY-MM-DD") from None


def known(value: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """Raises Unreadable for a key that is none."""
    for key in value:
        if key not in keys:
            raise Unreadable(str(key), f"there is only {', '.join(sorted(keys))}")
