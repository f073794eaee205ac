"""Order and arithmetic of single values (FHIRPath N1, "Comparison", "Math", "Date/Time Arithmetic").

Operands come as system values and are never None. Overflow and division by zero give None, the empty collection.
"""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from bridge.mappings.fhirpath.limits import LENGTH_OF_TEXT
from bridge.mappings.fhirpath.moments import Moment, order_moments
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import Quantity, add_quantities, multiply_quantities, order_quantities
from bridge.mappings.fhirpath.shifting import shifted
from bridge.mappings.fhirpath.values import is_number, kind_of, quantity_of, system, temporal

LONGEST_INTEGER = 2**63
"""N1 asks for 32 bits at least; 64 hold every identifier and epoch of a record."""
LARGEST_DECIMAL = Decimal(10) ** 28
CONTEXT = Context(prec=38, traps=[InvalidOperation, DivisionByZero, Overflow])


def order(first: object, second: object) -> int | None:
    """-1, 0 or 1; None where it is uncertain. Raises Fault FE05 where the types have no common order."""
    left, right = system(first), system(second)
    if (is_number(left) and is_number(right)) or left.__class__ is str is right.__class__:
        return int(left > right) - int(left < right)  # type: ignore[operator]
    if isinstance(left, Moment) or isinstance(right, Moment):
        left, right = temporal(left), temporal(right)
        if isinstance(left, Moment) and isinstance(right, Moment) and (left.kind == "Time") == (right.kind == "Time"):
            return order_moments(left, right)
    left, right = quantity(left, right), quantity(right, left)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return order_quantities(left, right)
    rule = f"{kind_of(left)} and {kind_of(right)} have no common order"
    raise Fault("FE05", rule, "convert one of them, for example with toInteger() or toDateTime()")


def quantity(value: object, other: object) -> object:
    """A number or FHIR Quantity as a Quantity, where the other operand is one or a FHIR Quantity."""
    if isinstance(value, dict):
        return quantity_of(value) or value
    if is_number(value) and isinstance(other, Quantity | dict):
        return Quantity(Decimal(value), "1")  # type: ignore[arg-type]
    return value


def add(first: object, second: object) -> object:
    """`+`. Raises Fault FE02."""
    left, right = system(first), system(second)
    if is_number(left) and is_number(right):
        return _bounded("+", left, right)
    if left.__class__ is str is right.__class__:
        return joined(left, right)
    return _shift_or_sum(left, right, 1)


def subtract(first: object, second: object) -> object:
    """`-`. Raises Fault FE02."""
    left, right = system(first), system(second)
    if is_number(left) and is_number(right):
        return _bounded("-", left, right)
    return _shift_or_sum(left, right, -1)


def _shift_or_sum(left: object, right: object, sign: int) -> object:
    right = quantity(right, left) if not isinstance(left, str) else quantity(right, right)
    if isinstance(right, Quantity):
        moment = temporal(left)
        if isinstance(moment, Moment):
            return shifted(moment, right, sign)
        left = quantity(left, right)
        if isinstance(left, Quantity):
            return add_quantities(left, right, sign)
    raise _unfit("+" if sign > 0 else "-", left, right)


def multiply(first: object, second: object) -> object:
    """`*`. Raises Fault FE02."""
    left, right = system(first), system(second)
    if is_number(left) and is_number(right):
        return _bounded("*", left, right)
    return _scaled("*", left, right, 1)


def divide(first: object, second: object) -> object:
    """`/`: always a Decimal or Quantity; None for a divisor of zero. Raises Fault FE02."""
    left, right = system(first), system(second)
    if is_number(left) and is_number(right):
        return None if right == 0 else _bounded("/", left, right)
    return _scaled("/", left, right, -1)


def _scaled(sign: str, left: object, right: object, power: int) -> object:
    first, second = quantity(left, right), quantity(right, left)
    if isinstance(first, Quantity) and isinstance(second, Quantity):
        return multiply_quantities(first, second, power)
    raise _unfit(sign, left, right)


def whole_division(first: object, second: object) -> object:
    """`div`: the quotient cut to an Integer; None for a divisor of zero. Raises Fault FE02."""
    left, right = _numbers("div", first, second)
    if right == 0:
        return None
    return bounded(int(CONTEXT.divide_int(left, right))) if abs(left) < abs(right) * LARGEST_DECIMAL else None


def remainder(first: object, second: object) -> object:
    """`mod`: the remainder of the cut division; None for a divisor of zero. Raises Fault FE02."""
    left, right = _numbers("mod", first, second)
    if right == 0 or abs(left) >= abs(right) * LARGEST_DECIMAL:
        return None
    found = CONTEXT.remainder(left, right)
    return int(found) if system(first).__class__ is int is system(second).__class__ else found


def negated(first: object) -> object:
    """Unary `-`. Raises Fault FE02."""
    value = system(first)
    if is_number(value):
        return -value  # type: ignore[operator]
    if isinstance(value, Quantity):
        return Quantity(-value.value, value.unit, value.calendar)
    raise Fault("FE02", f"a sign stands before a number or quantity, not before {kind_of(value)}", "use brackets")


def posited(first: object) -> object:
    """Unary `+`. Raises Fault FE02."""
    negated(first)
    return system(first)


def joined(left: str, right: str) -> str:
    """Both texts as one. Raises Fault FE04."""
    if len(left) + len(right) > LENGTH_OF_TEXT:
        raise Fault("FE04", f"a text has at most {LENGTH_OF_TEXT} characters")
    return left + right


def bounded(value: object) -> object:
    """The number, or None where it is beyond what an Integer or Decimal may hold."""
    if value.__class__ is int:
        return value if -LONGEST_INTEGER <= value < LONGEST_INTEGER else None
    return value if -LARGEST_DECIMAL < value < LARGEST_DECIMAL else None  # type: ignore[operator]


def _bounded(sign: str, left: object, right: object) -> object:
    if left.__class__ is int is right.__class__ and sign != "/":
        a, b = int(left), int(right)
        return bounded(a + b if sign == "+" else a - b if sign == "-" else a * b)
    first, second = Decimal(left), Decimal(right)  # type: ignore[arg-type]
    compute = {"+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply, "/": CONTEXT.divide}[sign]
    return bounded(compute(first, second))


def _numbers(sign: str, first: object, second: object) -> tuple[Decimal, Decimal]:
    left, right = system(first), system(second)
    if not is_number(left) or not is_number(right):
        raise _unfit(sign, left, right)
    return Decimal(left), Decimal(right)  # type: ignore[arg-type]


def _unfit(sign: str, left: object, right: object) -> Fault:
    rule = f"{sign} does not take {kind_of(left)} and {kind_of(right)}"
    return Fault("FE02", rule, "convert one of them, for example with toString() or toQuantity()")
