"""What may stand in a mapping: each expression against the kind, the tables, the other parts and the labels."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import Problem
from bridge.mappings.expressions import NotAnExpression, parse
from bridge.mappings.functions import FUNCTIONS
from bridge.mappings.kinds import Kind
from bridge.mappings.labels import Label, Uses, about_others, applying, unlabelled
from bridge.mappings.reads import Call, Reads, Variable
from bridge.mappings.schema import Field
from bridge.mappings.source import Path, Source
from bridge.mappings.tables import Table


@dataclass(slots=True)
class Checks:
    """The checks of one mapping file; what is wrong is added to `problems` with its line.

    `tables` goes by the names the mapping lists, `absent_tables` are listed too, and reported already; `parts` holds
    for each part the role it is about and its FHIR type; `about` is the role of the part that is being read.
    """

    source: Source
    kind: Kind
    tables: Mapping[str, Table]
    absent_tables: frozenset[str]
    parts: Mapping[str, tuple[str, str]]
    problems: list[Problem]
    labels: Sequence[Label] = ()
    about: str = ""
    booleans: frozenset[Field] = field(init=False)

    def __post_init__(self) -> None:
        fields = self.kind.schema.fields.values()
        self.booleans = frozenset(one.path for one in fields if "boolean" in one.types)

    def reads(self, text: str, path: Path, variables: Mapping[str, Variable]) -> Reads:
        reads = Reads(variables, frozenset(FUNCTIONS), self.booleans)
        try:
            reads.of(parse(text))
        except NotAnExpression as error:
            self.wrong("mapping-expression", path, str(error), text)
            return reads
        for rule in dict.fromkeys(reads.wrong):
            self.wrong("mapping-expression", path, rule, text)
        for call in reads.calls:
            self._call(call, path)
        for one in sorted(reads.read | reads.asked):
            self._field(one, path, whole=one in reads.read)
        return reads

    def _field(self, one: Field, path: Path, *, whole: bool) -> None:
        name = ".".join(one)
        if any(one[-len(pattern) :] == pattern for pattern in self.kind.never):
            self.wrong("mapping-never", path, "this field is never collected", name, "take it out of the mapping")
        elif any(
            one[: len(kept)] == kept or (whole and one and kept[: len(one)] == one) for kept in self.kind.agency_only
        ):
            self.wrong(
                "mapping-agency-only", path, "this field stays at the agency", name, "take it out of the mapping"
            )
        elif one and self.kind.schema.field(one) is None:
            known = [".".join(known) for known in self.kind.schema.fields if known]
            near = difflib.get_close_matches(name, known, 1)
            step = f"did you mean {near[0]}?" if near else "see the kind's schema for what there is"
            self.wrong("mapping-path", path, f"a {self.kind.name} has no such field", name, step)

    def _call(self, call: Call, path: Path) -> None:
        signature = FUNCTIONS[call.name]
        if not signature.fewest <= len(call.arguments) <= signature.most:
            self.wrong("mapping-function", path, f"takes {signature.fewest} to {signature.most} arguments", call.name)
        elif signature.on_tables:
            self._table(call, path)
        elif call.name == "person":
            self._person(call, path)
        elif call.name == "part":
            other, type_ = self.parts.get(call.arguments[0] or "", ("", ""))
            if not type_:
                self.wrong("mapping-function", path, "names, as a text, a part of this mapping", call.name)
            elif type_ in {"Patient", "RelatedPerson"}:
                self.wrong("mapping-function", path, "persons are pointed at by person()", call.name)
            elif type_ == "Composition":
                self.wrong("mapping-function", path, "nothing points at a document: it may have no section", call.name)
            elif other != self.about:
                rule = f"a part about the {self.about} may not point at one about the {other}"
                self.wrong("mapping-about", path, rule, call.name)

    def _table(self, call: Call, path: Path) -> None:
        name = call.arguments[0] or ""
        table = self.tables.get(name)
        if table is None and name not in self.absent_tables:
            rule = "names, as a text, a table that this mapping lists under `tables`"
            self.wrong("mapping-function", path, rule, call.name)
        elif table and call.name in {"lookup", "coding"} and any(not row.target for row in table.rows.values()):
            rule = f"the table {name} has rows without a code: only concept and words can say them"
            self.wrong("mapping-function", path, rule, call.name)

    def _person(self, call: Call, path: Path) -> None:
        role, *as_what = call.arguments
        if role not in self.kind.people:
            roles = ", ".join(sorted(self.kind.people)) or "none"
            self.wrong("mapping-function", path, f"names, as a text, a role of the kind: {roles}", call.name)
        elif as_what and as_what[0] not in {"Patient", "RelatedPerson"}:
            self.wrong("mapping-function", path, "gives a 'Patient' or a 'RelatedPerson'", call.name)
        elif role != self.about and as_what != ["RelatedPerson"]:
            rule = f"a part about the {self.about} names others as a 'RelatedPerson', never by their own chart"
            self.wrong("mapping-about", path, rule, call.name)

    def brought(self, uses: Uses, path: Path) -> frozenset[int]:
        for one in dict.fromkeys(unlabelled(uses, self.labels, self.kind)):
            rule = "anyone's words may stand in this field, and it has no label"
            self.wrong("mapping-unlabelled", path, rule, ".".join(one), "label it, as ordinary if that is what it is")
        for label in about_others(uses, self.labels, self.about):
            rule = f"a fact about the {label.about} may not stand in a part about the {self.about}"
            self.wrong("mapping-about", path, rule, ".".join(label.path), f"put it in a part about the {label.about}")
        return applying(uses, self.labels)

    def wrong(self, code: str, path: Path, rule: str, name: str = "", next_step: str = "") -> None:
        problem = Problem(code, rule, self.source.where(path), name, next_step)
        if problem not in self.problems:
            self.problems.append(problem)
