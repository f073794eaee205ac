"""What holds where an expression is evaluated: the conditions around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.mappings.fhirpath import tree

_OPPOSITE = {"=": "!=", "!=": "="}


@dataclass(frozen=True, slots=True)
class Facts:
    """Conditions known to be true, and such known not to be (false, or without an answer), as they are spelled."""

    true: frozenset[str] = frozenset()
    untrue: frozenset[str] = frozenset()

    def given(self, condition: tree.Node) -> Facts:
        """The same where the condition holds."""
        true, untrue = set(self.true), set(self.untrue)
        for one in _parts(condition, "and"):
            true.add(spelled(one))
            opposite = _negated(one)
            if opposite is not None:
                untrue.add(spelled(opposite))
        return Facts(frozenset(true), frozenset(untrue))

    def without(self, condition: tree.Node) -> Facts:
        """The same where the condition does not hold."""
        return Facts(self.true, self.untrue | {spelled(one) for one in _parts(condition, "or")})

    def verdict(self, condition: tree.Node) -> bool | None:
        """Whether a condition holds for certain, or for certain does not; None where both may be."""
        if all(spelled(one) in self.true for one in _parts(condition, "and")):
            return True
        if any(spelled(one) in self.true for one in (condition, *_parts(condition, "or"))):
            return True
        if any(self._untrue(one) for one in _parts(condition, "and")):
            return False
        return False if all(self._untrue(one) for one in _parts(condition, "or")) else None

    def _untrue(self, condition: tree.Node) -> bool:
        if spelled(condition) in self.untrue:
            return True
        match condition:
            case tree.Binary(operator="=", left=left, right=tree.Literal(value=value)):
                start = f"({spelled(left)} = "
                return any(one.startswith(start) and one != f"{start}{value!r})" for one in self.true)
        return False


def spelled(node: tree.Node) -> str:
    """An expression in one spelling, whatever its blanks."""
    match node:
        case tree.Literal(value=value):
            return repr(value)
        case tree.Nothing():
            return "{}"
        case tree.Special(name=name):
            return f"${name}"
        case tree.Variable(name=name):
            return f"%{name}"
        case tree.Member(target=target, name=name):
            return name if target is None else f"{spelled(target)}.{name}"
        case tree.Call(target=target, name=name, arguments=arguments):
            called = f"{name}({', '.join(map(spelled, arguments))})"
            return called if target is None else f"{spelled(target)}.{called}"
        case tree.Index(target=target, index=index):
            return f"{spelled(target)}[{spelled(index)}]"
        case tree.Polarity(sign=sign, operand=operand):
            return f"{sign}{spelled(operand)}"
        case tree.TypeCheck(operator=operator, operand=operand, type=type_):
            return f"({spelled(operand)} {operator} {type_})"
        case tree.Binary(operator=operator, left=left, right=right):
            return f"({spelled(left)} {operator} {spelled(right)})"


def _parts(condition: tree.Node, operator: str) -> Iterator[tree.Node]:
    if isinstance(condition, tree.Binary) and condition.operator == operator:
        yield from _parts(condition.left, operator)
        yield from _parts(condition.right, operator)
    else:
        yield condition


def _negated(condition: tree.Node) -> tree.Node | None:
    """The condition that cannot hold where this one does."""
    match condition:
        case tree.Binary(operator=operator) if operator in _OPPOSITE:
            return tree.Binary(_OPPOSITE[operator], condition.left, condition.right, condition.position)
        case tree.Call(name=name, arguments=()) if name in ("exists", "empty"):
            other = "empty" if name == "exists" else "exists"
            return tree.Call(condition.target, other, (), condition.position)
        case tree.Call(name="not", target=inner, arguments=()):
            return inner
    return None
