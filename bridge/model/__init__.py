"""The frozen shapes that travel the line, and their states.

Instants are integer microseconds UTC everywhere but in records and FHIR resources themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.errors import Problem
from bridge.model.states import DOCUMENTS as DOCUMENTS
from bridge.model.states import UNRESOLVED as UNRESOLVED
from bridge.model.states import WITHDRAWALS as WITHDRAWALS
from bridge.model.states import Action as Action
from bridge.model.states import AnswerClass as AnswerClass
from bridge.model.states import EntryState as EntryState
from bridge.model.states import Fate as Fate
from bridge.model.states import HoldReason as HoldReason
from bridge.model.states import Interaction as Interaction
from bridge.model.states import Owner as Owner
from bridge.model.states import RecordState as RecordState
from bridge.model.states import Weight as Weight

type_json = dict[str, Any]
"""A JSON object (a record or a FHIR resource)."""


# ── accept ────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Item:
    """One record as the door read it: the agency's own words without the fields its kind never collects.

    `raw` is canonical JSON (UTF-8, sorted keys); `digest` its SHA-256 in hex. `version` is the agency's own version or
    "" where the kind declares none; `when` the clinical instant in microseconds, None where the record has none.
    """

    agency: str
    program: str
    kind: str
    source_id: str
    version: str
    subject: str
    when: int | None
    final: bool
    void: bool
    digest: str
    raw: bytes = field(repr=False)
    practice: str = ""  # the practice the record itself names for its subject, where the kind declares one
    weight: Weight = Weight.USUAL


@dataclass(frozen=True, slots=True)
class Accepted:
    """The door's answer for one item, in the order asked."""

    index: int
    fate: Fate
    record: int | None = None
    problem: Problem | None = None

    def as_dict(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"index": self.index, "fate": self.fate.value}
        if self.record is not None:
            answer["record"] = self.record
        if self.problem is not None:
            answer["problem"] = self.problem.as_dict()
        return answer


# ── translate ─────────────────────────────────────────────────────────────────────────────────────────────────────
class Severity(StrEnum):
    """How bad a finding is; the FHIR issue severities that we use."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a check noticed about a part; names the place and the rule, never a value."""

    code: str
    severity: Severity
    path: str
    rule: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is waited for, who can answer, and the key whose arrival re-runs exactly what waited.

    `waits_for` is made by the `*_key` functions of the stage that holds; `rule` and `next_step` are shown to a person.
    """

    reason: HoldReason
    waits_for: str
    owner: Owner
    rule: str
    next_step: str


CONSENT_ENDED = "bridge/consent-ended"
"""The kind of the entry that tells a practice that no consent is in force any more; no record's."""
AHEAD = 36 * 3600 * 1_000_000
"""Microseconds by which a clinical time may lie ahead of a record's arrival: for zones and early charting."""

GUARDED = "guard:"
"""How the key of a hold begins that asks a person to read what would leave."""


@dataclass(frozen=True, slots=True)
class Part:
    """One canonical FHIR resource made from a record, about exactly one person.

    `about` is the agency's id of that person, `role` the mapping's name for them. `labels` are the classes of the
    part outside its sections; `sections` those of each `Composition.section`, in order (empty for other types): release
    withholds a section alone where it can, else the part.
    """

    name: str
    about: str
    role: str
    resource: type_json = field(repr=False)
    labels: frozenset[str] = frozenset({"ordinary"})
    sections: tuple[frozenset[str], ...] = ()

    @property
    def type(self) -> str:
        """The FHIR resource type."""
        return str(self.resource["resourceType"])

    def as_dict(self) -> type_json:
        """The part as the ledger keeps it."""
        sections = [sorted(labels) for labels in self.sections]
        return {
            "name": self.name,
            "about": self.about,
            "role": self.role,
            "resource": self.resource,
            "labels": sorted(self.labels),
            "sections": sections,
        }

    @classmethod
    def from_dict(cls, kept: type_json) -> Part:
        """The part that `as_dict` made this of."""
        sections = tuple(frozenset(labels) for labels in kept["sections"])
        return cls(kept["name"], kept["about"], kept["role"], kept["resource"], frozenset(kept["labels"]), sections)


@dataclass(frozen=True, slots=True)
class Translation:
    """What a mapping made of one record: parts or holds, with findings, and the hashes it came about with."""

    parts: tuple[Part, ...]
    holds: tuple[Hold, ...]
    findings: tuple[Finding, ...]
    mapping_hash: str
    engine_hash: str
    definitions_hash: str = ""


# ── release ───────────────────────────────────────────────────────────────────────────────────────────────────────
class Authority(StrEnum):
    """By what right somebody consents for a person."""

    SELF = "self"  # the person: an adult, or a minor where the service is theirs to consent to
    PARENT = "parent"
    GUARDIAN = "guardian"
    STATE = "state"  # custody of the state
    UNSTATED = "unstated"  # the form does not say: the person, if of age on its first day; else counted as a parent


class Purpose(StrEnum):
    """What a consent is for; one for another purpose does not cover."""

    CARE_COORDINATION = "care-coordination"  # what the line itself is for
    TREATMENT = "treatment"


