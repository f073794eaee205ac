"""Plain words for states, reasons and answers, as agency staff and practices read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

RECORD = {
    "accepted": "received",
    "translated": "prepared",
    "held": "waits for an answer",
    "superseded": "replaced by a newer version",
}
ENTRY = {
    "ready": "waits its turn",
    "gathering": "waits for its roll-up",
    "behind": "waits behind another of its record",
    "sending": "is being sent",
    "delivered": "in the chart",
    "handed-over": "handed over, not confirmed yet",
    "held": "held back",
    "refused": "the practice's EHR does not permit it",
    "unknown": "sent; whether it arrived is being checked",
    "cancelled": "not sent",
    "retracted": "taken back",
}
TONE = {
    "delivered": "good",
    "translated": "good",
    "held": "waits",
    "refused": "bad",
    "unknown": "waits",
    "handed-over": "waits",
}
"""How a state is coloured, beside its words; others are plain."""

REASON = {
    "consent": "Consent",
    "link": "Which patient is this?",
    "table": "A code without a meaning",
    "record": "Something is missing in the record",
    "decision": "A person must decide",
    "capability": "No way into the practice's EHR",
    "content": "It cannot be written as it is",
    "practice": "No practice is known",
    "referral": "A referral from a practice",
    "duplicate": "It stands more than once in the chart",
    "notice": "For your information",
}
WAITS = {
    "consent": ("person", "people"),
    "link": ("person", "people"),
    "practice": ("person", "people"),
    "table": ("code", "codes"),
    "referral": ("referral", "referrals"),
}
"""What the cases of a reason are, one and many; else records."""

STEP = {
    "consent": "Record the signed consent below; what waits is sent then by itself.",
    "link": "Say below which patient this is, or take in the practice's list under “Lists”.",
}
"""What to do where these pages have a form for it; else the hold's own next step."""

ACTION = {
    "create": "a new {what}",
    "update": "a correction of the {what}",
    "replace": "a new {what} in place of the old one",
    "supersede": "a new {what} that says which earlier one it takes the place of",
    "retract": "that the {what} was entered in error",
    "disregard": "that the {what} is to be disregarded: it was entered in error",
}
ANSWER = {
    "done": "The EHR took it.",
    "accepted": "The EHR accepted it for later; it is looked for.",
    "retry-later": "The EHR could not take it at that moment; it is tried again.",
    "unknown": "No clear answer came back; it is looked for before anything is sent again.",
    "refused-unsupported": "The EHR does not take this kind of entry this way.",
    "refused-content": "The EHR did not take what was written.",
    "refused-policy": "The EHR does not permit this for this patient.",
    "refused-duplicate": "The EHR says that it stands there already; it is looked for.",
    "refused-patient": "The EHR says that this patient's chart is gone, merged or closed.",
    "refused-unclear": "The EHR's answer could not be understood.",
    "conflict": "Something changed in the chart meanwhile; it is read again first.",
    "connection-down": "The EHR did not let us sign in; it is tried again.",
    "unusable": "The answer cannot be used; it is asked again, and a person is asked if that stays so.",
}
SETTLED = {
    "looked": "It was looked for in the chart, and that settled it.",
    "not-sent": "It did not leave after all; it is tried again.",
    "not-now": "It did not leave: the EHR was not to be asked at that moment; it goes later.",
    "not-connected": "The EHR could not be reached, so it did not leave; it is tried again.",
    "no-login": "Nobody gave us a token for the EHR, so it did not leave; it is tried again.",
    "too-many": "The EHR said that it was asked too much and took nothing; it is tried again when it said.",
    "absent": "Somebody looked, and it is not there.",
    "never-came": "Somebody at the practice said that it never came; it is handed over anew.",
    "refused-later": "The practice's side said afterwards that it did not arrive, or was not taken.",
    "confirmed": "It was confirmed that the practice has it.",
    "lost": "The connection ended before an answer came; it is looked for before anything is sent again.",
}
"""Answers that are ours and not an EHR's, by their code."""

STAYED = frozenset({"not-sent", "not-now", "not-connected", "no-login"})
"""Codes of what provably never left."""

CLOSED = {
    "consent": "a consent arrived",
    "referral": "the practice sent its referral again",
    "link": "the practice's identifier arrived",
    "table": "the code has a meaning now",
    "planned": "it was prepared anew",
    "translated": "it was prepared anew",
    "withdrawn": "the agency withdrew the record",
    "record": "the record that was waited for came",
    "superseded": "a newer version of it came",
    "activation": "the mappings changed",
    "settings": "the settings changed",
    "command": "somebody answered it on the command line",
}
"""What closes a hold, where it is no person."""

BASIS = {"roster": "the practice's list", "referral": "the practice's referral", "person": "a person's decision"}
SOURCE = {"roster": "an imported list", "record": "the agency's record", "person": "a person, on these pages"}
AUTHORITY = {
    "": "not said",
    "self": "the person themselves",
    "parent": "parent",
    "guardian": "guardian",
    "state": "custody of the state",
}
CLASS = {
    "narrative": "notes",
    "caregiver-health": "the caregiver's health",
    "substance-use": "substance use treatment",
    "violence-location": "violence and places",
    "child-welfare": "child welfare",
}
"""What a consent can let leave beside facts."""

