"""Tokens to a tree (FHIRPath N1 grammar), with the position of every node.

Operators bind, from loosely to tightly, as the grammar's alternatives say: implies · or xor · and · in contains ·
= ~ != !~ · is as · < > <= >= · | · + - & · * / div mod · unary + - · [ ] · the dot.
"""

from __future__ import annotations

from decimal import Decimal

from bridge.mappings.fhirpath.lexer import Kind, Source, Token, tokens
from bridge.mappings.fhirpath.limits import DEPTH_OF_EXPRESSION, HEIGHT_OF_EXPRESSION
from bridge.mappings.fhirpath.moments import parse_moment
from bridge.mappings.fhirpath.problems import ExpressionError, Position
from bridge.mappings.fhirpath.quantities import CALENDAR_UNITS, Quantity
from bridge.mappings.fhirpath.tree import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Node,
    Nothing,
    Polarity,
    Special,
    TypeCheck,
    Variable,
    children,
)

_LEVELS: tuple[tuple[str, ...], ...] = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("is", "as"),
    ("<", ">", "<=", ">="),
    ("|",),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_LEVEL_OF = {sign: level for level, signs in enumerate(_LEVELS) for sign in signs}
_RESERVED = frozenset({"implies", "or", "xor", "and", "div", "mod", "true", "false"})
"""Words that are no names without backticks; `is as in contains` are names wherever a name may stand."""
_DIGITS = 28


def parse(text: str, position: Position | None = None) -> Node:
    """The tree of an expression whose first character stands at `position`. Raises ExpressionError FP01-FP03, FP10."""
    return _Parser(Source(text, position or Position())).whole()


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._binary(0)
        if self._token.kind is not Kind.END:
            raise self._error("an operator, a dot or the end of the expression")
        self._check_height(node)
        return node

    # ── operators ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _binary(self, least: int) -> Node:
        """Operands joined by operators that bind at least as tightly as level `least`."""
        left = self._unary()
        while True:
            token = self._token
            level = _LEVEL_OF.get(token.text, -1) if token.kind in (Kind.NAME, Kind.SIGN) else -1
            if level < least:
                return left
            self._next += 1
            if token.text in ("is", "as"):
                left = TypeCheck(token.text, left, self._type_name(), self._at(token))
            else:
                left = Binary(token.text, left, self._binary(level + 1), self._at(token))

    def _unary(self) -> Node:
        token = self._token
        if token.kind is Kind.SIGN and token.text in "+-":
            self._next += 1
            self._enter(token)
            operand = self._unary()
            self._depth -= 1
            return Polarity(token.text, operand, self._at(token))
        return self._path()

    def _path(self) -> Node:
        node = self._term()
        while True:
            token = self._token
            if self._accept("."):
                node = self._invocation(node)
            elif self._accept("["):
                self._enter(token)
                node = Index(node, self._binary(0), self._at(token))
                self._depth -= 1
                self._expect("]")
            else:
                return node

    # ── terms ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _term(self) -> Node:
        token = self._token
        self._enter(token)
        try:
            if self._accept("("):
                node = self._binary(0)
                self._expect(")")
                return node
            if self._accept("{"):
                self._expect("}")
                return Nothing(self._at(token))
            if self._accept("%"):
                return Variable(self._variable_name(), self._at(token))
            literal = self._literal(token)
            return self._invocation(None) if literal is None else literal
        finally:
            self._depth -= 1

    def _literal(self, token: Token) -> Node | None:
        place = self._at(token)
        if token.kind is Kind.NAME and token.text in ("true", "false"):
            self._next += 1
            return Literal(token.text == "true", place)
        if token.kind is Kind.STRING:
            self._next += 1
            return Literal(token.text, place)
        if token.kind is Kind.MOMENT:
            self._next += 1
            moment = parse_moment(token.text[1:])
            if moment is None:
                raise ExpressionError("FP03", place, "a date or time must exist in the calendar", "correct it")
            return Literal(moment, place)
        return self._number(token) if token.kind is Kind.NUMBER else None

    def _number(self, token: Token) -> Node:
        self._next += 1
        place = self._at(token)
        if len(token.text) > _DIGITS:
            raise ExpressionError("FP03", place, f"a number has at most {_DIGITS} digits", "shorten it")
        unit = self._token
        if unit.kind is Kind.STRING or (unit.kind is Kind.NAME and unit.text in CALENDAR_UNITS):
            self._next += 1
            return Literal(Quantity(Decimal(token.text), unit.text, calendar=unit.kind is Kind.NAME), place)
        return Literal(Decimal(token.text) if "." in token.text else int(token.text), place)

    def _invocation(self, target: Node | None) -> Node:
        token = self._token
        if token.kind is Kind.SPECIAL:
            self._next += 1
            if target is not None:
                raise ExpressionError("FP09", self._at(token), f"{token.text} stands at the head of a path", "move it")
            return Special(token.text[1:], self._at(token))
        if token.kind is not Kind.QUOTED and (token.kind is not Kind.NAME or token.text in _RESERVED):
            raise self._error("a name, a function or a value")
        self._next += 1
        if not self._accept("("):
            return Member(target, token.text, self._at(token))
        arguments: list[Node] = []
        if not self._accept(")"):
            self._enter(token)
            arguments.append(self._binary(0))
            while self._accept(","):
                arguments.append(self._binary(0))
            self._depth -= 1
            self._expect(")")
        return Call(target, token.text, tuple(arguments), self._at(token))

    def _variable_name(self) -> str:
        token = self._token
        if token.kind not in (Kind.NAME, Kind.QUOTED, Kind.STRING):
            raise self._error("the name of a variable")
        self._next += 1
        return token.text

    def _type_name(self) -> str:
        parts = [self._identifier()]
        while self._token.text == "." and self._token.kind is Kind.SIGN and len(parts) < 2 and parts[0] in _MODELS:
            self._next += 1
            parts.append(self._identifier())
        return ".".join(parts)

    def _identifier(self) -> str:
        token = self._token
        if token.kind not in (Kind.NAME, Kind.QUOTED):
            raise self._error("the name of a type")
        self._next += 1
        return token.text

    # ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────────
    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _at(self, token: Token) -> Position:
        return self._source.position(token.start)

    def _accept(self, sign: str) -> bool:
        token = self._token
        if token.kind is Kind.SIGN and token.text == sign:
            self._next += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise self._error(f"{sign}")

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEPTH_OF_EXPRESSION:
            raise self._too_deep(self._at(token))

    def _check_height(self, node: Node) -> None:
        level, height = [node], 0
        while level:
            height += 1
            if height > HEIGHT_OF_EXPRESSION:
                raise self._too_deep(level[0].position)
            level = [child for parent in level for child in children(parent)]

    def _too_deep(self, position: Position) -> ExpressionError:
        rule = f"an expression nests at most {DEPTH_OF_EXPRESSION} deep and chains at most {HEIGHT_OF_EXPRESSION} steps"
        return ExpressionError("FP10", position, rule, "split it with {% assign %}")

    def _error(self, wanted: str) -> ExpressionError:
        token = self._token
        found = token.kind.value if token.kind is Kind.END else f"“{token.text[:40]}”"
        rule = f"{wanted} is expected here, not {found}"
        step = "finish the expression" if token.kind is Kind.END else "correct the spelling, or quote a name with `"
        return ExpressionError("FP02", self._at(token), rule, step)


_MODELS = ("System", "FHIR")
