"""What is looked up in tables, against the rows there are and the values the source can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Problem
from bridge.mappings.fhirpath import tree
from bridge.mappings.functions import FUNCTIONS
from bridge.mappings.lint.calls import Called, called
from bridge.mappings.lint.facts import Facts
from bridge.mappings.lint.given import given, is_own, literal
from bridge.mappings.lint.subject import Subject, listed
from bridge.mappings.lint.walking import Walked
from bridge.mappings.rowplaces import RowPlaces
from bridge.mappings.tables import Table


@dataclass(slots=True)
class Reached:
    """The codes with which all mappings ask each table (by its full name); None where any may come."""

    codes: dict[str, set[str] | None] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)

    def asked(self, table: Table, texts: frozenset[str] | None) -> None:
        """A table is asked with these codes."""
        known = self.codes.setdefault(table.name, set())
        self.tables[table.name] = table
        self.codes[table.name] = None if texts is None or known is None else known | texts

    def unreached(self, rows: RowPlaces) -> Iterator[Problem]:
        """The rows that no value of any source comes upon."""
        for name, codes in self.codes.items():
            for code in () if codes is None else sorted(self.tables[name].rows.keys() - codes):
                where = rows.where(name, code)
                if where:  # a row that stands in no file of ours is nobody's to take out
                    rule = "no value of the source comes upon this row"
                    step = f"the source has {listed(sorted(codes or ()))}"
                    yield Problem("row-unreached", rule, where, code, step)


def check_lookups(subject: Subject, walked: list[Walked], reached: Reached) -> None:
    """Codes without a row, and enumerations a table does not cover; what is asked is added to `reached`."""
    used: set[str] = set()
    for one in called(walked):
        if is_own(one.call) and FUNCTIONS[one.call.name].on:
            used.add(literal(one.call.arguments[0]))
            _look_up(subject, one, reached)
    for name in subject.mapping.tables if subject.sound else ():
        if name not in used:
            subject.say("table-unused", _where_listed(subject, name), "nothing looks anything up in this table", name)


def _look_up(subject: Subject, one: Called, reached: Reached) -> None:
    call = one.call
    table = subject.mapping.tables.get(literal(call.arguments[0]))
    if table is None:
        return
    asked = call.arguments[1]
    texts = given(asked, one.knowing).texts
    if texts is not None:
        texts -= _of_void_records(subject, asked)
        texts = frozenset(text for text in texts if not _excluded(asked, text, one.facts))
    reached.asked(table, texts)
    missing = sorted((texts or frozenset()) - table.rows.keys())
    if not missing:
        return
    literals = {node.value for node in tree.within(asked) if isinstance(node, tree.Literal)}
    for code in missing:
        if code in literals:
            place = next(
                node.position for node in tree.within(asked) if isinstance(node, tree.Literal) and node.value == code
            )
            rule = f"the table {table.name} has no row {code!r}"
            subject.say("row-unknown", place, rule, call.name, f"it has {listed(table.rows)}")
    gaps = [code for code in missing if code not in literals]
    if gaps:
        rule = f"the source can have {listed(gaps)}, and the table {table.name} has no such row"
        subject.say(
            "table-gap", asked.position, rule, call.name, "add a row for each; until then such records are held"
        )


def _excluded(asked: tree.Node, text: str, facts: Facts) -> bool:
    """Do the conditions around a look-up say that the code is never this one."""
    same = tree.Binary("=", asked, tree.Literal(text, asked.position), asked.position)
    return facts.verdict(same) is False


def _of_void_records(subject: Subject, asked: tree.Node) -> frozenset[Any]:
    """The values that make a record void: nothing is made of it, so they are never looked up."""
    names: list[str] = []
    while isinstance(asked, tree.Member):
        names.insert(0, asked.name)
        if asked.target is None:
            void = subject.kind.void
            return void.among if void is not None and void.path == tuple(names) else frozenset()
        asked = asked.target
    return frozenset()


def _where_listed(subject: Subject, name: str) -> str:
    for file in reversed(subject.laid.chain):
        names = file.source.value.get("tables") or []
        for index, one in enumerate(names if isinstance(names, list) else [names]):
            if str(one) == name:
                return file.source.where(("tables", index))
    return subject.source.where(("tables",))
