"""The document of a skeleton: the facts that may leave in one section, each field of words in one that waits."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.mappings.draft import names
from bridge.mappings.draft.columns import Sort
from bridge.mappings.draft.shapes import Source, expression, in_no_list, scores, staying, subject_text, title
from bridge.mappings.draft.yamltext import MARK, braced, commented, quoted, unsure


def note_lines(source: Source, encounter: bool) -> Iterator[str]:
    """The lines of the part `note`; `encounter` says whether there is a part of that name to point at."""
    when = source.when
    yield "  note:"
    yield f"    about: {source.role}"
    yield "    resourceType: Composition"
    yield "    status: final"
    yield unsure(
        f"    type: {{ text: {quoted(title(source.name))} }}", "the document's LOINC code, if you know its source"
    )
    if when is not None:
        yield f"    title: {braced(f'{title(source.name)}, {{{{ wall_time({expression(when)}) }}}}')}"
    else:
        yield f"    title: {quoted(title(source.name))}"
    yield f"    subject: {subject_text(source)}"
    if encounter:
        yield "    encounter: \"{{ part('encounter') }}\""
    if when is not None:
        yield f"    date: {braced(f'{{{{ instant({expression(when)}) }}}}')}"
    else:
        yield f"    {MARK} a document needs `date`: no field says when"
    yield unsure('    author: [ { display: "{{ %agency.name }}" } ]', "who wrote it, once their name may leave")
    yield "    section:"
    yield unsure("      - title: Facts", f"may all of these leave, and are all of them about the {source.role}?")
    yield '        "{% assign %}":'
    yield "          - lines:"
    yield from (f"              - {braced(line)}" for line in _facts(source))
    yield '        text: "{{ narrative(%lines) }}"'
    spoken = next((f", {expression(one)}" for one in source.free(Sort.LANGUAGE) if not one.listed), "")
    for column in staying(source):
        if not in_no_list(column, source) or column.sort is not Sort.WORDS:
            continue
        path = expression(column)
        yield from commented(
            [
                f"      - {braced(f'{{% if {path}.exists() %}}')}:",
                f"          title: {quoted(title(column.path[-1]))}",
                f"          text: {braced(f'{{{{ narrative({path}{spoken}) }}}}')}",
            ]
        )


def _facts(source: Source) -> Iterator[str]:
    guessed = source.guessed
    left_out = guessed.about_the_record | {column.path for column in scores(source)}
    times = {guesses[0].column.path for guesses in (guessed.when, guessed.ended) if guesses}
    said = False
    for column in source.free(Sort.MOMENT, Sort.CODE, Sort.FLAG, Sort.NUMBER):
        path = expression(column)
        if column.path in left_out or (column.listed and column.sort is not Sort.CODE):
            continue
        if (column.sort is Sort.MOMENT and column.path not in times) or (
            column.sort is Sort.FLAG and column.words & names.OWN
        ):
            continue
        if column.sort is Sort.MOMENT:
            value = f"wall_time({path})"
        elif column.sort is Sort.CODE and column.listed:
            value = f"{path}.select(%tables.words('{source.tables[column.path]}', $this)).join(', ')"
        elif column.sort is Sort.CODE:
            value = f"%tables.words('{source.tables[column.path]}', {path})"
        elif column.sort is Sort.FLAG and column.node.types["boolean"]:
            value = f"iif({path}, 'yes', iif({path}.not(), 'no'))"
        else:
            value = path
        said = True
        yield f"{title(column.path[-1])}: {{{{ {value} }}}}"
    if not said:
        yield "A record was made at {{ %agency.name }}."
