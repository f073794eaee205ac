"""What can be wrong with an expression or template, with stable codes and a place, never with a patient's value.

ConfigError
└── ExpressionError   an expression or template that cannot be compiled: found before any record moves
RecordError
└── EvaluationError   one record that an expression cannot answer for; other records are not affected
Fault                 raised inside the engine without a place; the compiled code adds the place
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from bridge.errors import ConfigError, Problem, RecordError

CODES: dict[str, str] = {
    "FP01": "a character that no expression contains",
    "FP02": "a word or sign where another was expected, or an expression that ends too early",
    "FP03": "a literal that is not one (date, time, number, escape in a string)",
    "FP04": "a function that does not exist",
    "FP05": "a function with too few or too many arguments",
    "FP06": "a function that is refused in a mapping",
    "FP07": "a variable that nothing defines",
    "FP08": "a type that does not exist",
    "FP09": "a name used where it has no meaning",
    "FP10": "an expression that is too long or nested too deeply",
    "FP11": "a regular expression that is invalid or could run without end",
    "FP12": "an operation that its operands' types never allow",
    "FP13": "a path that the source cannot have",
    "FP14": "an expression that can never yield a value",
    "FP15": "a condition that is always the same, so that a branch is never reached",
    "FP16": "a comparison with a value that the source's enumeration does not have",
    "FT01": "a block {% … %} that does not exist or is malformed",
    "FT02": "an else without its if, or more than one of them",
    "FT03": "a for with other keys beside it",
    "FT04": "an assign that is not a list of single names",
    "FT05": "a merge or if that is mixed into an object and is not an object",
    "FT06": "an expression that is empty or not closed",
    "FT07": "an expression as a key",
    "FT08": "a path read without a variable in strict mode",
    "FT09": "a value that JSON does not have",
    "FT10": "a template that is too large or nested too deeply",
    "FT11": "a list read as one value: its first item is taken",
    "FE01": "more than one item where one was expected",
    "FE02": "an item of a type that the operation does not take",
    "FE03": "a variable without a value",
    "FE04": "a bound that was passed",
    "FE05": "values that cannot be compared",
    "FE06": "a record that has not the shape its schema says",
    "FE07": "a function of ours that failed",
    "FE08": "a result that JSON does not have",
}
"""Every code of the engine with what it stands for. A number is never used again for something else."""


class Written(Protocol):
    """How a text stands in its file, where its lines are not simply lines of the file (folded, with escapes)."""

    def at(self, line: int, column: int) -> tuple[int, int]:
        """Line and column in the file of a line and column of the text (all from 1)."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands: line and column (both from 1) of a file, or of the expression when there is no file.

    `path` is the place in the template, `indent` how far the further lines of a text that begins here are indented.
    `written` tells instead where each character of the text is, this position being at `inside` (line, column) of it.
    """

    line: int = 1
    column: int = 1
    file: str = ""
    path: str = ""
    indent: int = 0
    written: Written | None = field(default=None, compare=False, repr=False)
    inside: tuple[int, int] = field(default=(1, 1), compare=False, repr=False)

    def moved(self, line: int, column: int) -> Position:
        """The position `line`, `column` (from 1) inside a text that begins here."""
        if self.written is not None:
            first, start = self.inside
            inside = (first + line - 1, column + (start - 1 if line == 1 else 0))
            found, place = self.written.at(*inside)
            return replace(self, line=found, column=place, inside=inside)
        before = self.column - 1 if line == 1 else self.indent
        return replace(self, line=self.line + line - 1, column=column + before)

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return f"{self.file}:{place}" if self.file else place


@dataclass(frozen=True, slots=True)
class Issue:
    """Something doubtful that compiles all the same: a path the source cannot have, an answer that never comes."""

    code: str
    position: Position
    rule: str
    next_step: str = ""

    def as_problem(self) -> Problem:
        """The same as a Problem, for lists of findings."""
        return Problem(self.code, self.rule, str(self.position), self.position.path, self.next_step)


class ExpressionError(ConfigError):
    """An expression or template cannot be compiled; carries one Problem and its position."""

    def __init__(self, code: str, position: Position, rule: str, next_step: str) -> None:
        self.code = code
        self.position = position
        super().__init__(Problem(code, rule, str(position), position.path, next_step))


class EvaluationError(RecordError):
    """One record cannot be evaluated; carries one Problem and the position of the expression part that failed."""

    def __init__(self, code: str, position: Position, rule: str, next_step: str = "") -> None:
        self.code = code
        self.position = position
        super().__init__(Problem(code, rule, str(position), position.path, next_step))


class Fault(Exception):
    """What a runtime function raises: code, rule and next step, without a place and without a value."""

    def __init__(self, code: str, rule: str, next_step: str = "") -> None:
        self.code = code
        self.rule = rule
        self.next_step = next_step
        super().__init__(code)


class Halt(Exception):
    """What a function of ours raises to stop a record for its own reason (a hold); `position` is filled on its way."""

    position: Position | None = None
