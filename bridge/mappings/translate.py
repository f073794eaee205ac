"""One record → its canonical FHIR parts, each about one person and labelled; or every hold it has, at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge import __version__
from bridge.errors import Problem, RecordError
from bridge.mappings import moments
from bridge.mappings.canonical import finished, part_id
from bridge.mappings.classes import SUPPRESSED
from bridge.mappings.fhirpath import EvaluationError
from bridge.mappings.functions import AgencyContext, Functions
from bridge.mappings.kinds import Kind
from bridge.mappings.labels import classes, suppressed, switched_off, with_brought
from bridge.mappings.load import Mappings
from bridge.mappings.mappingfile import RecordMapping
from bridge.mappings.parts import PartTemplate
from bridge.mappings.records import as_text, tidy, unwritable
from bridge.mappings.tables import Table
from bridge.mappings.template import ENGINE, Scope, scope_of
from bridge.model import Hold, HoldReason, Owner, Part, Translation, type_json

__all__ = ["AgencyContext", "Translator", "mapping_key"]

ENGINE_HASH = hashlib.sha256(f"bridge {__version__}, {ENGINE}".encode()).hexdigest()


_SAYING = {"text", "entry", "section"}  # a section without one of these is a title over nothing


def mapping_key(kind: str) -> str:
    """What a hold on a failing mapping waits for: another mapping of this kind."""
    return f"mapping:{kind}"


class Translator:
    """Translates records with one set of mappings. Holds no state of a record; any thread may use it."""

    def __init__(self, mappings: Mappings) -> None:
        self.mappings = mappings

    def translate(
        self,
        kind: str,
        record: type_json,
        agency: AgencyContext,
        rows: Mapping[str, Table] | None = None,
        *,
        decided: bool = False,
    ) -> Translation:
        """The parts of a record, or its holds and no part. A void record gives neither: nothing should stand.

        `rows` are tables of the rows that people at this agency added since, by full name. `decided` says that
        a person decided to send this record: what its mapping holds for a decision is held no more. Raises RecordError
        for a kind without a mapping and for a record that its kind's schema (as it is now) does not allow.
        """
        mapping = self.mappings.mappings.get(kind)
        if mapping is None:
            rule = "no mapping is in force for this kind"
            raise RecordError(Problem("record-kind", rule, field=kind, next_step="see `bridge mappings`"))
        its_kind = self.mappings.kinds[kind]
        plain = tidy(its_kind.strip(record))
        opened = its_kind.open(plain, agency.timezone)
        if opened.void:
            return self._translation((), ())
        if problems := its_kind.schema.problems(plain):
            raise RecordError(problems)
        day = "" if opened.when is None else moments.day_of(opened.when, agency.timezone)
        functions = Functions(agency, kind, opened.source_id, opened.people, mapping.tables, rows or {}, day)
        functions.value_sets = mapping.value_sets
        if unwritable(plain):
            rule = "a text of this record holds control characters that no document can carry"
            functions.hold(rule, "send the record again without them")
            return self._translation((), tuple(functions.holds.values()))
        program = opened.program or agency.program
        run = _Run(mapping, its_kind, functions, program, decided, its_kind.unsafe(plain))
        parts = tuple(run.parts(plain))
        if len({(part.about, part.role) for part in parts}) > len({part.about for part in parts}):
            rule = "one id stands for two people of this record, and what is one's would be in the other's chart"
            functions.hold(rule, "name each person by an id that nobody else of the agency has")
        holds = tuple(functions.holds.values())
        return self._translation(() if holds else parts, holds)

    def _translation(self, parts: tuple[Part, ...], holds: tuple[Hold, ...]) -> Translation:
        return Translation(parts, holds, (), self.mappings.hash, ENGINE_HASH)


@dataclass(frozen=True, slots=True)
class _Planned:
    """One part that will be rendered."""

    template: PartTemplate
    name: str
    about: str
    id: str
    scope: Scope


@dataclass(slots=True)
class _Run:
    """The translation of one record: first which parts there will be, for they may point at each other, then each."""

    mapping: RecordMapping
    kind: Kind
    functions: Functions
    program: str
    decided: bool
    unsafe: bool = False
    made: dict[str, dict[str, Part]] = field(default_factory=dict)  # person → reference → what was made so far

    def parts(self, record: type_json) -> Iterator[Part]:
        agency = self.functions.agency
        given = {"agency": {"id": agency.id, "name": agency.name, "phone": agency.phone, "language": agency.language}}
        try:
            scope = scope_of(record, given, self.functions)
            off = switched_off(self.mapping.labels, record, scope)
            rules = [one for one in self.mapping.holds if not (self.decided and one.reason is HoldReason.DECISION)]
            waiting = [one for one in rules if one.when.holds(scope)]
        except EvaluationError as error:
            self._failed("", error)
            return
        for held in waiting:
            self.functions.hold(held.rule, held.next_step, held.reason)
        if waiting:
            return
        planned: list[_Planned] = []
        for template in self.mapping.parts:
            try:
                planned.extend(self._planned(template, scope))
            except EvaluationError as error:
                self._failed(template.name, error)
        self.functions.siblings = {
            (one.template.name, one.name.removeprefix(one.template.name + "-")): (one.template.type, one.id)
            for one in planned
        }
        for one in planned:
            try:
                part = self._part(one, off)
                if part is not None:
                    yield part
            except EvaluationError as error:
                self._failed(one.template.name, error)

    def _planned(self, template: PartTemplate, scope: Scope) -> Iterator[_Planned]:
        functions = self.functions
        seen: set[str] = set()
        for item in template.each.evaluate(scope) if template.each else [None]:
            its_scope = scope if template.each is None else scope.with_variables(item=item)
            if template.when is not None and not template.when.holds(its_scope):
                continue
            name = template.name
            if template.each is not None:
                key = template.key.values(its_scope)
                if len(key) != 1 or isinstance(key[0], dict) or as_text(key[0]) in seen:
                    rule = f"an entry that becomes a {template.type} has no id of its own, or shares it with another"
                    functions.hold(rule, "give each entry its own id, and keep it from version to version")
                    continue
                seen.add(as_text(key[0]))
                name = f"{template.name}-{as_text(key[0])}"
            about = self._about(template, its_scope)
            if not about and not template.sections:
                self._nobody(template.about)
            else:
                id_ = part_id(functions.agency.id, self.kind.name, functions.source_id, name, template.type, about)
                yield _Planned(template, name, about, id_, its_scope)

    def _about(self, template: PartTemplate, scope: Scope) -> str:
        """The one person a part is about, "" where the record leaves it open."""
        known = self.functions.people.get(template.about, ())
        found = known if template.person is None else tuple(map(as_text, template.person.values(scope)))
        return found[0] if len(found) == 1 and found[0] in known else ""

    def _nobody(self, role: str) -> None:
        rule = f"a fact of this record is about the {role}, and it does not say who that is"
        self.functions.hold(rule, f"name one {role} in the record")

    def _part(self, planned: _Planned, off: frozenset[int]) -> Part | None:
        """The part; None for a document that has nothing to say (no section came about)."""
        template, labels = planned.template, self.mapping.labels
        self.functions.about, self.functions.role = planned.about, template.about
        earlier = self.made.get(planned.about, {})
        brought = template.brings(earlier.values())
        scope = planned.scope
        if template.resolves:
            scope = scope.with_references({name: part.resource for name, part in earlier.items()})
        sections: list[Any] = []
        section_classes: list[frozenset[str]] = []
        for section in template.sections:
            entries = [one for one in section.template.render(scope) or [] if _SAYING & one.keys()]
            sections.extend(entries)
            section_classes.extend(with_brought(classes(section.labels, labels, off), brought) for _ in entries)
        if template.sections and not sections:
            return None
        if not planned.about:
            self._nobody(template.about)
            return None
        made: dict[str, Any] = template.body.render(scope)
        if sections:
            made["section"] = sections
        positions = template.always.union(*(template.elements.get(key, frozenset()) for key in made))
        its_classes = with_brought(classes(positions, labels, off), brought)
        if self.unsafe:
            its_classes, section_classes = suppressed(its_classes), [suppressed(one) for one in section_classes]
        resource = finished(
            made,
            id_=planned.id,
            agency=self.functions.agency.id,
            program=self.program,
            business_id=f"{self.kind.name}/{self.functions.source_id}/{planned.name}",
            # of a Patient it is remembered with the person, for what is sent of them later
            classes=its_classes | {SUPPRESSED} if self.unsafe and template.type == "Patient" else its_classes,
        )
        part = Part(planned.name, planned.about, template.about, resource, its_classes, tuple(section_classes))
        self.made.setdefault(planned.about, {})[f"{part.type}/{planned.id}"] = part
        return part

    def _failed(self, part: str, error: EvaluationError) -> None:
        place = ".".join(filter(None, (part, error.position.path)))
        rule = f"the mapping {self.mapping.name} failed on this record" + (f" at {place}" if place else "")
        step = "correct the mapping, try it, and activate it"
        self.functions.hold(rule, step, waits_for=mapping_key(self.kind.name), owner=Owner.ENGINEER)
