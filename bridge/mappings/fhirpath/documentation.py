"""The list of functions as Markdown, made from their own declarations."""

from __future__ import annotations

from bridge.mappings.fhirpath.problems import CODES
from bridge.mappings.fhirpath.registry import Example, Function, Registry, Style


def functions_page(registry: Registry) -> str:
    """Every function with usage, failures and examples; the refused ones with the reason and what to do instead."""
    allowed = sorted((f for f in registry if f.style is not Style.REFUSED), key=lambda f: (f.on, f.name.lower()))
    refused = sorted((f for f in registry if f.style is Style.REFUSED), key=lambda f: f.name.lower())
    lines = [line for function in allowed for line in _entry(function)]
    lines += ["## Refused", "", "| function | why | instead |", "|---|---|---|"]
    lines += [f"| `{function.name}()` | {function.reason} | {function.next_step} |" for function in refused]
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    """Every code of the engine with what it stands for."""
    rows = (f"| {code} | {text} |" for code, text in CODES.items())
    return "\n".join(["| code | stands for |", "|---|---|", *rows]) + "\n"


def _entry(function: Function) -> list[str]:
    lines = [f"## `{function.signature}`", ""]
    if function.reason:
        lines += [function.reason, ""]
    if function.failures:
        lines += [f"Fails when: {'; '.join(function.failures)}.", ""]
    if function.examples:
        lines += ["```", *(f"{example.expression}  // {_answer(example)}" for example in function.examples), "```", ""]
    return lines


def _answer(example: Example) -> str:
    if example.result is None:
        return "fails"
    return ", ".join(_literal(item) for item in example.result) or "{}"


def _literal(item: object) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    return f"'{item}'" if isinstance(item, str) else str(item)
