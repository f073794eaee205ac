"""The states and codes of what travels the line."""

from __future__ import annotations

from enum import StrEnum


class RecordState(StrEnum):
    """Where one version of one thing an agency said stands."""

    ACCEPTED = "accepted"  # kept; not translated yet, or not final
    TRANSLATED = "translated"  # its parts are kept and its entries planned
    HELD = "held"  # a person or a table row is waited for
    SUPERSEDED = "superseded"  # a newer version was accepted, or this one came late


class EntryState(StrEnum):
    """Where one thing that should stand in one chart stands."""

    READY = "ready"  # may be sent when its lane is claimed and its time has come
    SENDING = "sending"  # a step's key is in the ledger; its request may have left
    DELIVERED = "delivered"  # what stands is what should stand
    HANDED_OVER = "handed-over"  # given to an engine or a person; not confirmed yet
    HELD = "held"  # a hold says what is waited for
    REFUSED = "refused"  # the EHR's policy said no; a person decides, never another door
    UNKNOWN = "unknown"  # the answer was lost; looked for, never resent blind
    CANCELLED = "cancelled"  # nothing should stand and nothing ever stood
    RETRACTED = "retracted"  # nothing should stand: what stood is marked entered-in-error, or asked to be disregarded


UNRESOLVED = (EntryState.READY, EntryState.SENDING, EntryState.HELD, EntryState.UNKNOWN, EntryState.REFUSED)


class Fate(StrEnum):
    """What became of one item at the intake door."""

    NEW = "new"
    RESEND = "resend"
    VERSION = "version"
    OLDER = "older"
    UNFINISHED = "unfinished"
    VOID = "void"
    REJECTED = "rejected"


class Action(StrEnum):
    """What one step does to a chart."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"  # a new document that says which one it replaces
    SUPERSEDE = "supersede"  # a new document whose first line names the one it takes the place of, which stays
    RETRACT = "retract"  # mark what stands entered-in-error; carries no clinical content
    DISREGARD = "disregard"  # a new document asking to disregard what stands; carries no clinical content


DOCUMENTS = (Action.CREATE, Action.REPLACE, Action.SUPERSEDE, Action.DISREGARD)
"""What makes a new document: one whose answer is lost is looked for by its own delivery reference."""

WITHDRAWALS = (Action.RETRACT, Action.DISREGARD)
"""What takes back: a correction that no consent and no link is asked for."""


class Interaction(StrEnum):
    """A FHIR interaction, in the CapabilityStatement's own codes."""

    READ = "read"
    SEARCH = "search-type"
    CREATE = "create"
    UPDATE = "update"


class AnswerClass(StrEnum):
    """What an EHR's answer means for the step (design: "Answers")."""

    DONE = "done"
    ACCEPTED = "accepted"  # 202: taken, not delivered; look
    RETRY_LATER = "retry-later"  # provably not accepted
    UNKNOWN = "unknown"  # may have been accepted
    UNSUPPORTED = "refused-unsupported"
    CONTENT = "refused-content"
    POLICY = "refused-policy"
    DUPLICATE = "refused-duplicate"
    PATIENT = "refused-patient"
    UNCLEAR = "refused-unclear"
    UNUSABLE = "unusable"  # nothing changed, and nothing comes of asking the same again
    CONFLICT = "conflict"
    CONNECTION_DOWN = "connection-down"


class HoldReason(StrEnum):
    """What a hold waits for."""

    CONSENT = "consent"
    LINK = "link"
    TABLE = "table"  # a code without a row in its table
    RECORD = "record"  # another record must come first
    DECISION = "decision"  # a person must decide
    CAPABILITY = "capability"  # no enabled route into this EHR
    CONTENT = "content"  # our output or the EHR's reading of it is at fault
    PRACTICE = "practice"  # no practice is known for this person
    REFERRAL = "referral"  # a practice referred somebody: the agency says who it is
    NOTICE = "notice"  # nothing: somebody is told


class Owner(StrEnum):
    """Who can answer a hold."""

    AGENCY = "agency"
    PRACTICE = "practice"
    ENGINEER = "engineer"


class Weight(StrEnum):
    """How much a record weighs for a practice that does not want each note at once."""

    USUAL = ""
    SIGNIFICANT = "significant"
    URGENT = "urgent"
