"""The parts of a mapping: each template read from its file, with what it reads, ready to be rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.mappings.checks import Checks
from bridge.mappings.labels import Uses
from bridge.mappings.reads import Reads, Variable
from bridge.mappings.source import Path
from bridge.mappings.template import Expression, Template, unwrapped

OWN_KEYS = ("about", "when", "each", "key", "person")
_EXPRESSION = re.compile(r"\{\{\+?\s*([\s\S]+?)\s*\+?\}\}|\{\[\s*([\s\S]+?)\s*\]\}")
_IF = re.compile(r"\{%\s*if\s+(.+?)\s*%\}")
_ELSE = re.compile(r"\{%\s*else\s*%\}")
_FOR = re.compile(r"\{%\s*for\s+(?:(\w+)\s*,\s*)?(\w+)\s+in\s+(.+?)\s*%\}")
_MERGE = re.compile(r"\{%\s*merge\s*%\}")
_ASSIGN = re.compile(r"\{%\s*assign\s*%\}")
_GIVEN = {"tables": Variable(), "agency": Variable(), "context": Variable(frozenset({()}))}


@dataclass(frozen=True, slots=True)
class Section:
    """One entry under a Composition's `section`, rendered alone so that its labels stay its own."""

    template: Template
    labels: frozenset[int]


@dataclass(frozen=True, slots=True)
class PartTemplate:
    """One part a mapping may make: about whom, when, of what, and which labels (by position) each element brings."""

    name: str
    about: str
    type: str
    body: Template
    elements: Mapping[str, frozenset[int]]
    always: frozenset[int]
    sections: tuple[Section, ...]
    when: Expression | None
    each: Expression | None
    key: Expression
    person: Expression | None


