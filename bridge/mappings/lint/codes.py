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
    ("file-encoding", _E, "a file is UTF-8", "save it as UTF-8"),
    ("definitions-unreadable", _E, "a file of added definitions is what was written", "add the package again"),
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
    ("table-twice", _E, "one code has one row, or rows of different days", "keep one"),
    ("table-overlap", _E, "the days of a code's rows do not overlap", "end one before the other begins"),
    ("table-about", _E, "what stands beside a table says what the table is", "correct the key"),
    ("mapping-value-set", _E, "a value set that is asked for is here", "correct its url, or add its package"),
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
    ("resource-unknown", _E, "a part makes a resource of FHIR R4", "take the nearest name that is offered"),
    ("element-unknown", _E, "an element is one its FHIR type has", "take the nearest name that is offered"),
    ("element-list", _E, "an element that FHIR has once is no list", "write one value"),
    ("element-single", _E, "an element that FHIR repeats is a list", "put the value in a list"),
    ("element-choice", _E, "one of the types of a choice is written (value[x])", "keep one"),
    ("element-type", _E, "a value is of its element's type", "write a value of that type"),
    ("element-required", _E, "what FHIR or the profile requires can come about", "map it"),
    (
        "element-support",
        _W,
        "what the profile marks must-support can come about",
        "map it, or list it under `not_mapped`",
    ),
    (
        "reference-target",
        _E,
        "a reference points at a type its element takes",
        "point at another, or use another element",
    ),
    ("code-unbound", _E, "a code is one of its element's required value set", "take a code of the value set"),
    ("row-unbound", _E, "a table's code is one of the value set of the element it reaches", "correct the row's target"),
    ("row-unknown", _E, "a code that is looked up by its own name has a row", "add the row, or correct the code"),
    ("table-gap", _W, "a table covers what the source's enumeration lists", "add a row for each"),
    ("row-unreached", _W, "a row's code is one the source can have", "take the row out, or correct its code"),
    ("table-unused", _W, "a listed table is used", "take the name out of `tables`"),
    ("table-unlisted", _W, "a table's file is listed by a mapping", "list it under `tables`, or delete the file"),
    ("condition-type", _E, "a condition of `when` is true or false", "compare it, or ask for exists()"),
    ("condition-constant", _E, "a condition of `when` can be true and can be false", "correct it, or take it out"),
    ("condition-known", _W, "a condition is not decided already by those around it", "take it out, or correct it"),
    ("identifier-time", _E, "an id is not made from a time, which changes", "use the record's own id"),
    ("identifier-counter", _E, "an id is not made from a position or a number of entries", "use the entry's own id"),
    ("identifier-text", _W, "an id is not made from free text", "use the record's own id, or give the field a format"),
    (
        "part-conditional",
        _W,
        "a part that is pointed at comes about whenever the reference does",
        "put the reference under the same condition",
    ),
    (
        "field-unread",
        _W,
        "a field of the kind is read, or left out on purpose",
        "map it, or list it under `not_mapped`",
    ),
    ("not-mapped-stale", _W, "what `not_mapped` lists is there and is not mapped", "take the line out"),
    ("label-unused", _W, "a label stands on a field that a part reads", "take the line out"),
    ("label-shadowed", _W, "a label says something no other line says", "take the line out"),
    ("assign-unused", _W, "an assigned name is read", "take it out"),
    ("assign-hides", _W, "an assigned name is not one that means something already", "choose another name"),
    ("extends-nothing", _W, "what a variation removes is there", "take the line out, or correct its name"),
    ("case-shape", _E, "a case file has the keys of cases", "correct the key"),
    ("case-kind", _E, "a case's kind has a mapping", "correct the name"),
    ("case-part", _E, "a case names parts its mapping makes", "correct the name"),
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
