"""The part of UCUM that community records and primary care meet: enough to compare, add, multiply and divide.

Sources: UCUM (ucum.org), base units and prefixes; customary units defined exactly by NIST SP 811. Units whose scale has
another zero (Cel, [degF]) and arbitrary units keep their own dimension: they compare with themselves only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_PREFIXES = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
_METRIC: dict[str, tuple[str, Fraction]] = {
    "m": ("length", Fraction(1)),
    "g": ("mass", Fraction(1)),
    "s": ("time", Fraction(1)),
    "L": ("length3", Fraction(1, 1000)),
    "l": ("length3", Fraction(1, 1000)),
    "mol": ("amount", Fraction(1)),
    "eq": ("equivalents", Fraction(1)),
    "osm": ("osmoles", Fraction(1)),
    "J": ("energy", Fraction(1)),
    "cal": ("energy", Fraction(4184, 1000)),
    "Pa": ("pressure", Fraction(1)),
    "m[Hg]": ("pressure", Fraction(133322387, 1000)),
    "Hz": ("time-1", Fraction(1)),
    "Cel": ("Cel", Fraction(1)),
    "[iU]": ("[iU]", Fraction(1)),
}
_PLAIN: dict[str, tuple[str, Fraction]] = {
    "1": ("", Fraction(1)),
    "%": ("", Fraction(1, 100)),
    "[ppm]": ("", Fraction(1, 1_000_000)),
    "min": ("time", Fraction(60)),
    "h": ("time", Fraction(3600)),
    "d": ("time", Fraction(86400)),
    "wk": ("time", Fraction(604800)),
    "a": ("time", Fraction(31557600)),
    "mo": ("time", Fraction(2629800)),
    "[lb_av]": ("mass", Fraction(45359237, 100000)),
    "[oz_av]": ("mass", Fraction(45359237, 1600000)),
    "[st_av]": ("mass", Fraction(45359237 * 14, 100000)),
    "[in_i]": ("length", Fraction(254, 10000)),
    "[in_us]": ("length", Fraction(100, 3937)),
    "[ft_i]": ("length", Fraction(3048, 10000)),
    "[mi_i]": ("length", Fraction(1609344, 1000)),
    "[degF]": ("[degF]", Fraction(1)),
    "[pH]": ("[pH]", Fraction(1)),
    "mm[Hg]": ("pressure", Fraction(133322387, 1000000)),
}
_SYMBOL = r"10\*|10\^|[^./{}\d+-]*?\[[^\]]*\]|[^./{}\d+-]+|\d+"
_TERM = re.compile(rf"([./]?)({_SYMBOL})?([+-]?\d+)?((?:\{{[^{{}}]*\}})*)", re.ASCII)
_LONGEST = 60
_HIGHEST = 12


@dataclass(frozen=True, slots=True)
class Unit:
    """How many base units one of it is, and its dimension as sorted (name, exponent) pairs."""

    factor: Fraction
    dimension: tuple[tuple[str, int], ...]


def unit_of(text: str) -> Unit | None:
    """The unit a UCUM code stands for; None when this part of UCUM does not have it."""
    if len(text) > _LONGEST:
        return None
    factor, powers, offset = Fraction(1), dict[str, int](), 0
    while offset < len(text):
        match = _TERM.match(text, offset)
        if match is None or match.end() == offset or (match[1] != "/" and (offset > 0) != bool(match[1])):
            return None
        term = _term(match[2], match[3], match[4])
        if term is None:
            return None
        sign = -1 if match[1] == "/" else 1
        factor *= term.factor**sign
        for name, exponent in term.dimension:
            powers[name] = powers.get(name, 0) + sign * exponent
        offset = match.end()
    return Unit(factor, tuple(sorted((name, power) for name, power in powers.items() if power)))


def _term(symbol: str | None, power: str | None, note: str) -> Unit | None:
    exponent = int(power) if power else 1
    if abs(exponent) > _HIGHEST or (power and power.startswith("+") and symbol not in ("10*", "10^")):
        return None
    if symbol is None:
        return Unit(Fraction(1), ()) if note and not power else None
    if symbol in ("10*", "10^"):
        return Unit(Fraction(10) ** exponent, ())
    if symbol.isdigit():
        return Unit(Fraction(int(symbol)), ()) if not power else None
    found = _symbol(symbol)
    if found is None:
        return None
    dimension, factor = found
    return Unit(factor**exponent, _scaled(dimension, exponent))


def _symbol(symbol: str) -> tuple[str, Fraction] | None:
    if symbol in _PLAIN:
        return _PLAIN[symbol]
    if symbol in _METRIC:
        return _METRIC[symbol]
    for length in (1, 2):
        prefix, rest = symbol[:length], symbol[length:]
        if prefix in _PREFIXES and rest in _METRIC:
            dimension, factor = _METRIC[rest]
            return dimension, factor * Fraction(10) ** _PREFIXES[prefix]
    return None


def _scaled(dimension: str, exponent: int) -> tuple[tuple[str, int], ...]:
    """ "length3" squared is (("length", 6),)."""
    if not dimension:
        return ()
    match = re.fullmatch(r"([a-z]+)(-?\d+)", dimension)
    name, base = (match[1], int(match[2])) if match else (dimension, 1)
    return ((name, base * exponent),)
