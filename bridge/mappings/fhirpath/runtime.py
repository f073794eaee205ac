"""The functions that compiled code calls by name, beside the registry's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bridge.mappings.fhirpath import arithmetic, equality, navigation, typenames
from bridge.mappings.fhirpath.builtins import sets
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import Quantity
from bridge.mappings.fhirpath.running import Run, one_variable, variable
from bridge.mappings.fhirpath.values import Items, as_json, bare, decimal, is_number, kind_of, system, temporal


def only(items: Items) -> object:
    """The single item, None of nothing. Raises Fault FE01."""
    if len(items) > 1:
        rule = "one item is expected here, and there are several"
        raise Fault("FE01", rule, "choose with first(), where() or select()")
    return items[0] if items else None


def truth(items: Items) -> bool | None:
    """A collection as a Boolean: a single item that is none counts as true (N1, "Singleton Evaluation")."""
    return truth_of(only(items))


def truth_of(item: object) -> bool | None:
    """A single item as a Boolean; None of nothing."""
    if item is None:
        return None
    value = bare(item)
    return value if isinstance(value, bool) else True


def both(left: bool | None, right: bool | None) -> bool | None:
    """`and`."""
    if left is False or right is False:
        return False
    return True if left and right else None


def either(left: bool | None, right: bool | None) -> bool | None:
    """`or`."""
    if left or right:
        return True
    return False if left is False and right is False else None


def differ(left: bool | None, right: bool | None) -> bool | None:
    """`xor`."""
    return None if left is None or right is None else left is not right


def implies(left: bool | None, right: bool | None) -> bool | None:
    """`implies`."""
    if left is False or right:
        return True
    return right if left else None


def text_of(item: object) -> str | None:
    """A single item as a String. Raises Fault FE02."""
    value = system(item)
    if value is None or isinstance(value, str):
        return value
    if item.__class__ is not value.__class__ and isinstance(bare(item), str):
        return str(bare(item))
    raise Fault("FE02", f"a String is expected here, not {kind_of(value)}", "convert it with toString()")


def integer_of(item: object) -> int | None:
    """A single item as an Integer. Raises Fault FE02."""
    value = system(item)
    if value is None or value.__class__ is int:
        return value
    raise Fault("FE02", f"an Integer is expected here, not {kind_of(value)}", "convert it with toInteger()")


def number_of(item: object) -> Decimal | int | None:
    """A single item as a number. Raises Fault FE02."""
    value = decimal(item) if item.__class__ is float else system(item)
    if value is None or is_number(value):
        return value  # type: ignore[return-value]
    raise Fault("FE02", f"a number is expected here, not {kind_of(value)}", "convert it with toDecimal()")


def amount_of(item: object) -> object:
    """A single item as a number or Quantity. Raises Fault FE02."""
    value = system(item)
    return value if isinstance(value, Quantity) else number_of(item)


def boolean_of(item: object) -> bool | None:
    """A single item as a Boolean. Raises Fault FE02."""
    value = system(item)
    if value is None or isinstance(value, bool):
        return value
    raise Fault("FE02", f"a Boolean is expected here, not {kind_of(value)}", "compare it with = first")


def concatenated(left: object, right: object) -> str:
    """`&`: nothing counts as the empty text. Raises Fault FE02, FE04."""
    return arithmetic.joined(text_of(left) or "", text_of(right) or "")


def listed(value: object) -> Items:
    """A repeating field of a record; a missing one is empty. Raises Fault FE06."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise Fault("FE06", "the schema says that this repeats, and the record has one value", "validate the record first")


def repeated(run: Run, items: Items, project: Callable[[object, int], Items]) -> Items:
    """repeat(): projections of projections, as long as new items come. Raises Fault FE04."""
    found: dict[object, object] = {}
    level = items
    for _ in range(run.env.limits.rounds):
        fresh: Items = []
        for place, item in enumerate(level):
            for new in project(item, place):
                key = equality.key_of(new)
                if key not in found:
                    found[key] = new
                    fresh.append(new)
        if not fresh:
            return list(found.values())
        run.spend(len(fresh))
        level = fresh
    raise Fault("FE04", f"repeat() looks for new items at most {run.env.limits.rounds} times")


def membership(item: object, items: Items) -> bool | None:
    """`in`: None of nothing."""
    return None if item is None else sets.is_in(item, items)


def united(run: Run, left: Items, right: Items) -> Items:
    """`|`."""
    run.spend(len(left) + len(right))
    return sets.union(left, right)


def written(run: Run, item: object) -> object:
    """An item as JSON for the result, None when nothing is left of it."""
    value = as_json(item)
    if isinstance(value, dict | list):
        run.spend(_size(value))
    return value


def written_all(run: Run, items: Items) -> Items:
    """All items as JSON for the result."""
    run.spend(len(items))
    return [value for item in items if (value := written(run, item)) is not None]


def _size(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(_size(part) for part in value.values())
    return 1 + sum(_size(part) for part in value) if isinstance(value, list) else 1


RUNTIME: dict[str, object] = {
    "len": len,
    "enumerate": enumerate,
    "list": list,
    "only": only,
    "truth": truth,
    "truth_of": truth_of,
    "both": both,
    "either": either,
    "differ": differ,
    "implies": implies,
    "text_of": text_of,
    "integer_of": integer_of,
    "number_of": number_of,
    "amount_of": amount_of,
    "boolean_of": boolean_of,
    "system": system,
    "temporal": temporal,
    "bare": bare,
    "concatenated": concatenated,
    "joined": arithmetic.joined,
    "listed": listed,
    "repeated": repeated,
    "membership": membership,
    "united": united,
    "written": written,
    "written_all": written_all,
    "variable": variable,
    "one_variable": one_variable,
    "step": navigation.step,
    "head": navigation.head,
    "rooted": navigation.rooted,
    "is_of": typenames.is_of,
    "of_type": typenames.of_type,
    "equals": equality.equals,
    "equal_items": equality.equal_items,
    "equivalent": equality.equivalent,
    "order": arithmetic.order,
    "add": arithmetic.add,
    "subtract": arithmetic.subtract,
    "multiply": arithmetic.multiply,
    "divide": arithmetic.divide,
    "whole_division": arithmetic.whole_division,
    "remainder": arithmetic.remainder,
    "negated": arithmetic.negated,
    "posited": arithmetic.posited,
    "item_at": sets.item_at,
}
"""Everything compiled code can name; it has no builtins beside."""
