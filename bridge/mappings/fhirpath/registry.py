"""The closed list of functions: each declared once with usage, failure reasons and examples that run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum


class Style(StrEnum):
    """How a function is called by compiled code."""

    VALUE = "value"  # call(value, *values): single system values, never empty; None is the empty collection
    COLLECTION = "collection"  # call(items, *lists): whole collections, returns a list, or a value if `single`
    INLINE = "inline"  # compiled in place: its arguments are expressions evaluated for each item
    REFUSED = "refused"  # known, and refused with a reason


@dataclass(frozen=True, slots=True)
class Example:
    """An expression and what it yields; `result` as JSON-like items, None where it must fail."""

    expression: str
    result: tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Function:
    """One function of expressions.

    `least` and `most` bound its arguments. `takes` names the System type of the input and of each argument for style
    VALUE ("Any" takes every type); `gives` the type of the result. `single` says that a COLLECTION function gives one
    value. With `context` the call receives the caller's translation context first, with `run` the Run (the engine's
    own functions only). `on` is the variable it stands on: "tables" makes %tables.lookup(…). `alone` says that it
    stands on nothing: it knows its arguments only. `reason` is why it is refused, or what it needs.
    """

    name: str
    usage: str
    style: Style = Style.VALUE
    call: Callable[..., object] | None = None
    least: int = 0
    most: int = 0
    takes: tuple[str, ...] = ()
    gives: str = "Any"
    single: bool = False
    context: bool = False
    run: bool = False
    on: str = ""
    alone: bool = False
    failures: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    reason: str = ""
    next_step: str = ""

    @property
    def signature(self) -> str:
        """How it is written, for documentation and messages."""
        return f"%{self.on}.{self.usage}" if self.on else self.usage

    @property
    def key(self) -> tuple[str, str]:
        """The variable it stands on and its name."""
        return (self.on, self.name)


@dataclass(frozen=True)
class Registry:
    """A closed, immutable list of functions."""

    functions: tuple[Function, ...]
    _by_key: dict[tuple[str, str], Function] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[tuple[str, str], Function] = {}
        for function in self.functions:
            _check(function)
            if function.key in by_key:
                raise ValueError(f"the function {function.signature} is declared twice")
            by_key[function.key] = function
        object.__setattr__(self, "_by_key", by_key)

    def __iter__(self) -> Iterator[Function]:
        return iter(self.functions)

    def find(self, name: str, on: str = "") -> Function | None:
        """The function of this name, on this variable; None where there is none."""
        return self._by_key.get((on, name))

    def alone(self) -> frozenset[str]:
        """The functions that know their arguments only."""
        return frozenset(function.name for function in self.functions if function.alone)

    def namespaces(self) -> frozenset[str]:
        """The variables that functions stand on."""
        return frozenset(function.on for function in self.functions if function.on)

    def nearest(self, name: str, on: str = "") -> str:
        """The signature of the function with the most similar name, "" where none is similar."""
        names = [function.name for function in self.functions if function.on == on]
        close = get_close_matches(name, names, 1)
        return self._by_key[(on, close[0])].signature if close else ""

    def extended(self, functions: Iterable[Function]) -> Registry:
        """A registry with these functions as well. Raises ValueError where one exists already."""
        return Registry((*self.functions, *functions))


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def _check(function: Function) -> None:
    where = f"the function {function.name}"
    if not _NAME.fullmatch(function.name) or (function.on and not _NAME.fullmatch(function.on)):
        raise ValueError(f"{where} has a name that an expression cannot say")
    if function.style in (Style.VALUE, Style.COLLECTION) and function.call is None:
        raise ValueError(f"{where} has nothing to call")
    if function.least > function.most:
        raise ValueError(f"{where} takes at least more arguments than at most")
    own_input = 0 if function.on or function.alone else 1
    if function.style is Style.VALUE and len(function.takes) != function.most + own_input:
        raise ValueError(f"{where} names the types of its input and of each argument")