class Reader:
    """Reads the parts of one mapping file."""

    def __init__(self, checks: Checks) -> None:
        self.checks = checks
        self._reads = checks.reads
        self._labels = checks.brought
        self._wrong = checks.wrong

    def part(self, name: str, value: dict[str, Any], path: Path) -> PartTemplate:
        """The part as far as it can be read."""
        self.checks.about = about = str(value.get("about", ""))
        variables = dict(_GIVEN)
        always = Uses()
        each = self._own(value, "each", path, variables, always)
        if each is not None:
            variables["item"] = Variable(frozenset(self._reads(each.text, (*path, "each"), variables).passes))
        own = {key: self._own(value, key, path, variables, always) for key in ("when", "key", "person")}
        type_ = str(value.get("resourceType", ""))
        body = {key: inner for key, inner in value.items() if key not in OWN_KEYS}
        sections: tuple[Section, ...] = ()
        if type_ == "Composition" and isinstance(body.get("section"), list):
            entries = body.pop("section")
            sections = tuple(
                Section(Template([entry]), self._labels(self._uses(entry, (*path, "section", i), variables), path))
                for i, entry in enumerate(entries)
            )
        elements: dict[str, tuple[Path, Uses]] = {}
        self._elements(body, path, variables, Uses(), elements)
        return PartTemplate(
            name=name,
            about=about,
            type=type_,
            body=Template(body),
            elements={key: self._labels(uses, place) for key, (place, uses) in elements.items()},
            always=self._labels(always, path),
            sections=sections,
            when=own["when"],
            each=each,
            key=own["key"] or Expression("%item.id"),
            person=own["person"],
        )

    def condition(self, text: str, path: Path) -> Expression:
        """An expression outside any part; its problems are added."""
        self._reads(unwrapped(text), path, _GIVEN)
        return Expression(text)

    def _own(
        self, value: dict[str, Any], key: str, path: Path, variables: Mapping[str, Variable], always: Uses
    ) -> Expression | None:
        if key not in value:
            return None
        text = str(value[key])
        reads = self._reads(unwrapped(text), (*path, key), variables)
        always.add(Uses(reads.read - reads.passes, reads.asked | reads.passes) if key == "each" else _uses(reads))
        return Expression(text)

    def _elements(
        self,
        value: dict[str, Any],
        path: Path,
        variables: dict[str, Variable],
        under: Uses,
        found: dict[str, tuple[Path, Uses]],
    ) -> None:
        """The uses of each top-level element, with those of the conditions it stands under."""
        branch = under
        self._blocks(value, path)
        for key, inner in _in_order(value):
            here = (*path, key)
            if _ASSIGN.fullmatch(key):
                self._assign(inner, here, variables)
            elif (test := _IF.fullmatch(key)) or _ELSE.fullmatch(key):
                if test:
                    branch = Uses().add(under, _uses(self._reads(test[1], here, variables)))
                self._branch(inner, here, variables, branch, found)
            elif _MERGE.fullmatch(key):
                for index, one in enumerate(inner if isinstance(inner, list) else [inner]):
                    self._branch(one, (*here, index) if isinstance(inner, list) else here, variables, under, found)
            elif _FOR.fullmatch(key):
                self._wrong("mapping-shape", here, "a part is one resource: use `each` to make several", key)
            else:
                found.setdefault(key, (here, Uses()))[1].add(under, self._uses(inner, here, variables, key))

    def _blocks(self, value: dict[str, Any], path: Path) -> None:
        """What the engine takes in one object: one condition or one merge."""
        kinds = [one for key in value for one in (_IF, _ELSE, _FOR, _MERGE) if one.fullmatch(key)]
        if kinds.count(_IF) > 1 or kinds.count(_MERGE) > 1 or (_MERGE in kinds and _IF in kinds):
            self._wrong(
                "mapping-shape", path, "one object has one `if` or one `merge`: put each in its own under `merge`"
            )
        if _ELSE in kinds and _IF not in kinds:
            self._wrong("mapping-shape", path, "an `else` goes with an `if` in the same object")

    def _branch(
        self, value: Any, path: Path, variables: dict[str, Variable], under: Uses, found: dict[str, tuple[Path, Uses]]
    ) -> None:
        if isinstance(value, dict):
            self._elements(value, path, dict(variables), under, found)
        else:
            self._wrong("mapping-shape", path, "this must be an object: it becomes elements of the resource")

    def _uses(self, value: Any, path: Path, variables: Mapping[str, Variable], key: str = "") -> Uses:
        """Every field that goes into a piece of template."""
        uses = Uses()
        if key.startswith(("{%", "{{")):
            self._wrong("mapping-shape", path, "no such block: there are if, else, for, merge and assign", key)
        elif isinstance(value, str):
            for expression in self._expressions(value, path):
                uses.add(_uses(self._reads(expression, path, variables)))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                uses.add(self._uses(inner, (*path, index), variables))
        elif isinstance(value, dict):
            inside = dict(variables)
            self._blocks(value, path)
            for name, inner in _in_order(value):
                here = (*path, name)
                if _ASSIGN.fullmatch(name):
                    self._assign(inner, here, inside)
                elif test := _IF.fullmatch(name):
                    uses.add(_uses(self._reads(test[1], here, inside)), self._uses(inner, here, inside))
                elif _ELSE.fullmatch(name) or _MERGE.fullmatch(name):
                    uses.add(self._uses(inner, here, inside))
                elif loop := _FOR.fullmatch(name):
                    if len(value) > 1:
                        self._wrong("mapping-shape", here, "a loop stands alone in its object")
                    reads = self._reads(loop[3], here, inside)
                    names = {loop[2]: Variable(reads.passes)} | ({loop[1]: Variable()} if loop[1] else {})
                    uses.add(Uses(reads.read - reads.passes, reads.asked | reads.passes))
                    uses.add(self._uses(inner, here, {**inside, **names}))
                else:
                    uses.add(self._uses(inner, here, inside, name))
        return uses

    def _assign(self, value: Any, path: Path, variables: dict[str, Variable]) -> None:
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            here = (*path, index) if isinstance(value, list) else path
            if not isinstance(one, dict) or len(one) != 1:
                self._wrong("mapping-shape", here, "an assignment is a list of single names, each with its value")
                continue
            name, inner = next(iter(one.items()))
            whole = _EXPRESSION.fullmatch(inner) if isinstance(inner, str) else None
            uses = self._uses(inner, (*here, name), variables)
            passes = self._reads(unwrapped(inner), here, variables).passes if whole else frozenset()
            variables[name] = Variable(passes, frozenset(uses.read))

    def _expressions(self, text: str, path: Path) -> Iterator[str]:
        lists = [match for match in _EXPRESSION.finditer(text) if match[2] is not None]
        if lists and lists[0].span() != (0, len(text)):
            self._wrong("mapping-shape", path, "`{[ ]}` gives a list: nothing may stand beside it")
        for match in _EXPRESSION.finditer(text):
            yield match[1] or match[2]
        if "{{" in _EXPRESSION.sub("", text) or "{[" in _EXPRESSION.sub("", text):
            self._wrong("mapping-shape", path, "an expression is opened and not closed")


def _uses(reads: Reads) -> Uses:
    return Uses(set(reads.read), set(reads.asked))


def _in_order(value: dict[str, Any]) -> list[tuple[str, Any]]:
    """Assignments first, then conditions before their `else`, as the engine takes them."""
    rank = {_ASSIGN: 0, _IF: 1, _ELSE: 2}
    return sorted(value.items(), key=lambda item: next((rank[one] for one in rank if one.fullmatch(item[0])), 3))
