"""From a parsed YAML or JSON tree to a template; every mistake is an ExpressionError with its place."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from bridge.mappings.fhirpath.limits import DEPTH_OF_TEMPLATE, NODES_OF_TEMPLATE
from bridge.mappings.fhirpath.parser import parse
from bridge.mappings.fhirpath.problems import ExpressionError, Position
from bridge.mappings.fpml.template import (
    Choice,
    Constant,
    Every,
    Expression,
    Json,
    Loop,
    Path,
    Place,
    Positions,
    Sequence,
    Single,
    Structure,
    Template,
    Text,
)
from bridge.mappings.fpml.text import Hole, pieces, within

_BLOCK = re.compile(r"\{%\s*(\w+)\s*(.*?)\s*%\}", re.DOTALL)
_FOR = re.compile(r"(?:(?P<index>[A-Za-z_]\w*)\s*,\s*)?(?P<item>[A-Za-z_]\w*)\s+in\s+(?P<expression>.+)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_BLOCKS = ("assign", "merge", "if", "else", "for")
_OWN_NAMES = frozenset({"context", "resource", "rootResource", "ucum", "sct", "loinc"})


def read_template(tree: object, positions: Positions | None = None, origin: Position | None = None) -> Template:
    """The template. Positions that are not supplied are `origin`. Raises ExpressionError FT01-FT10, FP01-FP03."""
    return _Reader(positions or {}, origin or Position()).node(tree, ())


class _Reader:
    def __init__(self, positions: Positions, origin: Position) -> None:
        self._positions = positions
        self._origin = origin
        self._count = 0

    def node(self, tree: object, path: Path) -> Template:
        position = self._place(path).value
        self._count += 1
        if self._count > NODES_OF_TEMPLATE or len(path) > DEPTH_OF_TEMPLATE:
            rule = f"a template holds at most {NODES_OF_TEMPLATE} values, nested at most {DEPTH_OF_TEMPLATE} deep"
            raise ExpressionError("FT10", position, rule, "split it into parts")
        match tree:
            case dict():
                return self._structure(tree, path)
            case list():
                items = tuple(self.node(item, (*path, place)) for place, item in enumerate(tree))
                return _folded(Sequence(items, path, position))
            case str():
                return self._string(tree, path, position)
            case None | bool() | int():
                return Constant(tree, path, position)
            case float() if math.isfinite(tree):
                return Constant(tree, path, position)
        rule = "a value of a template is text, a number, true, false, null, a list or an object"
        raise ExpressionError("FT09", position, rule, "put it in quotes")

    # ── strings ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _string(self, text: str, path: Path, position: Position) -> Template:
        found = pieces(text, position)
        if found is None:
            return Constant(text, path, position)
        parts = tuple(_expression(part) if isinstance(part, Hole) else part for part in found.parts)
        first = parts[0]
        keep = any(isinstance(part, Hole) and part.keep_null for part in found.parts)
        if found.every and isinstance(first, Expression):
            return Every(first, path)
        if len(parts) == 1 and isinstance(first, Expression):
            return Single(first, keep, path)
        return Text(parts, keep, path, position)

    # ── objects and blocks ────────────────────────────────────────────────────────────────────────────────────────
    def _structure(self, tree: dict[object, object], path: Path) -> Template:
        blocks: dict[str, tuple[str, str]] = {}
        entries: list[tuple[str, Template]] = []
        for key, value in tree.items():
            name = self._key(key, path)
            block = self._block(name, path)
            if block is None:
                entries.append((name, self.node(value, (*path, name))))
            elif block[0] in blocks:
                rule = f"an object has one {block[0]}"
                raise self._error("FT02", (*path, name), rule, "nest them, or use {% merge %}")
            else:
                blocks[block[0]] = (name, block[1])
        values = {kind: tree[key] for kind, (key, _) in blocks.items()}
        keys = {kind: key for kind, (key, _) in blocks.items()}
        assigned = self._assigned(values["assign"], (*path, keys["assign"])) if "assign" in blocks else ()
        merged = self._merged(values["merge"], (*path, keys["merge"])) if "merge" in blocks else ()
        choice, loop = self._choice(blocks, values, path), self._loop(blocks, values, path, len(entries))
        position = self._place(path).value
        found = Structure(assigned, tuple(entries), merged, choice, loop, path, position)
        if choice is not None and not found.replaced:
            self._check_objects([choice.then, choice.otherwise], (*path, keys["if"]))
        return _folded(found)

    def _key(self, key: object, path: Path) -> str:
        if not isinstance(key, str):
            raise self._error("FT09", path, "a key is a text", "put it in quotes (YAML reads yes, on and 1 otherwise)")
        if "{{" in key or "{[" in key:
            raise self._error("FT07", (*path, key), "an expression is no key", "write {% for item in … %}")
        return key

    def _block(self, key: str, path: Path) -> tuple[str, str] | None:
        if "{%" not in key:
            return None
        match = _BLOCK.fullmatch(key)
        if match is None or match[1] not in _BLOCKS or (match[1] in ("if", "for")) != bool(match[2]):
            rule = "a block is {% assign %}, {% merge %}, {% if … %}, {% else %} or {% for item in … %}"
            raise self._error("FT01", (*path, key), rule, "correct its spelling")
        return match[1], match[2]

    def _assigned(self, tree: object, path: Path) -> tuple[tuple[str, Template], ...]:
        found: list[tuple[str, Template]] = []
        several = isinstance(tree, list)
        for place, item in enumerate(tree if isinstance(tree, list) else [tree]):
            where: Path = (*path, place) if several else path
            if not isinstance(item, dict) or len(item) != 1:
                rule = "assign holds a list of objects with one name each"
                raise self._error("FT04", where, rule, 'write - name: "{{ expression }}" for each')
            ((name, value),) = item.items()
            self._check_name(name, where)
            found.append((str(name), self.node(value, (*where, str(name)))))
        return tuple(found)

    def _merged(self, tree: object, path: Path) -> tuple[Template, ...]:
        several = isinstance(tree, list)
        found = tuple(
            self.node(item, (*path, place) if several else path)
            for place, item in enumerate(tree if isinstance(tree, list) else [tree])
        )
        self._check_objects(found, path)
        return found

    def _choice(self, blocks: dict[str, tuple[str, str]], values: dict[str, object], path: Path) -> Choice | None:
        if "if" not in blocks:
            if "else" in blocks:
                raise self._error("FT02", (*path, blocks["else"][0]), "an else stands beside its if", "add the if")
            return None
        key, text = blocks["if"]
        condition = self._in_key(key, text, (*path, key))
        otherwise = self.node(values["else"], (*path, blocks["else"][0])) if "else" in blocks else None
        return Choice(condition, self.node(values["if"], (*path, key)), otherwise)

    def _loop(
        self, blocks: dict[str, tuple[str, str]], values: dict[str, object], path: Path, others: int
    ) -> Loop | None:
        if "for" not in blocks:
            return None
        key, text = blocks["for"]
        if others or len(blocks.keys() - {"assign"}) > 1:
            raise self._error("FT03", (*path, key), "a for stands alone in its object", "move the rest beside it")
        match = _FOR.fullmatch(text)
        if match is None:
            raise self._error("FT01", (*path, key), "a loop is {% for item in … %}", "or {% for index, item in … %}")
        for name in (match["item"], match["index"]):
            if name is not None:
                self._check_name(name, (*path, key))
        expression = self._in_key(key, match["expression"], (*path, key))
        return Loop(expression, match["item"], match["index"] or "", self.node(values["for"], (*path, key)))

    # ── places ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _in_key(self, key: str, text: str, path: Path) -> Expression:
        position = within(key, key.rindex(text), self._place(path).key)
        return Expression(text, parse(text, position), position)

    def _check_name(self, name: object, path: Path) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._error("FT04", path, "a name consists of letters, digits and underscores", "rename it")
        if name in _OWN_NAMES:
            raise self._error("FT04", path, f"%{name} is FHIRPath's own", "choose another name")

    def _check_objects(self, found: object, path: Path) -> None:
        for item in found if isinstance(found, list | tuple) else ():
            if isinstance(item, Every | Text | Sequence) or (isinstance(item, Constant) and _is_value(item)):
                rule = "what is merged into an object is an object"
                raise self._error("FT05", path, rule, "give it a key of its own")

    def _place(self, path: Path) -> Place:
        known = (self._positions.get(path[:length]) for length in range(len(path), -1, -1))
        found = next((place for place in known if place is not None), Place(self._origin, self._origin))
        text = ".".join(str(part) for part in path)
        return Place(replace(found.value, path=text), replace(found.key, path=text))

    def _error(self, code: str, path: Path, rule: str, step: str) -> ExpressionError:
        return ExpressionError(code, self._place(path).key, rule, step)


def _expression(hole: Hole) -> Expression:
    return Expression(hole.text, parse(hole.text, hole.position), hole.position)


def _is_value(constant: Constant) -> bool:
    return constant.value is not None and not isinstance(constant.value, dict)


def _folded(found: Sequence | Structure) -> Template:
    """A list or object of constants only is a constant itself, without null, {} and []."""
    if isinstance(found, Sequence):
        if not all(isinstance(item, Constant) for item in found.items):
            return found
        values: list[Json] = []
        for item in found.items:
            value = item.value if isinstance(item, Constant) else None
            values.extend(value if isinstance(value, list) else [] if value is None else [value])
        return Constant(values or None, found.path, found.position)
    if found.assigned or found.merged or found.choice or found.loop:
        return found
    if not all(isinstance(value, Constant) for _, value in found.entries):
        return found
    pairs = {name: value.value for name, value in found.entries if isinstance(value, Constant)}
    return Constant({name: v for name, v in pairs.items() if v is not None} or None, found.path, found.position)
