"""Where each character of a YAML text stands in its file, whatever its quotes, escapes, folds and indentation."""

from __future__ import annotations

import yaml

from bridge.mappings.fhirpath.problems import Position

_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def text_position(file: str, text: str, node: yaml.ScalarNode) -> Position:
    """The position of a scalar's first character; positions inside it follow from `moved`."""
    start, end = node.start_mark, node.end_mark
    raw = text[start.index : end.index]
    line, column = start.line + 1, start.column + 1
    if raw == node.value:
        if "\n" not in raw:
            return Position(line, column, file)
    elif raw[1:-1] == node.value and "\n" not in raw:
        return Position(line, column + 1, file)
    written = WrittenText(text, node)
    if node.style in ("'", '"'):
        column += 1
    elif node.style in ("|", ">"):
        line, column = written.at(1, 1)
    return Position(line, column, file, written=written)


class WrittenText:
    """One scalar of which the value differs from what is written; compared with it when first asked."""

    __slots__ = ("_end", "_places", "_start", "_starts", "_style", "_text", "_value")

    def __init__(self, text: str, node: yaml.ScalarNode) -> None:
        self._text = text
        self._style = node.style
        self._start = (node.start_mark.index, node.start_mark.line + 1, node.start_mark.column + 1)
        self._end = node.end_mark.index
        self._value: str = node.value
        self._places: list[tuple[int, int]] = []
        self._starts: list[int] = []

    def at(self, line: int, column: int) -> tuple[int, int]:
        """Line and column in the file; of the scalar's beginning where the two cannot be told together."""
        if not self._places:
            self._places = self._aligned()
            self._starts = [0, *(place + 1 for place, one in enumerate(self._value) if one == "\n")]
        place = self._starts[min(line, len(self._starts)) - 1] + column - 1
        return self._places[min(max(place, 0), len(self._places) - 1)]

    def _aligned(self) -> list[tuple[int, int]]:
        """The place of every character of the value, and of its end."""
        reading = _Raw(self._text, *self._start, self._end)
        if self._style in ("|", ">"):
            reading.to_next_line()
        elif self._style in ("'", '"'):
            reading.step(1)
        places: list[tuple[int, int]] = []
        for one in self._value:
            if not one.isspace() or (self._style == '"' and reading.here == "\\"):
                reading.skip_blank(self._style == '"')
            if reading.here == "" and not one.isspace():
                return [self._start[1:]]
            places.append(reading.place)
            if not reading.take(one, self._style):
                return [self._start[1:]]
        return [*places, reading.place]


class _Raw:
    """A cursor over what is written."""

    def __init__(self, text: str, index: int, line: int, column: int, end: int) -> None:
        self._text, self._end = text, end
        self._index, self._line, self._column = index, line, column

    @property
    def here(self) -> str:
        return self._text[self._index] if self._index < self._end else ""

    @property
    def place(self) -> tuple[int, int]:
        return (self._line, self._column)

    def step(self, count: int) -> None:
        for _ in range(count):
            if self.here == "\n":
                self._line, self._column = self._line + 1, 1
            else:
                self._column += 1
            self._index += 1

    def to_next_line(self) -> None:
        while self.here not in ("", "\n"):
            self.step(1)
        self.step(1)

    def skip_blank(self, escaped: bool) -> None:
        """Over blanks and line ends, and over a line end that is escaped."""
        while self.here.isspace() or (escaped and self._text.startswith("\\\n", self._index)):
            self.step(2 if self.here == "\\" else 1)

    def take(self, one: str, style: str | None) -> bool:
        """Go past one character of the value. False where something else is written here."""
        if style == '"' and self.here == "\\":
            self.step(_ESCAPE_LENGTHS.get(self._text[self._index + 1 : self._index + 2], 2))
        elif one.isspace():
            self.step(1 if self.here == one and one != "\n" else 0)
        elif self.here != one:
            return False
        else:
            self.step(2 if style == "'" and one == "'" else 1)
        return True
