"""Ways a text can be written, as tests; a field has a format when every one of its values passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from bridge.mappings.schema import matcher

YES_NO = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"1", "0"}, {"x"}, {"si", "no"}, {"sí", "no"})
"""The spellings of a flag, in small letters."""

OTHER_DATES = {
    "month/day/year": ("%m/%d/%Y", r"\d{1,2}/\d{1,2}/\d{4}"),
    "day/month/year": ("%d/%m/%Y", r"\d{1,2}/\d{1,2}/\d{4}"),
    "year/month/day": ("%Y/%m/%d", r"\d{4}/\d{1,2}/\d{1,2}"),
    "day.month.year": ("%d.%m.%Y", r"\d{1,2}\.\d{1,2}\.\d{4}"),
    "month-day-year": ("%m-%d-%Y", r"\d{1,2}-\d{1,2}-\d{4}"),
    "day-month-year": ("%d-%m-%Y", r"\d{1,2}-\d{1,2}-\d{4}"),
    "month/day/short year": ("%m/%d/%y", r"\d{1,2}/\d{1,2}/\d{2}"),
    "day month-name year": ("%d %b %Y", r"\d{1,2} [A-Za-z]{3} \d{4}"),
    "day-month-name-year": ("%d-%b-%Y", r"\d{1,2}-[A-Za-z]{3}-\d{4}"),
    "month-name day, year": ("%B %d, %Y", r"[A-Za-z]{3,9} \d{1,2}, \d{4}"),
    "month/day/year hour:minute": ("%m/%d/%Y %H:%M", r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}"),
    "month/day/year hour:minute AM": ("%m/%d/%Y %I:%M %p", r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2} [AaPp][Mm]"),
    "year-month-day hour:minute:second with blanks": ("%Y-%m-%d %H:%M:%S", r"\d{4}-\d{1,2}-\d{1,2} +\d{1,2}:\d\d:\d\d"),
}
"""Days written otherwise than as moments: name → (pattern as DuckDB's and Python's strptime have it, its shape)."""

_LONGEST_NAME = 100


def _shaped(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _dated(pattern: str, shape: str) -> Callable[[str], bool]:
    shaped = re.compile(shape)

    def fits(text: str) -> bool:
        if shaped.fullmatch(text) is None:
            return False
        try:
            return bool(datetime.strptime(text, pattern))
        except ValueError:
            return False

    return fits


FORMATS: dict[str, Callable[[str], bool]] = {
    **{name: matcher(name) for name in ("id", "code", "language", "moment")},
    "integer": _shaped(r"[-+]?\d{1,15}"),
    "decimal": _shaped(r"[-+]?\d{1,15}(\.\d{1,9})?"),
    "email": _shaped(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "phone": _shaped(r"(?=(?:\D*\d){7,15}\D*$)\+?[\d\s().x/-]{7,24}"),
    "url": _shaped(r"(?i)(https?|ftp)://\S+"),
    "uuid": _shaped(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "time": _shaped(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?( ?[AaPp][Mm])?"),
    "yes-no": lambda text: any(text.lower() in spelling for spelling in YES_NO),
    "with digit": _shaped(r"[^\d\s]*\d\S*"),
    "machine": _shaped(r"[a-z0-9]+(_[a-z0-9]+)*"),
    "trimmed": lambda text: text == text.strip(),
    "street": _shaped(r"\d+\s+\S.*"),
    **{name: _dated(pattern, shape) for name, (pattern, shape) in OTHER_DATES.items()},
}
"""Every format by name."""

_DATA = [FORMATS[name] for name in ("moment", "decimal", "email", "phone", "url", "uuid", "time", *OTHER_DATES)]


def as_named(name: str) -> bool:
    """Whether a text can be the name of a field. False for what reads like a value: a day, a number, an address."""
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and any(letter.isalpha() for letter in name)
        and not any(fits(name) for fits in _DATA)
    )
