"""The kind file of a draft: declarations guessed with their reasons, and the schema that accepts every row seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bridge.mappings.draft.columns import AGENCY_ONLY, NEVER, Column, Sort, facts
from bridge.mappings.draft.declarations import Declared, Guess, ranked, states
from bridge.mappings.draft.formats import YES_NO
from bridge.mappings.draft.names import FINAL, VOID, clinical_time
from bridge.mappings.draft.profile import Node
from bridge.mappings.draft.yamltext import MARK, quoted, told, unsure
from bridge.mappings.schema import Field

_WAYS = "1: it stays; 2: never, not even stored; 3: out of this list, labelled {label}"
_MOST_EXAMPLES = 20


def kind_lines(
    kind: str, title: str, root: Node, columns: Sequence[Column], guessed: Declared, source: str
) -> Iterator[str]:
    """The lines of `NAME.kind.yaml`."""
    yield f"# Drafted from {source}: {root.parents} records, {len(columns)} fields."
    yield "# What has two question marks in its comment waits for a person: correct it, then delete the comment."
    yield f"kind: {kind}"
    yield unsure(f"title: {quoted(title)}", "what people at the agency call one such record")
    yield from _identified(guessed)
    yield from _timed(columns, guessed)
    yield from _states("final", guessed.final, FINAL, "which values say that somebody is done with it")
    yield from _states("void", guessed.void, VOID, "which values say that nothing of it should stand")
    yield from _kept(columns, guessed)
    yield "schema:"
    yield "  $schema: https://json-schema.org/draft/2020-12/schema"
    yield from _object(root, {column.path: column for column in columns}, _required(guessed), "  ")


def declared_paths(guessed: Declared) -> set[Field]:
    """The fields that the kind names as ids: whoever reads the file finds them there and not among what stays."""
    first = [guessed.identity, *(guess.column for guess in guessed.subject[:1])]
    return {column.path for column in (*first, *(column for _, column in guessed.people)) if column is not None}


def _identified(guessed: Declared) -> Iterator[str]:
    best = guessed.id[0] if guessed.id else None
    path = guessed.identity.dotted if guessed.identity is not None else ""
    line = f"id: {quoted(path)}"
    if best is None:
        yield unsure(line, "no field is an id: records without one cannot be told apart; make one in a query")
    else:
        doubtful = not best.column.node.unique or best.column.node.filled < best.column.node.parents
        near = len(guessed.id) > 1 and guessed.id[1].score > best.score - 4
        if doubtful:
            yield unsure(line, "is not filled and unique: two records would be taken for one", ranked(guessed.id))
        else:
            told_line = told(line, best.column.facts)
            yield unsure(line, "what tells records apart", ranked(guessed.id)) if near else told_line
    if guessed.subject:
        yield unsure(
            f"subject: {quoted(guessed.subject[0].column.dotted)}", "whose record this is", ranked(guessed.subject)
        )
        roles = ", ".join(f"{role}: {quoted(column.dotted)}" for role, column in guessed.people)
        yield unsure(f"people: {{ {roles} }}", "the agency's id of each person; a part is about one of these roles")
    else:
        reason = "no field says whose record this is: the id stands in for it, and must not stay"
        yield unsure(f"subject: {quoted(path)}", reason)
        yield unsure(f"people: {{ {guessed.role}: {quoted(path)} }}", "as above")


def _timed(columns: Sequence[Column], guessed: Declared) -> Iterator[str]:
    if guessed.version:
        line = f"version: {quoted(guessed.version[0].column.dotted)}"
        yield unsure(line, "grows with each change of a record", ranked(guessed.version))
        if guessed.version[0].column.sort is Sort.NUMBER:
            yield "version_as: integer"
    else:
        yield f"{MARK} no `version`: of two records with one id the one that arrives later counts"
    if guessed.when:
        line = f"when: {quoted(guessed.when[0].column.dotted)}"
        yield unsure(line, "when it took place, not when it was typed", ranked(guessed.when))
    else:
        others = [one.dotted for one in columns if one.sort is Sort.DATE and clinical_time(one.path[-1])]
        rewrite = f"; {' or '.join(others)} may be it: {_QUERY}" if others else ""
        yield f"{MARK} no `when`: no moment reads as the time it took place, and a note needs one{rewrite}"
    for name, guesses in (("program", guessed.program), ("practice", guessed.practice)):
        if guesses:
            line = f"{name}: {quoted(guesses[0].column.dotted)}"
            yield unsure(line, f"its values must be the ids of each {name} in bridge.yaml", ranked(guesses))


def _states(key: str, guesses: Sequence[Guess], among: Sequence[str], reason: str) -> Iterator[str]:
    if guesses:
        column = guesses[0].column
        values = ", ".join(map(quoted, states(column, among)))
        yield unsure(f"{key}: {{ path: {quoted(column.dotted)}, in: [{values}] }}", reason, ranked(guesses))
    elif key == "final":
        yield f"{MARK} no `final`: no field reads as finished or not, so every record counts as finished"
    else:
        yield f"{MARK} no `void`: no field reads as withdrawn, so what was sent by mistake is not taken back"


def _kept(columns: Sequence[Column], guessed: Declared) -> Iterator[str]:
    never = [column for column in columns if column.stays == NEVER and column.pattern]
    if never:
        yield "never:"
        for column in never:
            yield unsure(f"  - {quoted(column.pattern)}", f"{column.why}; is it never to be stored?")
    named = declared_paths(guessed)
    stays = [one for one in columns if one.stays == AGENCY_ONLY and one.usable and one.path not in named]
    if stays:
        yield "agency_only:"
        for column in stays:
            ways = _WAYS.format(label=column.label or "narrative")
            yield unsure(f"  - {quoted(column.dotted)}", f"{column.why}: may it leave?", ways)


def _required(guessed: Declared) -> list[str]:
    found = [guesses[0].column for guesses in (guessed.id, guessed.subject) if guesses]
    sure = [one.path[0] for one in found if len(one.path) == 1 and one.node.filled == one.node.parents]
    return list(dict.fromkeys(sure))


def _object(node: Node, columns: Mapping[Field, Column], required: Sequence[str], indent: str) -> Iterator[str]:
    yield f"{indent}type: object"
    yield f"{indent}additionalProperties: false"
    if required:
        yield f"{indent}required: [{', '.join(map(quoted, required))}]"
    kept = {
        name: child
        for name, child in node.children.items()
        if child.path not in columns or columns[child.path].stays != NEVER or not columns[child.path].pattern
    }
    yield f"{indent}properties:" if kept else f"{indent}properties: {{}}"
    for name, child in kept.items():
        yield from _property(quoted(name), child, columns, f"{indent}  ")


def _property(name: str, node: Node, columns: Mapping[Field, Column], indent: str) -> Iterator[str]:
    column = columns.get(node.path)
    if node.is_list and node.items is not None:
        yield told(f"{indent}{name}:", facts(node))
        yield f"{indent}  type: array"
        yield from _property("items", node.items, columns, f"{indent}  ")
    elif node.is_object:
        yield told(f"{indent}{name}:", facts(node)) if node.parents else f"{indent}{name}:"
        yield from _object(node, columns, (), f"{indent}  ")
    else:
        line = f"{indent}{name}: {{ {', '.join(_scalar(node, column))} }}"
        if column is not None and not column.usable:
            yield unsure(
                line, f"{facts(node)}; nothing can name a field with such signs in its name: rename it in a query"
            )
        elif not node.filled:
            yield unsure(line, "never filled in this source: say what it holds, or take it out")
        elif column is not None and column.sort is Sort.DATE:
            yield unsure(
                line, f"{facts(node)}; {column.why}: only 2026-01-05 and 2026-01-05T10:00 are read, so {_QUERY}"
            )
        elif column is not None and column.rare:
            yield unsure(line, f"{facts(node)}; {column.rare} of them too rare to be shown: add their rows by hand")
        else:
            yield told(line, facts(node))


_QUERY = "rewrite it in a query (docs/from-a-csv.md)"


def _scalar(node: Node, column: Column | None) -> Iterator[str]:
    sort = column.sort if column is not None else Sort.MIXED
    types = sorted(set(node.types) - ({"integer"} if node.types["number"] else set())) or ["string"]
    text = "string" in types
    if "integer" in types and sort in (Sort.ID, Sort.PERSON):
        types = ["string", "integer"]
    union = ", ".join(types)
    yield f"type: {union}" if len(types) == 1 else f"type: [{union}]"
    if sort is Sort.FLAG and text:
        yield f"enum: [{', '.join(map(quoted, _both(node)))}]"
        return
    form = _FORMATS.get(sort, "")
    if form in node.formats and "string" in types:
        yield f"format: {form}"
    if sort is Sort.NUMBER and text:
        fraction = "" if "integer" in node.formats else r"(\.\d+)?"
        yield rf"pattern: '^[-+]?\d+{fraction}$'"
    if column is not None and column.values:
        examples = [_example(value, text) for value in column.values[:_MOST_EXAMPLES]]
        yield f"examples: [{', '.join(examples)}]"


_FORMATS = {
    Sort.ID: "id",
    Sort.PERSON: "id",
    Sort.MOMENT: "moment",
    Sort.DATE: "code",
    Sort.TIME: "code",
    Sort.CODE: "code",
    Sort.NUMBER: "code",
    Sort.LANGUAGE: "language",
}


def _example(value: str, text: bool) -> str:
    return quoted(value) if text else value


def _both(node: Node) -> list[str]:
    """The values of a flag, and the other one in the same spelling where only one was seen."""
    seen = sorted(node.counts or ())
    spelling = next(one for one in YES_NO if {value.lower() for value in seen} <= one)
    change = str.upper if all(one.isupper() for one in seen) else str.title if seen[0].istitle() else str
    return seen + [change(one) for one in sorted(spelling) if one not in {value.lower() for value in seen}]
