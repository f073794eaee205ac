"""Records, expressions and templates made at random, for the differential test and the fuzzer."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_TEXT: dict[str, Any] = {"type": "string"}
_INTEGER: dict[str, Any] = {"type": "integer"}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": fields}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_GOAL = _object(title=_TEXT, status=_TEXT, progress=_INTEGER, tags=_list(_TEXT))
SCHEMA: dict[str, Any] = _object(
    place=_TEXT, summary=_TEXT, duration=_INTEGER, score={"type": "number"}, done={"type": "boolean"},
    born={"type": "string", "format": "date"}, started={"type": "string", "format": "date-time"},
    staff=_object(name=_TEXT, role=_TEXT, level=_INTEGER), topics=_list(_TEXT), counts=_list(_INTEGER),
    goals=_list(_GOAL),
)  # fmt: skip
"""What a generated record looks like; every field may be missing."""

_WORDS = ("home", "office", "a", "b", "", "Casa", "ab-cd", "active", "met", " x ", "ñandú")
words = st.sampled_from(_WORDS)
integers = st.integers(-3, 12)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A record of SCHEMA with some of its fields."""
    goal = st.fixed_dictionaries(
        {}, optional={"title": words, "status": words, "progress": integers, "tags": st.lists(words, max_size=3)}
    )
    fields: dict[str, st.SearchStrategy[Any]] = {
        "place": words,
        "summary": words,
        "duration": integers,
        "score": st.sampled_from([0.5, 1.5, 2.25, -1.0]),
        "done": st.booleans(),
        "born": st.sampled_from(["2020-02-29", "2021-01-31", "2024-12-01"]),
        "started": st.sampled_from(["2026-03-02T10:00:00-05:00", "2026-03-02T15:00:00Z", "2025-12-31T23:59:59Z"]),
        "staff": st.fixed_dictionaries({}, optional={"name": words, "role": words, "level": integers}),
        "topics": st.lists(words, max_size=4),
        "counts": st.lists(integers, max_size=4),
        "goals": st.lists(goal, max_size=3),
    }
    names = draw(st.sets(st.sampled_from(sorted(fields)), min_size=2))
    return {name: draw(fields[name]) for name in sorted(names)}


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class _Grammar:
    """Expressions by what they yield. `here` names what may be read at this place: the record or one goal."""

    def __init__(self, draw: st.DrawFn, record: bool = True) -> None:
        self._draw = draw
        self._record = record

    def one(self, *choices: str) -> str:
        return self._draw(st.sampled_from(choices))

    def text(self, depth: int) -> str:
        """One string, or nothing."""
        leaves = (
            ("place", "summary", "staff.name", "staff.role") if self._record else ("title", "status", "$this.title")
        )
        kind = self._draw(st.integers(0, 12)) if depth else self._draw(st.integers(0, 1))
        if kind == 0:
            return self.one(*leaves)
        if kind == 1:
            return _quoted(self._draw(words))
        if kind in (2, 3):
            return f"({self.text(depth - 1)} {self.one('&', '+')} {self.text(depth - 1)})"
        if kind in (4, 5):
            return f"{self.text(depth - 1)}.{self.one('upper()', 'lower()', 'trim()')}"
        if kind == 6:
            return f"{self.text(depth - 1)}.substring({self._draw(st.integers(0, 4))})"
        if kind == 7:
            return f"{self.text(depth - 1)}.replace({_quoted(self.one('a', 'o', '-'))}, {_quoted(self.one('', 'z'))})"
        if kind == 8:
            return f"iif({self.truth(depth - 1)}, {self.text(depth - 1)}, {self.text(depth - 1)})"
        if kind == 9:
            return f"{self.number(depth - 1)}.toString()"
        if kind == 10:
            return f"{self.many(depth - 1)}.{self.one('first()', 'last()')}"
        if kind == 11:
            return f"{self.many(depth - 1)}[{self._draw(st.integers(0, 2))}]"
        return f"{self.many(depth - 1)}.join({_quoted(self.one(',', ''))})"

    def number(self, depth: int) -> str:
        """One Integer, or nothing."""
        leaves = ("duration", "staff.level") if self._record else ("progress",)
        kind = self._draw(st.integers(0, 7)) if depth else self._draw(st.integers(0, 1))
        if kind == 0:
            return self.one(*leaves)
        if kind == 1:
            return str(self._draw(st.integers(0, 9)))
        if kind in (2, 3):
            return f"({self.number(depth - 1)} {self.one('+', '-', '*', 'div', 'mod')} {self.number(depth - 1)})"
        if kind == 4:
            return f"{self.text(depth - 1)}.length()"
        if kind == 5:
            return f"{self.many(depth - 1)}.count()"
        if kind == 6:
            return f"{self.text(depth - 1)}.indexOf({_quoted(self.one('a', 'o', ''))})"
        return f"(-{self.number(depth - 1)}).abs()" if self._draw(st.booleans()) else f"{self.number(depth - 1)}.abs()"

    def truth(self, depth: int) -> str:
        """One Boolean, or nothing."""
        leaves = (
            ("done", "true", "false", "(done = true)")
            if self._record
            else ("true", "(progress > 2)", "(status = 'met')")
        )
        kind = self._draw(st.integers(0, 10)) if depth else 0
        if kind == 0:
            return self.one(*leaves)
        if kind == 1:
            return f"({self.text(depth - 1)} {self.one('=', '!=', '~', '!~')} {self.text(depth - 1)})"
        if kind == 2:
            return f"({self.number(depth - 1)} {self.one('<', '>', '<=', '>=', '=', '!=')} {self.number(depth - 1)})"
        if kind in (3, 4):
            operator = self.one("and", "or", "xor", "implies")
            return f"({self.truth(depth - 1)} {operator} {self.truth(depth - 1)})"
        if kind == 5:
            return f"{self.truth(depth - 1)}.not()"
        if kind == 6:
            return f"{self.many(depth - 1)}.{self.one('exists()', 'empty()', 'isDistinct()')}"
        if kind == 7:
            return f"({self.text(depth - 1)} in {self.many(depth - 1)})"
        if kind == 8:
            name = self.one("startsWith", "endsWith", "contains")
            return f"{self.text(depth - 1)}.{name}({_quoted(self.one('a', 'ho', ''))})"
        if kind == 9 and self._record:
            inner = _Grammar(self._draw, record=False).truth(depth - 1)
            return f"goals.{self.one('exists', 'all')}({inner})"
        return f"{self.many(depth - 1)}.{self.one('subsetOf', 'supersetOf')}({self.many(depth - 1)})"

    def many(self, depth: int) -> str:
        """Any number of strings."""
        leaves = ("topics", "goals.title", "goals.tags", "goals.status") if self._record else ("tags", "title")
        kind = self._draw(st.integers(0, 8)) if depth else 0
        if kind == 0:
            return self.one(*leaves)
        if kind == 1:
            return f"({self.many(depth - 1)} | {self.many(depth - 1)})"
        if kind == 2:
            name = self.one("union", "combine", "intersect", "exclude")
            return f"{self.many(depth - 1)}.{name}({self.many(depth - 1)})"
        if kind == 3:
            return f"{self.many(depth - 1)}.{self.one('tail()', 'distinct()', 'skip(1)', 'take(2)')}"
        if kind == 4:
            return f"{self.many(depth - 1)}.where({self.one('$this', '$this.lower()')} = {_quoted(self._draw(words))})"
        if kind == 5:
            return f"{self.many(depth - 1)}.select($this & {_quoted(self._draw(words))})"
        if kind in (6, 7) and self._record:
            inner = _Grammar(self._draw, record=False)
            inside = inner.text(depth - 1) if kind == 6 else inner.truth(depth - 1)
            return f"goals.select({inside})" if kind == 6 else f"goals.where({inside}).title"
        return f"iif({self.truth(depth - 1)}, {self.many(depth - 1)}, {self.many(depth - 1)})"

    def decimal(self, depth: int) -> str:
        """One Decimal or Integer, or nothing."""
        kind = self._draw(st.integers(0, 5)) if depth else 0
        if kind == 0:
            return self.one("score", "1.5", "duration", "0.25", "10")
        if kind in (1, 2):
            return f"({self.decimal(depth - 1)} {self.one('+', '-', '*', '/')} {self.decimal(depth - 1)})"
        if kind == 3:
            return f"{self.decimal(depth - 1)}.{self.one('ceiling()', 'floor()', 'truncate()', 'round(1)', 'abs()')}"
        if kind == 4:
            return f"{self.decimal(depth - 1)}.{self.one('sqrt()', 'power(2)', 'toDecimal()', 'exp().round(2)')}"
        return f"{self.text(depth - 1)}.{self.one('toDecimal()', 'toInteger()')}"

    def typed(self, depth: int) -> str:
        """Conversions, aggregates and indexes."""
        return self.one(
            f"{self.text(depth)}.{self.one('toBoolean()', 'convertsToInteger()', 'convertsToDate()', 'toChars()')}",
            f"{self.number(depth)}.{self.one('convertsToBoolean()', 'toBoolean()', 'toString()', 'toDecimal()')}",
            f"counts.aggregate({self.one('$this + $total', 'iif($total > $this, $total, $this)')}, 0)",
            "counts.select($this * $index)", "counts.where($index > 0)", "counts.where($this > 3).first()",
            f"(1 | 'a' | true).where($this {self.one('=', '!=')} {self.one('1', chr(39) + 'a' + chr(39))})",
            "topics.select($index.toString() & $this)", f"{self.many(depth)}.single()",
            f"{self.many(depth)} {self.one('=', '!=', '~')} {self.many(depth)}",
            "goals.repeat(tags)", "goals.children().count()", "goals.select(progress).aggregate($total + $this, 0)",
            f"{self.text(depth)}.matches({_quoted(self.one('^[a-z]+$', 'o', '[0-9]'))})",
            f"{self.text(depth)}.replaceMatches({_quoted(self.one('[aeo]', '^h'))}, {_quoted(self.one('', '_'))})",
            f"{self.text(depth)}.{self.one('encode', 'decode')}({_quoted(self.one('hex', 'base64'))})",
            f"{self.text(depth)}.split({_quoted(self.one('a', '-'))})",
        )  # fmt: skip

    def moment(self) -> str:
        """Dates, comparisons and calendar arithmetic on fields of the record."""
        amount = f"{self._draw(st.integers(0, 40))} {self.one('days', 'months', 'years', 'weeks')}"
        literal = self.one("@2021-01-31", "@2020", "@2024-02-29")
        return self.one(
            f"{literal} {self.one('+', '-')} {amount}",
            f"{literal} {self.one('<', '>', '=', '<=')} @2021-01-31",
            "born", "started", "born.substring(0, 4)",
        )  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression over a record of SCHEMA."""
    grammar = _Grammar(draw)
    kind = draw(st.integers(0, 11))
    if kind == 11:
        return grammar.moment()
    made = (grammar.text, grammar.number, grammar.truth, grammar.many, grammar.decimal, grammar.typed)
    return made[kind % 6](draw(st.integers(0, depth)))


@st.composite
def templates(draw: st.DrawFn, depth: int = 3) -> Any:
    """A template over a record of SCHEMA with every construct."""
    return _Templates(draw).node(depth, ())


class _Templates:
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._grammar = _Grammar(draw)

    def node(self, depth: int, names: tuple[str, ...]) -> Any:
        """Any template node; `names` are the variables defined above it."""
        kind = self._draw(st.integers(0, 9)) if depth else self._draw(st.integers(0, 4))
        if kind == 0:
            return self._draw(st.sampled_from(["text", 1, 2.5, True, False, "x y"]))
        if kind in (1, 2):
            return "{{ " + self._expression(names) + " }}"
        if kind == 3:
            return f"p/{{{{ {self._text(names)} }}}}/{{{{ {self._text(names)} }}}}"
        if kind == 4:
            return "{[ " + self._expression(names) + " ]}"
        if kind == 5:
            return [self.node(depth - 1, names) for _ in range(self._draw(st.integers(0, 3)))]
        if kind == 6:
            return self._loop(depth, names)
        return self.structure(depth, names)

    def structure(self, depth: int, names: tuple[str, ...]) -> dict[str, Any]:
        """An object, perhaps with assign, merge or if."""
        found: dict[str, Any] = {}
        kind = self._draw(st.integers(0, 6))
        if kind == 0:
            name = f"v{len(names)}"
            found["{% assign %}"] = [{name: self.node(depth - 1, names)}]
            names = (*names, name)
        for key in self._draw(st.sets(st.sampled_from("abcd"), max_size=3)):
            found[key] = self.node(depth - 1, names)
        if kind == 1:
            found["{% merge %}"] = [self._plain(depth - 1, names), self._plain(depth - 1, names)]
        if kind in (2, 3):
            condition = self._grammar.truth(1)
            found[f"{{% if {condition} %}}"] = self._plain(depth - 1, names)
            if self._draw(st.booleans()):
                found["{% else %}"] = self._plain(depth - 1, names)
        return found

    def _plain(self, depth: int, names: tuple[str, ...]) -> dict[str, Any]:
        keys = self._draw(st.sets(st.sampled_from("abef"), min_size=1, max_size=2))
        return {key: self.node(max(depth - 1, 0), names) for key in sorted(keys)}

    def _loop(self, depth: int, names: tuple[str, ...]) -> dict[str, Any]:
        name = f"i{len(names)}"
        source = self._draw(st.sampled_from(["topics", "goals", "goals.title", "counts"]))
        indexed: bool = self._draw(st.booleans())
        header = f"n{name}, {name}" if indexed else name
        return {f"{{% for {header} in {source} %}}": self.node(depth - 1, (*names, name))}

    def _expression(self, names: tuple[str, ...]) -> str:
        named: bool = self._draw(st.booleans())
        if names and named:
            path = self._draw(st.sampled_from(["", ".title", ".a", ".count()"]))
            return f"%{self._draw(st.sampled_from(names))}{path}"
        kind = self._draw(st.integers(0, 3))
        grammar = self._grammar
        return (grammar.text, grammar.number, grammar.truth, grammar.many)[kind](self._draw(st.integers(0, 2)))

    def _text(self, names: tuple[str, ...]) -> str:
        return self._grammar.text(self._draw(st.integers(0, 1)))
