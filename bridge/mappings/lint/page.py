"""`docs/lint.md`, made from the table of codes."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.mappings.lint.codes import CODES, Code
from bridge.model import Severity

_HEAD = """# What lint finds

For the integration engineer. Every finding has a stable code, a `file:line:column`, what is wrong and what to do.
With an **error** `bridge check` ends with 1, and the cases are run all the same; with one marked ● the mappings do not
load, no case is run, and it ends with 2. A **warning** never stops a load; `bridge check --strict` takes warnings for
errors. Codes of the command line and of records are told where they arise, and are not on this page.

This page is made from the table in `bridge/mappings/lint/codes.py`.
"""
_LEFT_OUT = """
## Leaving something out on purpose
A source field that nothing reads, and an element a profile marks must-support and nothing produces, are warnings until
the mapping says why:
```yaml
not_mapped:
  - { path: [staff.id, room], reason: the practice has no use for them }
  - { element: encounter.hospitalization, reason: an agency's contact is no admission }
```
`path` names fields of the record, `element` elements of a part (`PART.ELEMENT`); both cover all beneath. A line that
says what is not so is a warning itself. What the kind keeps back (`never`, `agency_only`) and what it uses itself (its
ids, its people, its times, `final` and `void`) need no line.

## A reference that may be missing
`part('encounter')` points at nothing where that part does not come about. Write it under the same condition as the
part, or say that it may be missing: `{{ iif(part('encounter').exists(), part('encounter')) }}`.

## A draft
`bridge draft` marks what it could not know with a comment, `# ?? reason`, and in a table with a cell that begins with
`??`. Each is an error until a person has decided and deleted the mark.
"""


def page() -> str:
    """The whole page."""
    own = [one for one in CODES.values() if not one.code.startswith(("FP", "FT"))]
    engine = [one for one in CODES.values() if one.code.startswith(("FP", "FT"))]
    errors = [one for one in own if one.severity is Severity.ERROR]
    warnings = [one for one in own if one.severity is not Severity.ERROR]
    return (
        f"{_HEAD}\n## Errors\n{_table(errors)}\n## Warnings\n{_table(warnings)}\n"
        f"## Expressions and templates\n{_engine(engine)}{_LEFT_OUT}"
    )


def _table(codes: Iterable[Code]) -> str:
    lines = [f"| `{one.code}` {'● ' if one.loads else ''}| {one.rule} | {one.fix} |" for one in codes]
    return "\n".join(["| code | what must hold | what to do |", "|---|---|---|", *lines, ""])


def _engine(codes: Iterable[Code]) -> str:
    lines = [f"| `{one.code}` {'● ' if one.loads else ''}| {one.severity} | {one.rule} |" for one in codes]
    return "\n".join(["| code | | what is wrong |", "|---|---|---|", *lines, ""])
