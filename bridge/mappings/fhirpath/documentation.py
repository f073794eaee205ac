"""`docs/functions.md`: what an expression of a mapping may call, made from the functions' own declarations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from bridge.mappings.fhirpath.problems import CODES
from bridge.mappings.fhirpath.registry import Example, Function, Registry, Style

_HEAD = """# What an expression may call

For the integration engineer, beside [mappings.md](mappings.md). The list is closed. `{}` is nothing: an empty input or
argument gives nothing unless the line says otherwise. Every example is run by the tests; this page is made from the
functions' declarations (`bridge/mappings/functions.py`, `bridge/mappings/fhirpath/builtins/`).
"""
_OWN = """
## Our own
FHIRPath has no word for these. The examples stand on the agency `oak` in New York, a record about the child K1 with the
mother M1 and one sibling part `visit`, and a table `place` with the one row `home`.
"""
_STANDARD = """
## FHIRPath
As [FHIRPath N1](http://hl7.org/fhirpath/N1/) and [FHIR R4](http://hl7.org/fhir/R4/fhirpath.html) say.
"""
_REFUSED = """
## Refused
"""
_AT_RUN = """
## When a record cannot be answered for
Most mistakes are found when the files are loaded ([lint.md](lint.md)). What only a record shows holds that record for
the engineer, under one of these:
"""


def functions_page(registry: Registry, own: Collection[str] = ()) -> str:
    """The whole page: our own functions (`own` by their names), FHIRPath's, the refused ones, and what fails late."""
    allowed = sorted((f for f in registry if f.style is not Style.REFUSED), key=lambda f: (f.on, f.name.lower()))
    refused = sorted((f for f in registry if f.style is Style.REFUSED), key=lambda f: f.name.lower())
    late = [f"| {code} | {text} |" for code, text in CODES.items() if code.startswith("FE")]
    return "".join(
        (
            _HEAD,
            *((_OWN, _table(f for f in allowed if f.name in own)) if own else ()),
            _STANDARD,
            _table(f for f in allowed if f.name not in own),
            _REFUSED,
            _lines("| function | why | instead |", (f"| `{f.name}()` | {f.reason} | {f.next_step} |" for f in refused)),
            _AT_RUN,
            _lines("| code | what happened |", late),
        )
    )


def _table(functions: Iterable[Function]) -> str:
    return _lines("| function | for example | fails, or waits, when |", map(_row, functions))


def _row(function: Function) -> str:
    examples = "<br>".join(_code(f"{one.expression}  →  {_answer(one)}") for one in function.examples)
    said = "; ".join(filter(None, (function.reason, *function.failures)))
    return f"| {_code(function.signature)} | {examples} | {_piped(said)} |"


def _lines(head: str, rows: Iterable[str]) -> str:
    def all_() -> Iterator[str]:
        yield head
        yield "|" + "---|" * (head.count("|") - 1)
        yield from rows

    return "\n".join(all_()) + "\n"


def _code(text: str) -> str:
    return f"`{_piped(text)}`" if "`" not in text else f"`` {_piped(text)} ``"


def _piped(text: str) -> str:
    return text.replace("|", "\\|")


def _answer(example: Example) -> str:
    if example.result is None:
        return "fails"
    return ", ".join(_literal(item) for item in example.result) or "{}"


def _literal(item: object) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    return f"'{item}'" if isinstance(item, str) else str(item)
