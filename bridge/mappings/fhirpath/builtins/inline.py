"""Functions compiled in place, because their arguments are expressions or types (see `compiling`)."""

from __future__ import annotations

from bridge.mappings.fhirpath.registry import Example, Function, Style

_MANY = "more than one item where one was expected"


def _inline(usage: str, least: int, most: int, *examples: Example, failures: tuple[str, ...] = ()) -> Function:
    name = usage.partition("(")[0]
    return Function(name, usage, Style.INLINE, None, least, most, failures=failures, examples=examples)


_E = Example
INLINE: tuple[Function, ...] = (
    _inline("where(criteria)", 1, 1, _E("(1 | 2 | 3).where($this > 1)", (2, 3)), _E("{}.where(true)", ())),
    _inline("select(projection)", 1, 1, _E("(1 | 2).select($this + 1)", (2, 3)), _E("(1 | 2).select($index)", (0, 1))),
    _inline("repeat(projection)", 1, 1, _E("(1).repeat(iif($this < 3, $this + 1))", (2, 3)),
            failures=("it finds new items without end",)),
    _inline("aggregate(aggregator [, init])", 1, 2, _E("(1 | 2 | 3).aggregate($this + $total, 0)", (6,))),
    _inline("all(criteria)", 1, 1, _E("(1 | 2).all($this > 0)", (True,)), _E("{}.all(false)", (True,))),
    _inline("exists([criteria])", 0, 1, _E("(1 | 2).exists($this > 1)", (True,)), _E("{}.exists()", (False,))),
    _inline("empty()", 0, 0, _E("{}.empty()", (True,)), _E("(1).empty()", (False,))),
    _inline("count()", 0, 0, _E("(1 | 2).count()", (2,)), _E("{}.count()", (0,))),
    _inline("not()", 0, 0, _E("true.not()", (False,)), _E("{}.not()", ()), failures=(_MANY,)),
    _inline("first()", 0, 0, _E("(1 | 2).first()", (1,)), _E("{}.first()", ())),
    _inline("last()", 0, 0, _E("(1 | 2).last()", (2,)), _E("{}.last()", ())),
    _inline("iif(criterion, true-result [, otherwise-result])", 2, 3, _E("iif(1 > 2, 'a', 'b')", ("b",)),
            _E("iif({}, 'a')", ()), failures=("the criterion is more than one item",)),
    _inline("is(type)", 1, 1, _E("1.is(Integer)", (True,)), failures=(_MANY,)),
    _inline("as(type)", 1, 1, _E("1.as(String)", ()), failures=(_MANY,)),
    _inline("ofType(type)", 1, 1, _E("(1 | 'a').ofType(String)", ("a",))),
)  # fmt: skip
