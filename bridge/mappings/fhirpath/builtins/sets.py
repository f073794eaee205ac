"""Functions of whole collections (FHIRPath N1, "Existence", "Subsetting", "Combining", "Tree navigation")."""

from __future__ import annotations

from bridge.mappings.fhirpath.equality import contains, distinct, key_of
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.registry import Example, Function, Style
from bridge.mappings.fhirpath.values import Items, is_number, kind_of, system


def single(items: Items) -> Items:
    """The one item, or nothing. Raises Fault FE01."""
    if len(items) > 1:
        raise Fault("FE01", "single() takes at most one item", "choose one with first() or where()")
    return items


def tail(items: Items) -> Items:
    """All but the first."""
    return items[1:]


def skip(items: Items, number: Items) -> Items:
    """All but the first `number`. Raises Fault FE01, FE02."""
    count = _whole("skip()", number)
    return [] if count is None else items[max(count, 0) :]


def take(items: Items, number: Items) -> Items:
    """The first `number`. Raises Fault FE01, FE02."""
    count = _whole("take()", number)
    return [] if count is None else items[: max(count, 0)]


def item_at(items: Items, number: Items) -> Items:
    """The item at a place counted from 0, nothing outside. Raises Fault FE01, FE02."""
    place = _whole("[ ]", number)
    return [] if place is None or not 0 <= place < len(items) else [items[place]]


def _whole(what: str, number: Items) -> int | None:
    if not number:
        return None
    if len(number) > 1:
        raise Fault("FE01", f"{what} takes one number")
    value = system(number[0])
    if not is_number(value) or value != int(value):  # type: ignore[call-overload]
        raise Fault("FE02", f"{what} takes an Integer, not {kind_of(value)}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def union(items: Items, other: Items) -> Items:
    """Both without repetition."""
    return distinct([*items, *other])


def combine(items: Items, other: Items) -> Items:
    """Both, repetitions kept."""
    return [*items, *other]


def intersect(items: Items, other: Items) -> Items:
    """The items that are in both, without repetition."""
    keys = {key_of(item) for item in other}
    return [item for item in distinct(items) if key_of(item) in keys]


def exclude(items: Items, other: Items) -> Items:
    """The items that are not in the other collection, repetitions kept."""
    keys = {key_of(item) for item in other}
    return [item for item in items if key_of(item) not in keys]


def subset_of(items: Items, other: Items) -> bool:
    """Is every item in the other collection."""
    keys = {key_of(item) for item in other}
    return all(key_of(item) in keys for item in items)


def superset_of(items: Items, other: Items) -> bool:
    """Is every item of the other collection here."""
    return subset_of(other, items)


def is_distinct(items: Items) -> bool:
    """Are there no repetitions."""
    return len(distinct(items)) == len(items)


def is_in(item: object, items: Items) -> bool:
    """`in` of a single item."""
    return contains(items, item)


def _truths(name: str, items: Items) -> list[bool]:
    values = [system(item) for item in items]
    for value in values:
        if not isinstance(value, bool):
            raise Fault("FE02", f"{name}() takes Booleans, not {kind_of(value)}", "compare with = or exists() first")
    return [value for value in values if isinstance(value, bool)]


def all_true(items: Items) -> bool:
    """Are all true. Raises Fault FE02."""
    return all(_truths("allTrue", items))


def any_true(items: Items) -> bool:
    """Is any true. Raises Fault FE02."""
    return any(_truths("anyTrue", items))


def all_false(items: Items) -> bool:
    """Are all false. Raises Fault FE02."""
    return not any(_truths("allFalse", items))


def any_false(items: Items) -> bool:
    """Is any false. Raises Fault FE02."""
    return not all(_truths("anyFalse", items))


def coalesce(items: Items, *others: Items) -> Items:
    """The first collection that is not empty; the input is not one of them."""
    return next((other for other in others if other), [])


def _set(name: str, usage: str, call: object, *examples: Example, arguments: int = 0, gives: str = "Any") -> Function:
    failures = ("an item is not a Boolean",) if name.startswith(("all", "any")) else ()
    if name in ("single", "skip", "take"):
        failures = ("there is more than one item, or the number is not one Integer",)
    return Function(
        name, usage, Style.COLLECTION, call,  # type: ignore[arg-type]
        arguments, arguments, gives=gives, single=gives == "Boolean", failures=failures, examples=examples,
    )  # fmt: skip


_E = Example
SETS: tuple[Function, ...] = (
    _set("allTrue", "allTrue()", all_true, _E("{}.allTrue()", (True,)), gives="Boolean"),
    _set("anyTrue", "anyTrue()", any_true, _E("(true | false).anyTrue()", (True,)), gives="Boolean"),
    _set("allFalse", "allFalse()", all_false, _E("(true | false).allFalse()", (False,)), gives="Boolean"),
    _set("anyFalse", "anyFalse()", any_false, _E("{}.anyFalse()", (False,)), gives="Boolean"),
    _set("subsetOf", "subsetOf(other)", subset_of, _E("(1 | 2).subsetOf(1 | 2 | 3)", (True,)), arguments=1,
         gives="Boolean"),
    _set("supersetOf", "supersetOf(other)", superset_of, _E("(1 | 2).supersetOf(3)", (False,)), arguments=1,
         gives="Boolean"),
    _set("isDistinct", "isDistinct()", is_distinct, _E("(1).combine(1).isDistinct()", (False,)), gives="Boolean"),
    _set("distinct", "distinct()", distinct, _E("(1).combine(1).distinct()", (1,))),
    _set("single", "single()", single, _E("(1 | 2).single()", None), _E("{}.single()", ())),
    _set("tail", "tail()", tail, _E("(1 | 2 | 3).tail()", (2, 3))),
    _set("skip", "skip(number)", skip, _E("(1 | 2 | 3).skip(2)", (3,)), arguments=1),
    _set("take", "take(number)", take, _E("(1 | 2 | 3).take(2)", (1, 2)), arguments=1),
    _set("intersect", "intersect(other)", intersect, _E("(1 | 2).intersect(2 | 3)", (2,)), arguments=1),
    _set("exclude", "exclude(other)", exclude, _E("(1 | 2).exclude(2 | 3)", (1,)), arguments=1),
    _set("union", "union(other)", union, _E("(1 | 2).union(2 | 3)", (1, 2, 3)), arguments=1),
    _set("combine", "combine(other)", combine, _E("(1).combine(1)", (1, 1)), arguments=1),
    Function("coalesce", "coalesce(first, second …)", Style.COLLECTION, coalesce, 1, 8,
             examples=(_E("coalesce({}, 'a', 'b')", ("a",)),)),
)  # fmt: skip