WHAT = {
    "DocumentReference": "document",
    "QuestionnaireResponse": "questionnaire",
    "CarePlan": "care plan",
    "CareTeam": "care team",
    "EpisodeOfCare": "episode of care",
    "ServiceRequest": "referral",
    "RelatedPerson": "related person",
}
"""What people call a FHIR type, where its own name is not what they call it."""

WRONG = {
    "wrong-chart": "It went to another patient's chart",
    "content": "The chart is right, and what it says is wrong",
}
"""Why something is recalled."""

BACK = {
    "marked": "is marked as entered in error in the chart",
    "superseded": "cannot be marked there: a new document in the chart asks to disregard it",
    "handed": "a word to disregard it is handed over, as it was itself",
    "packet": "a page asks to disregard it, which a person takes there",
    "person": "cannot be taken back from here: the practice is asked to withdraw it",
    "unread": "is taken back as the EHR lets us; what it takes was not read yet",
    "looked": "whether it arrived is not known: it is looked for, and taken back where it is",
    "nothing": "nothing: it stands there no more",
}
"""What a recall does about a document."""

SAID = {
    "consent-given": "The consent is recorded. What waited for it goes on now.",
    "consent-known": "This consent was recorded before; nothing was changed.",
    "consent-ended": "The consent has ended. What has not gone yet stays here.",
    "consent-suspended": "What others signed is suspended. Record the new consent once somebody who may has signed.",
    "consent-none": "There was no consent in force to end.",
    "link-made": "The chart is noted. What waited for it goes on now.",
    "link-again": "This was noted before; it is looked for in the practice's EHR once more.",
    "row-added": "The code has a meaning now. Records that go on: {count}.",
    "again": "It is looked at again. What is still missing will wait here again. Going on: {count}.",
    "stands": "Noted: it stands in the chart.",
    "absent": "Noted: it is not in the chart.",
    "drop": "Noted: it is not sent.",
    "leave": "Noted: it may leave as it is.",
    "send": "The record is sent as it is, as far as the family agreed.",
    "keep": "The record stays with the agency. Kept: {count}.",
    "handed-confirmed": "Noted: it is in the chart.",
    "handed-again": "It is handed over anew, under a new reference.",
    "placed": "The referral is placed; the practice's number of the patient is noted.",
    "declined": "Noted: the agency does not take this referral.",
    "closed": "Somebody answered this before; nothing was changed.",
    "imported": "The list is taken in.",
    "recalled": "It is being taken back, and both privacy contacts are told. Taken back now: {count}.",
    "recall-lifted": "The recall is lifted. What waits for the right chart is looked at again.",
}
"""What a page says after a form, by the word that stands in its address."""


def may_leave(classes: frozenset[str]) -> str:
    """What a consent to these classes lets leave, in words; a refusal where there are none."""
    more = [CLASS[name] for name in sorted(classes & CLASS.keys())]
    return " and ".join(["facts", *more]) if more else "facts only" if classes else "refused"


def step(hold: Mapping[str, Any], forms: Sequence[str]) -> Markup:
    """What to do about a hold, as a sentence; commands in it set apart."""
    if hold["reason"] in forms and hold["reason"] in STEP:
        return Markup("{}").format(STEP[hold["reason"]])
    text = str(hold["next_step"])
    pieces = f"{text[:1].upper()}{text[1:]}.".split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )


def what(resource_type: str) -> str:
    """What people call an entry of this FHIR type."""
    return WHAT.get(resource_type, resource_type.lower())


def cases(reason: str, count: int) -> str:
    """`3 people`, `1 record`."""
    one, many = WAITS.get(reason, ("record", "records"))
    return f"{count:,} {one if count == 1 else many}"


def closed_by(by: str, people: Mapping[str, str]) -> str:
    """What, or who, answered a hold; `people` are names by id."""
    return CLOSED.get(by) or (f"{people[by]} answered it" if by in people else "it was answered")


def moment(at: int, zone: str) -> str:
    """`22 Nov 2026, 14:05` in this zone; `at` in microseconds."""
    local = local_time(at, zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def day(at: int, zone: str) -> str:
    """`22 Nov 2026` in this zone."""
    local = local_time(at, zone)
    return f"{local.day} {local:%b %Y}"


def last_day(until: int, zone: str) -> str:
    """The last day that an exclusive end covers."""
    return day(until - 1, zone)


def iso(at: int) -> str:
    """For machines: the instant in UTC."""
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="seconds")


def local_time(at: int, zone: str) -> datetime:
    """The instant on the clocks of this zone."""
    return datetime.fromtimestamp(at // 1_000_000, ZoneInfo(zone))


def span(microseconds: int) -> str:
    """How long, in the one unit that says it best: `3 days`."""
    seconds = max(0, microseconds) // 1_000_000
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
