"""The closed list of our own functions: what FHIRPath has no word for.

    %tables.lookup('table', code)       the target code of the agency's code
    %tables.coding('table', code)       its Coding; `concept` its CodeableConcept, `words` what people call it
    person('role')                      references to the Patient of those in that role
    person('role', 'RelatedPerson')     … to what they are to the person this part is about
    part('name'[, key])                 references to sibling parts of this record; of those of an `each`, one by key
    instant(moment[, zone])             a FHIR dateTime with offset, from the wall clock of the agency or of `zone`
    wall_time(moment[, zone])           the moment as people read it there
    language(tag)                       the CodeableConcept of a language tag
    narrative(text[, language])         a Narrative: each text a paragraph, escaped, its language on it
    translation(language, text)         the Extension that says an element's text in another language

A code without a row and a time that never was are collected as holds; the function then gives nothing, and the rest of
the record is still tried, so that a person sees all there is to answer at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from bridge.fhir.terminology import Members
from bridge.fhir.translation import translation
from bridge.mappings import moments
from bridge.mappings.canonicals import TABLE
from bridge.mappings.fhirpath import REGISTRY, Example, Function, Style
from bridge.mappings.fhirpath.values import as_json
from bridge.mappings.identity import person_id, related_id
from bridge.mappings.records import as_text
from bridge.mappings.tables import Row, Table, row_on, table_key
from bridge.model import Hold, HoldReason, Owner

Values = list[Any]

_NONE = Table("")
_LINE_BREAK = re.compile(r"\r\n|[\r\n\x0b\x0c\u2028\u2029]")


def record_key(agency: str, kind: str, source_id: str) -> str:
    """What a hold waits for that only this record itself can answer."""
    return f"record:{agency}:{kind}:{source_id}"


@dataclass(frozen=True, slots=True)
class AgencyContext:
    """What a mapping may know of the agency a record came from."""

    id: str
    name: str
    program: str
    timezone: str
    language: str = "en"
    phone: str = ""


@dataclass(slots=True)
class Functions:
    """Our functions for one part of one record.

    `tables` goes by the short names the mapping uses, `rows` (added since by people) by full names, `siblings` by
    (part name, key) to (FHIR type, id). `day` is the record's own at the agency, "" where it has none. `about` is the
    person of the part that is being made, in the role `role`.
    """

    agency: AgencyContext
    kind: str
    source_id: str
    people: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Table]
    rows: Mapping[str, Table]
    day: str = ""
    siblings: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    value_sets: Mapping[str, Members] = field(default_factory=dict)
    about: str = ""
    role: str = ""
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)

    def lookup(self, table: Values, code: Values) -> Values:
        return [row.target for row in self._rows(table, code)]

    def coding(self, table: Values, code: Values) -> Values:
        return [row.coding() for row in self._rows(table, code)]

    def concept(self, table: Values, code: Values) -> Values:
        return [row.concept() for row in self._rows(table, code)]

    def words(self, table: Values, code: Values) -> Values:
        return [row.words for row in self._rows(table, code)]

    def person(self, role: Values, as_what: Values | None = None) -> Values:
        references = []
        for person in [self.about] if role[0] == self.role else self.people.get(role[0], ()):
            if as_what == ["RelatedPerson"]:
                references.append(f"RelatedPerson/{related_id(self.agency.id, person, self.about)}")
            else:
                references.append(f"Patient/{person_id(self.agency.id, person)}")
        return [{"reference": reference} for reference in references]

    def part(self, name: Values, key: Values | None = None) -> Values:
        return [
            {"reference": f"{type_}/{id_}"}
            for (sibling, its_key), (type_, id_) in self.siblings.items()
            if sibling == name[0] and (key is None or its_key in map(as_text, key))
        ]

    def instant(self, moment: Values, zone: Values | None = None) -> Values:
        return self._moments(moments.to_fhir, moment, zone)

    def wall_time(self, moment: Values, zone: Values | None = None) -> Values:
        return self._moments(moments.to_wall_clock, moment, zone)

    def language(self, tag: Values) -> Values:
        return [{"coding": [{"system": "urn:ietf:bcp:47", "code": one}]} for one in tag]

    def narrative(self, text: Values, language: Values | None = None) -> Values:
        if not text:
            return []
        spoken = f' xml:lang="{escape(str(language[0]))}" lang="{escape(str(language[0]))}"' if language else ""
        lines = ("<br/>".join(map(_escaped, _LINE_BREAK.split(str(one)))) for one in text)
        paragraphs = "".join(f"<p>{line}</p>" for line in lines)
        return [
            {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"{spoken}>{paragraphs}</div>'}
        ]

    def translation(self, language: Values, text: Values) -> Values:
        if not language:
            return []
        return [translation(str(language[0]), str(one)) for one in text]

    def member(self, value_set: str, system: str, code: str) -> bool | None:
        """What memberOf() asks: whether a value set has a code, or a table (`table:NAME`) a row for the agency's code.

        A code without a system is looked for in every system of the set. None for a value set that is not known.
        """
        if value_set.startswith(TABLE):
            table = self.tables[value_set.removeprefix(TABLE)]
            return system in ("", table.about.system) and self._row(table, code) is not None
        members = self.value_sets.get(value_set)
        if members is None:
            return None
        return code in members.get(system, ()) if system else any(code in codes for codes in members.values())

    def hold(
        self,
        rule: str,
        next_step: str,
        reason: HoldReason = HoldReason.CONTENT,
        waits_for: str = "",
        owner: Owner = Owner.AGENCY,
    ) -> None:
        """Keep a hold, once; without `waits_for` it waits for this record: for another version, or a decision on it."""
        key = waits_for or record_key(self.agency.id, self.kind, self.source_id)
        self.holds.setdefault((key, rule), Hold(reason, key, owner, rule, next_step))

    def _rows(self, table: Values, codes: Values) -> list[Row]:
        name = str(table[0])
        known = self.tables[name]
        found = []
        for code in map(str, codes):
            row = self._row(known, code)
            if row is not None:
                found.append(row)
            else:
                self._no_row(name, known, code)
        return found

    def _row(self, table: Table, code: str) -> Row | None:
        added = self.rows.get(table.name)
        if added is None and not table.dated:
            return table.rows.get(code)
        return row_on(self.day, code, added or _NONE, table)

    def _no_row(self, name: str, table: Table, code: str) -> None:
        rule = f"this record holds a code that has no row in the table {name}"
        step = "say what the code means by adding a row, or correct the code in the record"
        if code in table.rows or code in self.rows.get(table.name, _NONE).rows:
            if self.day:
                rule = f"this record holds a code that has rows in the table {name}, and none for the day of the record"
                step = "say what the code meant on that day by adding a row with a period, or correct the record"
            else:
                rule = f"this record holds a code that means one thing or another by the day (table {name}), and no day"
                step = "send the record with its time, or add a row without a period for records that have none"
        self.hold(rule, step, HoldReason.TABLE, table_key(self.agency.id, table.name, code))

    def _moments(self, make: Callable[[str, str], str], moment: Values, zone: Values | None) -> Values:
        found = []
        for one in moment:
            try:
                found.append(make(str(one), str(zone[0]) if zone else self.agency.timezone))
            except moments.NoSuchTime:
                rule = "a time of this record never was: the clocks went forward over it"
                self.hold(rule, "correct the time, or send it with its offset from UTC")
            except ValueError:
                rule = "a day or time of this record cannot be read"
                self.hold(rule, "write it as 2026-01-05 or 2026-01-05T14:30")
        return found


def _escaped(line: str) -> str:
    return escape(line, quote=False)


def _called(name: str) -> Callable[..., list[object]]:
    """One of our functions as the engine calls it: whole collections, as plain JSON."""

    def call(functions: Functions, *arguments: list[object]) -> list[object]:
        plain = [[one if one.__class__ is str else as_json(one) for one in given] for given in arguments]
        made: list[object] = getattr(functions, name)(*plain)
        return made

    return call


def _declared(usage: str, least: int, most: int, *failures: str, on: str = "", example: Example) -> Function:
    name = usage[: usage.index("(")]
    return Function(
        name,
        usage,
        Style.COLLECTION,
        _called(name),
        least,
        most,
        context=True,
        on=on,
        alone=not on,
        failures=failures,
        examples=(example,),
    )


_NO_ROW = "a code has no row: the record is held until there is one"
_NO_TIME = "a moment never was or cannot be read: the record is held"

# The examples stand on the agency `oak` in New York, a record about the child K1 with the mother M1 and one sibling
# part `visit`, and a table `place` with the one row `home`.
FUNCTIONS: Mapping[str, Function] = {
    one.name: one
    for one in (
        _declared(
            "lookup(table, code)",
            2,
            2,
            _NO_ROW,
            on="tables",
            example=Example("%tables.lookup('place', 'home')", ("HH",)),
        ),
        _declared(
            "coding(table, code)",
            2,
            2,
            _NO_ROW,
            on="tables",
            example=Example("%tables.coding('place', 'home').code", ("HH",)),
        ),
        _declared(
            "concept(table, code)",
            2,
            2,
            _NO_ROW,
            on="tables",
            example=Example("%tables.concept('place', 'home').coding.code", ("HH",)),
        ),
        _declared(
            "words(table, code)",
            2,
            2,
            _NO_ROW,
            on="tables",
            example=Example("%tables.words('place', 'home')", ("home",)),
        ),
        _declared(
            "person(role [, 'RelatedPerson'])",
            1,
            2,
            example=Example("person('child').reference.startsWith('Patient/')", (True,)),
        ),
        _declared("part(name [, key])", 1, 2, example=Example("part('visit').reference", ("Encounter/E1",))),
        _declared(
            "instant(moment [, zone])",
            1,
            2,
            _NO_TIME,
            example=Example("instant('2026-01-05 10:00')", ("2026-01-05T10:00:00-05:00",)),
        ),
        _declared(
            "wall_time(moment [, zone])",
            1,
            2,
            _NO_TIME,
            example=Example("wall_time('2026-01-05T15:00:00Z')", ("2026-01-05 10:00",)),
        ),
        _declared("language(tag)", 1, 1, example=Example("language('es').coding.code", ("es",))),
        _declared("narrative(text [, language])", 1, 2, example=Example("narrative('a < b').status", ("additional",))),
        _declared(
            "translation(language, text)",
            2,
            2,
            example=Example("translation('es', 'Pasos').extension.value", ("es", "Pasos")),
        ),
    )
}
FUNCTIONS_OF_MAPPINGS = REGISTRY.extended(FUNCTIONS.values())
"""All that an expression of a mapping may call."""
