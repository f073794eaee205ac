"""What a record of one kind is: its shape, its id, whose it is, when it is final or void, what is never collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bridge.errors import Problem, RecordError
from bridge.mappings import moments
from bridge.mappings.classes import GRANTABLE, NARRATIVE, ORDINARY
from bridge.mappings.records import DEEPEST, halved, text_at, texts_at, tidy, unwritable, values_at, within, without
from bridge.mappings.schema import Field, Schema
from bridge.model import Authority, Purpose, Terms, Weight, type_json


@dataclass(frozen=True, slots=True)
class Rule:
    """True of a record whose field holds one of the listed values."""

    path: Field
    among: frozenset[Any]

    def holds(self, record: type_json) -> bool:
        return any(value in self.among for value in values_at(record, self.path) if not isinstance(value, dict | list))


@dataclass(frozen=True, slots=True)
class Opened:
    """What the door needs to know of a record. `when` is microseconds UTC, None where the record has no such time.

    `people` holds, for each role the kind names, the agency's ids of those persons (mostly one, sometimes none).
    """

    source_id: str
    version: str
    subject: str
    people: Mapping[str, tuple[str, ...]]
    when: int | None
    practice: str
    program: str
    final: bool
    void: bool
    weight: Weight = Weight.USUAL


@dataclass(frozen=True, slots=True)
class Permission:
    """A consent as the agency's record gives it; instants in microseconds UTC, `until` exclusive, None without end."""

    person: str
    practice: str
    start: int
    until: int | None
    revoked: int | None
    terms: Terms = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsentPaths:
    """Where a kind that carries consents keeps them."""

    person: tuple[Field, ...]
    practice: Field
    start: Field
    until: Field | None = None
    revoked: Field | None = None
    narrative: Field | None = None  # true = the class `narrative`
    classes: Field | None = None
    refused: Field | None = None  # true = the family said no
    grantor: Field | None = None
    authority: Field | None = None
    purpose: Field | None = None
    language: Field | None = None
    document: Field | None = None

    @property
    def paths(self) -> tuple[Field, ...]:
        """Every field that a consent is read from."""
        single = (getattr(self, one.name) for one in fields(self) if one.name != "person")
        return (*self.person, *(path for path in single if path is not None))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record, as its `*.kind.yaml` declares it; of several `subject` places the first filled counts."""

    name: str
    title: str
    schema: Schema = field(repr=False)
    id: Field
    subject: tuple[Field, ...]
    people: Mapping[str, Field]
    version: Field | None = None
    version_as: str = "instant"
    when: Field | None = None
    practice: Field | None = None
    program: Field | None = None
    final: Rule | None = None
    void: Rule | None = None
    urgent: tuple[Rule, ...] = ()  # goes at once whatever a practice's cadence
    significant: tuple[Rule, ...] = ()  # what a practice is sent that wants significant records only
    never: tuple[Field, ...] = ()
    agency_only: tuple[Field, ...] = ()
    consent: ConsentPaths | None = None
    custody: tuple[Field, ...] = ()  # who may consent for the subject: a change suspends what others signed
    safety: Field | None = None  # true: the record's person must not be found; the field itself is read by no mapping
    before_consent: bool = False  # the bare status of the practice's own referral (R26)

    def unsafe(self, record: type_json) -> bool:
        """Whether the record says that its person must not be found."""
        return self.safety is not None and True in values_at(record, self.safety)

    def strip(self, record: type_json) -> type_json:
        """The record without the fields this kind never collects, at any depth and in any list (R24, R27)."""
        kept = without(record, self.never, ())
        return kept if isinstance(kept, dict) else {}

    def check(self, record: type_json) -> list[Problem]:
        """What is wrong with a stripped record by the kind's schema: JSON pointers and rules, never a value.

        Fields that say nothing (null, blank text, empty lists) count as absent. What is nested too deeply to be walked
        is refused here, and must not go further: `strip` has not looked into it.
        """
        if not within(record, DEEPEST):
            return [Problem("record-depth", f"is nested more than {DEEPEST} deep", "/")]
        if halved(record):
            return [Problem("record-text", "holds half of a character, which is no text", "/")]
        return self.schema.problems(tidy(record))

    def open(self, record: type_json, timezone: str) -> Opened:
        """What the door needs to know of a record that `check` found no fault in.

        Raises RecordError where the record has no id, no subject, control characters in what names it, or a version or
        time that cannot be read.
        """
        source_id = text_at(record, self.id)
        subject = next((found for found in (text_at(record, path) for path in self.subject) if found), "")
        version = text_at(record, self.version)
        problems = [
            Problem("record-unnamed", "is missing or empty", "/" + "/".join(path), ".".join(path))
            for path, value in ((self.id, source_id), (self.subject[0], subject))
            if not value
        ]
        practice, program = text_at(record, self.practice), text_at(record, self.program)
        people = {role: tuple(texts_at(record, path)) for role, path in self.people.items()}
        if unwritable(
            [source_id, version, subject, practice, program, *people.values()]
        ):  # no ledger column takes them
            problems.append(
                Problem("record-control", "an id, version or code holds control characters", "/", self.name)
            )
        when: int | None = None
        try:
            self.order(version, timezone)
            when = self._instant(record, self.when, timezone)
        except ValueError:
            problems.append(
                Problem("record-unordered", "the version or the time of this record cannot be read", "/", self.name)
            )
        if problems:
            raise RecordError(problems)
        return Opened(
            source_id=source_id,
            version=version,
            subject=subject,
            people=people,
            when=when,
            practice=practice,
            program=program,
            final=self.final is None or self.final.holds(record),
            void=self.void is not None and self.void.holds(record),
            weight=self.weight(record),
        )

    def weight(self, record: type_json) -> Weight:
        """How much a practice's cadence lets it wait; what is urgent is significant too."""
        if any(rule.holds(record) for rule in self.urgent):
            return Weight.URGENT
        return Weight.SIGNIFICANT if any(rule.holds(record) for rule in self.significant) else Weight.USUAL

    def order(self, version: str, timezone: str = "UTC") -> int:
        """A number that is larger for a later version of the same record; 0 for none. Raises ValueError."""
        if not version:
            return 0
        return int(version) if self.version_as == "integer" else moments.to_microseconds(version, timezone)

    def permission(self, record: type_json, timezone: str) -> Permission | None:
        """The consent this record gives or takes back; None for kinds without consents.

        A day begins at local midnight; `until` names the last day or instant that is covered. Raises RecordError.
        """
        paths = self.consent
        if paths is None:
            return None
        person = next((found for found in (text_at(record, path) for path in paths.person) if found), "")
        start, until, revoked = (text_at(record, path) for path in (paths.start, paths.until, paths.revoked))
        try:
            return Permission(
                person=person,
                practice=text_at(record, paths.practice),
                start=moments.start_of_day(start, timezone),
                until=moments.start_of_day(until, timezone, days=1) if until else None,
                revoked=moments.start_of_day(revoked, timezone) if revoked else None,
                terms=self._terms(record, paths, person),
            )
        except ValueError:
            rule = "the days, the authority or the purpose of this consent cannot be read"
            raise RecordError(Problem("record-consent-unreadable", rule, "/", self.name)) from None

    def _terms(self, record: type_json, paths: ConsentPaths, person: str) -> Terms:
        """Who signed and what for; a class nobody can grant is none. Raises ValueError."""
        grantor = text_at(record, paths.grantor)
        authority, purpose = text_at(record, paths.authority), text_at(record, paths.purpose)
        own = Authority.SELF if grantor == person else Authority.UNSTATED
        return Terms(
            classes=self._classes(record, paths),
            grantor="" if grantor == person else grantor,
            authority=Authority(authority) if authority else own,
            purpose=Purpose(purpose) if purpose else Purpose.CARE_COORDINATION,
            language=text_at(record, paths.language),
            document=text_at(record, paths.document),
        )

    @staticmethod
    def _classes(record: type_json, paths: ConsentPaths) -> frozenset[str]:
        """The classes it lets leave; none where it is a refusal, and never one that another field of it denies."""
        if paths.refused is not None and values_at(record, paths.refused) == [True]:
            return frozenset()
        named = frozenset(texts_at(record, paths.classes)) if paths.classes is not None else frozenset()
        words = values_at(record, paths.narrative) if paths.narrative is not None else []
        named = named | {NARRATIVE} if words == [True] else named - {NARRATIVE} if words == [False] else named
        return (named | {ORDINARY}) & GRANTABLE

    def custodian(self, record: type_json) -> str | None:
        """Who may consent for the record's subject, in whatever words it says so; None for kinds that do not say."""
        return "\x1f".join(text_at(record, path) for path in self.custody) if self.custody else None

    def _instant(self, record: type_json, path: Field | None, timezone: str) -> int | None:
        text = text_at(record, path)
        return moments.to_microseconds(text, timezone) if text else None
