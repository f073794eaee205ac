"""What a source holds, field by field: types, formats that fit every value, how full, how many different values.

Rows are gone through once and none is kept. Of values only these stay, and only in memory: the few different ones of a
field that has few, with how often each came, and hashes of those of a field in which none came twice so far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bridge.mappings.draft.formats import FORMATS, as_named
from bridge.mappings.records import as_text, tidy
from bridge.mappings.schema import Field
from bridge.model import type_json

FEW = 60
"""The most different values of a field that are counted one by one: a longer list is no enumeration."""
_DISTINCT = 20_000  # beyond it a field has "more than" so many different values
_UNIQUE = 2_000_000  # of a field that could be an id; beyond it nothing is said about whether a value came twice
_WIDE = 1_000  # fields of one object; beyond it they are not described one by one
_DEEPEST = 12
_KEYS_VARY = 4  # an object with so many keys, most of them rare, is a map: its keys may be names


@dataclass(slots=True)
class Node:
    """One field. `seen` counts the objects it could stand in, `filled` those in which it says something.

    `counts` holds the different values with their counts, None once there are more than FEW; `formats` those that
    every text fits; `items` describes the entries of a list and has the same path.
    """

    path: Field = ()
    filled: int = 0
    types: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] | None = field(default_factory=Counter)
    formats: dict[str, Callable[[str], bool]] = field(default_factory=lambda: dict(FORMATS))
    longest: int = 0
    most_words: int = 0
    low: float | None = None
    high: float | None = None
    children: dict[str, Node] = field(default_factory=dict)
    items: Node | None = None
    wide: bool = False
    parents: int = 0
    _hashes: set[int] = field(default_factory=set, repr=False)
    _twice: bool = False

    @property
    def unique(self) -> bool:
        """Whether no value came twice."""
        return not self._twice and self.filled > 0

    @property
    def distinct(self) -> int:
        """How many different values there are; `distinct_known` says whether there are exactly so many."""
        return len(self.counts) if self.counts is not None else len(self._hashes)

    @property
    def distinct_known(self) -> bool:
        return self.counts is not None or not self._twice or len(self._hashes) < _DISTINCT

    @property
    def share(self) -> float:
        """How full the field is, from 0 to 1."""
        return self.filled / self.parents if self.parents else 0.0

    @property
    def is_list(self) -> bool:
        """Whether it is a list wherever it is filled."""
        return self.types.keys() == {"array"}

    @property
    def is_object(self) -> bool:
        """Whether it is an object wherever it is filled, with keys that are fields and not values (names, days)."""
        if self.types.keys() != {"object"} or self.wide or not all(map(as_named, self.children)):
            return False
        rare = [child for child in self.children.values() if child.filled * 4 < self.types["object"]]
        return len(self.children) < _KEYS_VARY or len(rare) * 2 <= len(self.children)

    def take(self, value: Any, depth: int = 0) -> None:
        """One more value that says something."""
        self.filled += 1
        if isinstance(value, dict):
            self.types["object"] += 1
            self._take_object(value, depth)
        elif isinstance(value, list):
            self.types["array"] += 1
            if self.items is None:
                self.items = Node(self.path)
            for one in value:
                self.items.parents += 1
                self.items.take(one, depth)
        elif isinstance(value, bool):
            self.types["boolean"] += 1
            self._count(str(value).lower())
        elif isinstance(value, str):
            self.types["string"] += 1
            self._take_text(value)
        else:
            whole = isinstance(value, int) or float(value).is_integer()
            self.types["integer" if whole else "number"] += 1
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)
            self._count(as_text(value))

    def _take_object(self, value: type_json, depth: int) -> None:
        if self.wide or depth >= _DEEPEST:
            self.wide = True
            return
        for name, inner in value.items():
            child = self.children.get(name)
            if child is None:
                child = self.children[name] = Node((*self.path, name))
            child.take(inner, depth + 1)
        if len(self.children) > _WIDE:
            self.wide = True
            self.children.clear()

    def _take_text(self, text: str) -> None:
        self.longest = max(self.longest, len(text))
        self.most_words = max(self.most_words, len(text.split(None, 64)))
        for name, fits in list(self.formats.items()):
            if not fits(text):
                del self.formats[name]
        self._count(text)

    def _count(self, text: str) -> None:
        if self.counts is not None:
            self.counts[text] += 1
            self._twice = self._twice or self.counts[text] > 1
            if len(self.counts) > FEW:
                self._hashes = set(map(hash, self.counts))
                self.counts = None
            return
        before = len(self._hashes)
        may_be_id = not self._twice and ("id" in self.formats or not self.types["string"])
        if before < (_UNIQUE if may_be_id else _DISTINCT):
            self._hashes.add(hash(text))
            self._twice = self._twice or len(self._hashes) == before
        else:
            self._twice = True


def profile(rows: Iterable[type_json], names: Iterable[str] = ()) -> Node:
    """The fields of a source, as the fields of one object; `names` are those known to be there though never filled."""
    root = Node()
    for name in names:
        root.children[name] = Node((name,))
    for row in rows:
        root.parents += 1
        plain = tidy(row)
        for name in row:
            if name not in root.children:
                root.children[name] = Node((name,))
        root.take(plain)
    _tell_parents(root)
    return root


def leaves(node: Node, *, listed: bool = False) -> Iterator[tuple[Node, bool]]:
    """Every field that is not taken apart further, and whether it stands in a list; maps are not gone into."""
    if node.is_list and node.items is not None:
        yield from leaves(node.items, listed=True)
    elif node.is_object or not node.path:
        for child in node.children.values():
            yield from leaves(child, listed=listed)
    else:
        yield node, listed


def _tell_parents(node: Node) -> None:
    for child in node.children.values():
        child.parents = node.types["object"]
        _tell_parents(child)
    if node.items is not None:
        _tell_parents(node.items)
