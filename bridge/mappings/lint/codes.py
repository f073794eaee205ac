"""Every code of loading and lint: what it means, how bad it is, and what to do. `docs/lint.md` is made from it.

A code is never used again for something else. The codes of the expression and template engine (FP…, FT…) are declared
in `fhirpath.problems`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.mappings.fhirpath import CODES as ENGINE_CODES
from bridge.model import Severity

_E, _W = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. `loads` says that `load` itself refuses such files."""

    code: str
    severity: Severity
    rule: str
    fix: str
    loads: bool = False


def _declared(loads: bool, *lines: tuple[str, Severity, str, str]) -> Iterator[Code]:
    return (Code(code, severity, rule, fix, loads) for code, severity, rule, fix in lines)


_FILES = _declared(
    True,
    ("yaml-unreadable", _E, "a file is YAML of plain values, without tags", "correct the line that is named"),
    ("yaml-unquoted", _E, "an expression in braces stands in quotes", 'write "{{ … }}" in quotes'),
    ("yaml-duplicate-key", _E, "a key stands once in its object", "keep one"),
    ("kind-shape", _E, "a kind file has the keys of a kind", "see the kind's keys in mappings.md"),
    ("kind-schema", _E, "`schema` is a JSON Schema, draft 2020-12", "correct what the message names"),
    (
        "kind-declaration",
        _E,
        "each declaration of a kind names fields its schema has",
        "correct the path or the schema",
    ),
    ("kind-twice", _E, "one file declares a kind", "rename one of the two"),
    ("mapping-shape", _E, "a mapping has the keys of a mapping, and each part says what it makes", "correct the key"),
    ("mapping-reads", _E, "a mapping reads a kind that is declared", "correct the name, or add the kind's file"),
    ("mapping-twice", _E, "one mapping reads a kind", "let one extend the other"),
    ("mapping-extends", _E, "a mapping extends one that is there, and not itself", "correct the name"),
    ("mapping-table", _E, "a listed table has its file", "add the file, or take the name out"),
    ("table-unreadable", _E, "a table is CSV", "correct the line that is named"),
    ("table-columns", _E, "a table has the columns of a table", "write them as the first line"),
    ("table-row", _E, "a row can be used: a code, an equivalence, a target or words", "complete the row"),
    ("table-source", _E, "every row names where it was taken from", "name the source"),
    ("table-twice", _E, "one code has one row", "keep one"),
)
_MEANINGS = _declared(
    True,
    ("mapping-expression", _E, "an expression names the fields it reads", "name the field"),
    ("mapping-path", _E, "a field that is read is one the kind has", "take the nearest name that is offered"),
    ("mapping-function", _E, "our functions name roles, parts and tables that there are", "correct the argument"),
    ("mapping-never", _E, "a field that is never collected is not read", "take it out of the mapping"),
    ("mapping-agency-only", _E, "a field that stays at the agency is not read", "take it out of the mapping"),
    ("mapping-about", _E, "a part holds facts about its own person only", "move it to a part about that person"),
    ("mapping-unlabelled", _E, "a field in which anyone's words may stand has a label", "label it under `labels`"),
    ("mapping-label", _E, "a label names a field, a class and a role that there are", "correct the line"),
    ("mapping-hold", _E, "a hold has when, reason, rule and next_step", "complete the line"),
)
_LINT = _declared(
    False,
    ("draft-unsure", _E, "a person has decided about every line of a draft", "decide, and delete the mark"),
)

CODES: Mapping[str, Code] = {
    one.code: one
    for one in (
        *_FILES,
        *_MEANINGS,
        *_LINT,
        *(
            Code(
                code,
                _W if code == "FT11" else _E,
                text,
                "correct the expression at the place that is named",
                code != "FT11",
            )
            for code, text in ENGINE_CODES.items()
            if not code.startswith("FE")
        ),
    )
}


def severity_of(code: str) -> Severity:
    """How bad a finding of this code is. What loading refuses without a line here is an error too."""
    known = CODES.get(code)
    return _E if known is None else known.severity
