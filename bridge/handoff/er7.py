"""HL7 v2 as text (ER7), as far as document messages need it, and what an acknowledgement says.

Sources: HL7 v2.5.1 chapter 2 (2.7 use of escape sequences, 2.9 acknowledgements, 2.15.9 MSH), read 2026-11. Our own,
because of the two libraries that write it python-hl7 0.4.5 escapes é as \\Xe9\\ whatever the character set says, and
hl7apy 1.3.5 leaves & as it is and dates the message by its own clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

FIELD, COMPONENT, REPETITION, ESCAPE, SUBCOMPONENT = "|", "^", "~", "\\", "&"
ENCODING = f"{COMPONENT}{REPETITION}{ESCAPE}{SUBCOMPONENT}"
END = "\r"
CHARSET = "UNICODE UTF-8"  # table 0211

_ESCAPES = {
    ord(FIELD): "\\F\\",
    ord(COMPONENT): "\\S\\",
    ord(REPETITION): "\\R\\",
    ord(ESCAPE): "\\E\\",
    ord(SUBCOMPONENT): "\\T\\",
    ord("\n"): "\\.br\\",
}
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_LINE_ENDS = re.compile("\r\n|\r")
_ERROR_CODE = re.compile(r"\d{3}")  # table 0357


def text(value: str) -> str:
    """The words as one field holds them: no separator, no line end, no control character stands in it as itself."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", value)).translate(_ESCAPES)


def composite(*components: str) -> str:
    """Words as the components of one field, without the empty ones at its end."""
    return COMPONENT.join(map(text, components)).rstrip(COMPONENT)


def segment(name: str, fields: dict[int, str]) -> str:
    """A segment of fields that are encoded already, by their numbers; without the empty ones at its end."""
    last = max((number for number, value in fields.items() if value), default=0)
    return FIELD.join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def header(fields: dict[int, str]) -> str:
    """The MSH, whose first two fields are the separators themselves."""
    return segment("MSH", {1: ENCODING, **{number - 1: value for number, value in fields.items()}})


def instant(microseconds: int) -> str:
    """An instant in UTC, to the second."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y%m%d%H%M%S+0000")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """MSA-1, MSA-2, and the codes of its errors (ERR-3, of 2.5 on; table 0357); never its words."""

    code: str
    control: str
    errors: tuple[str, ...] = ()


def acknowledgement(message: bytes) -> Acknowledgement | None:
    """The acknowledgement in a message, whatever its separators are; None where it is none."""
    said = message.decode("utf-8", "replace").strip("\r\n\x00")
    if not said.startswith("MSH") or len(said) < 8:
        return None
    field, component = said[3], said[4]
    found: Acknowledgement | None = None
    errors: list[str] = []
    for line in re.split("[\r\n]+", said):
        name, *fields = line.split(field)
        if name == "MSA" and len(fields) > 1 and found is None:
            found = Acknowledgement(fields[0].strip().upper(), fields[1].strip())
        elif name == "ERR" and len(fields) > 2:
            code = fields[2].split(component)[0]
            errors += [code] if _ERROR_CODE.fullmatch(code) else []
    return Acknowledgement(found.code, found.control, tuple(errors)) if found is not None else None