@dataclass(frozen=True, slots=True)
class Terms:
    """What one signed form says: who by which right, which label classes, what for, in which language.

    No classes at all is a recorded refusal; any others always include `ordinary`. `grantor` is the agency's id of who
    signed, "" where it is the person or the form names nobody. `document` is where the form is kept, or its number.
    """

    classes: frozenset[str] = frozenset({"ordinary"})
    grantor: str = ""
    authority: Authority = Authority.UNSTATED
    purpose: Purpose = Purpose.CARE_COORDINATION
    language: str = ""
    document: str = ""

    def as_dict(self) -> type_json:
        """The terms as the ledger keeps them, encrypted."""
        return {
            "classes": sorted(self.classes),
            "grantor": self.grantor,
            "authority": self.authority.value,
            "purpose": self.purpose.value,
            "language": self.language,
            "document": self.document,
        }

    @classmethod
    def from_dict(cls, kept: type_json) -> Terms:
        """The terms that `as_dict` made this of."""
        return cls(
            frozenset(kept["classes"]),
            kept["grantor"],
            Authority(kept["authority"]),
            Purpose(kept["purpose"]),
            kept["language"],
            kept["document"],
        )


@dataclass(frozen=True, slots=True)
class Consent:
    """One form about one person's records and one practice; instants in microseconds, `until` exclusive.

    `revoked` is when it was taken back; `suspended` when who may consent came into question; `recorded` when the
    ledger came to know it: of two forms of one grantor from the same day the one recorded later counts.
    """

    id: int
    agency: str
    person: str
    practice: str
    start: int
    until: int | None
    classes: frozenset[str]
    revoked: int | None = None
    suspended: int | None = None
    grantor: str = ""
    authority: Authority = Authority.UNSTATED
    purpose: Purpose = Purpose.CARE_COORDINATION
    language: str = ""
    document: str = ""
    source: str = ""  # roster | record | person | fhir
    recorded: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """May this leave now: the answer, its reason, the consents it rests on.

    `classes` are the label classes that may leave: empty unless permitted, and then `ordinary` is among them.
    `until` is the first instant at which time alone may change a permit, `from_later` that at which it gives one.
    `part2`: every consent it rests on is a written one that names substance-use treatment, who signed and by which
    right (42 CFR 2.31 asks for these elements; a class alone does not say them).
    """

    permit: bool
    classes: frozenset[str]
    reason: str
    consents: tuple[int, ...] = ()
    from_later: int | None = None
    until: int | None = None
    part2: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The parts that may leave for one person and practice, and how many parts and sections stayed behind."""

    parts: tuple[Part, ...]
    withheld: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Link:
    """The practice's own identifier for a person; certain only from these bases (design: "link")."""

    id: int
    agency: str
    person: str
    practice: str
    system: str
    value: str = field(repr=False)
    basis: str  # referral | roster | person
    patient: str = ""  # the EHR's own Patient id, once matched
    matched: int = 0  # when that was


# ── route and send ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Allowed:
    """May we use this interaction, and why we believe so (statement, vendor, site, learned)."""

    yes: bool
    because: str


@dataclass(frozen=True, slots=True)
class Route:
    """How one entry reaches one chart. `resource_type` is what is written there; `parts` the parts it is made of."""

    name: str  # "document" or the part's name for a discrete write
    kind: str  # document | handoff | discrete
    resource_type: str
    parts: tuple[str, ...]
    rank: int  # order within the thread: what is referred to comes first


@dataclass(frozen=True, slots=True)
class Planned:
    """One entry that should stand, or the hold that says why it has no way in yet."""

    route: Route
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands in the chart, as far as the ledger knows; `patient` is the EHR's id of whose chart it is, or ""."""

    id: str
    version: str = ""
    digest: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to an EHR, relative to its FHIR base. Bodies are JSON bytes."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


class Failure(StrEnum):
    """A request that brought no HTTP answer."""

    NOT_CONNECTED = "not-connected"  # it provably never left
    NO_LOGIN = "no-login"  # it provably never left: no token could be had for it
    NOT_NOW = "not-now"  # it was kept back: the connection's budget is spent, or it is down
    UNSENDABLE = "unsendable"  # it provably never left: no request can be made of it
    LOST = "lost"  # it left, or may have
    UNREAD = "unread"  # it was answered, and the answer is too large, or not packed as asked for


NEVER_LEFT = (Failure.NOT_CONNECTED, Failure.NO_LOGIN, Failure.NOT_NOW, Failure.UNSENDABLE)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: an HTTP status with headers (lower-case names) and body, or a failure and no status.

    `why` says more of a failure, in a word of ours.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    failure: Failure | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response read for one step. `code` says which row of the table decided; `after` is microseconds to wait.

    `left` is False where the request provably never did: that was no attempt.
    """

    kind: AnswerClass
    code: str
    status: int = 0
    after: int | None = None
    stands: Stands | None = None
    issues: tuple[str, ...] = ()  # OperationOutcome codes and expressions, never diagnostics text
    left: bool = True
