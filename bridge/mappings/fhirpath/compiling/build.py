"""What compiling one expression needs at hand, and the scope its names are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling.code import Code
from bridge.mappings.fhirpath.compiling.coverage import SEEN, Watch
from bridge.mappings.fhirpath.compiling.terms import Term
from bridge.mappings.fhirpath.model import TypeModel
from bridge.mappings.fhirpath.problems import ExpressionError, Issue, Position
from bridge.mappings.fhirpath.registry import Registry
from bridge.mappings.fhirpath.shapes import Shape


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean at one place: %context, $this, $index, $total and the variables of the template."""

    root: Term
    this: Term
    index: Term | None = None
    total: Term | None = None
    variables: Mapping[str, Term] | None = None

    def inside(self, this: Term, index: Term | None) -> Scope:
        """The scope of an expression evaluated for each item."""
        return replace(self, this=this, index=index if index is not None else self.index)

    def naming(self, name: str, term: Term) -> Scope:
        """The same scope with one more variable."""
        return replace(self, variables={**(self.variables or {}), name: term})


Handler = Callable[["Build", tree.Node, Scope], Term]


class Build:
    """The state of one compilation. `declared` are the caller's variables with their shapes, None if any may come.

    With `watch` the code says which of its places were reached.
    """

    def __init__(
        self,
        code: Code,
        handlers: Mapping[type, Handler],
        functions: Registry,
        model: TypeModel | None = None,
        declared: Mapping[str, Shape | None] | None = None,
        strict: bool = False,
        watch: Watch | None = None,
    ) -> None:
        self.code = code
        self.watch = watch
        if watch is not None:
            code.constants[SEEN] = watch.reached.add
        self.functions = functions
        self.model = model
        self.declared = declared
        self.strict = strict
        self.issues: list[Issue] = []
        self._handlers = handlers

    def node(self, node: tree.Node, scope: Scope) -> Term:
        """The compiled node; its lines carry its position."""
        with self.at(node.position):
            return self._handlers[type(node)](self, node, scope)

    def reached(self, kind: str, way: str = "", test: str = "") -> None:
        """Where this is watched, a line that says the present position was reached (and `test` held)."""
        if self.watch is None:
            return
        call = f"{SEEN}({self.watch.mark(kind, self.code.at, way)})"
        self.code.line(f"if {test}: {call}" if test else call)

    @contextmanager
    def at(self, position: Position) -> Iterator[None]:
        """Lines written within carry this position."""
        before, self.code.at = self.code.at, position
        yield
        self.code.at = before

    def error(self, code: str, rule: str, next_step: str) -> ExpressionError:
        """An error at the present position."""
        return ExpressionError(code, self.code.at, rule, next_step)

    def issue(self, code: str, rule: str, next_step: str = "") -> None:
        """Note something doubtful at the present position, once."""
        found = Issue(code, self.code.at, rule, next_step)
        if found not in self.issues:
            self.issues.append(found)


def nearest(name: str, names: object) -> str:
    """A hint with the most similar of the names, "" where none is similar."""
    close = get_close_matches(name, list(names), 1)  # type: ignore[call-overload]
    return f"did you mean {close[0]}?" if close else ""
