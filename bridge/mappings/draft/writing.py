"""The files of a draft as text: kind, mapping, tables, one case."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping

from bridge.errors import BridgeError
from bridge.mappings.draft.columns import Column
from bridge.mappings.draft.formats import OTHER_DATES
from bridge.mappings.draft.shapes import Source, expression, is_roster
from bridge.mappings.draft.suggestions import label_lines, part_lines
from bridge.mappings.draft.synthetic import made_up
from bridge.mappings.draft.yamltext import UNDECIDED, braced, quoted, unsure
from bridge.mappings.functions import AgencyContext
from bridge.mappings.load import load
from bridge.mappings.tables import COLUMNS, OPTIONAL
from bridge.mappings.translate import Translator
from bridge.model import Part

_ZONE = "America/New_York"
_AGENCY = AgencyContext("example", "An agency", "program", _ZONE)


def mapping_text(source: Source, kind: str) -> str:
    """`NAME.yaml`."""
    return _joined(_mapping(source, kind))


def table_text(column: Column) -> str:
    """`tables/NAME.csv`: a row for each value that may be shown, in the agency's own words until a code is known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *OPTIONAL))
    source = (
        f"{UNDECIDED} undecided: give system, target, display and equivalence, or keep the words; say where it is from"
    )
    for value in dict.fromkeys(one.strip() for one in column.values):
        cells = {"code": value, "equivalence": "unmatched", "source": source, "text": value}
        writer.writerow([cells.get(name, "") for name in (*COLUMNS, *OPTIONAL)])
    return text.getvalue()


def case_text(source: Source, kind: str, files: Mapping[str, str]) -> str:
    """`NAME.cases.yaml`: a made-up record, and the parts that the drafted files (`files`) make of it now."""
    record = made_up(source)
    lines = [
        "# A record made up by rule; nothing in it is from the source but codes that several people share.",
        f"kind: {kind}",
        f"agency: {{ id: {_AGENCY.id}, name: {_AGENCY.name}, timezone: {_AGENCY.timezone} }}",
        "record:",
        *(f"  {quoted(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in record.items()),
        "cases:",
        "  - name: a record that was made up",
    ]
    parts, holds = _outcome(kind, record, files)
    if holds:
        keys = ", ".join(json.dumps(key, ensure_ascii=False) for key in holds)
        lines.append(unsure(f"    expect: {{ holds: [{keys}] }}", "what should come about?"))
    else:
        lines += [unsure("    expect:", "what the draft makes of it now: say what it should make"), "      parts:"]
        lines += [f"        {quoted(part.name)}: {_expected(part)}" for part in parts] or ["        {}"]
    return "\n".join(lines) + "\n"


def query_text(source: Source, file: str) -> str:
    """`NAME.sql`: the CSV with its days rewritten as moments; empty where no field needs it."""
    rewritten = []
    for column in source.columns:
        pattern = next((OTHER_DATES[name][0] for name in OTHER_DATES if name in column.node.formats), "")
        if pattern and "moment" not in column.node.formats and len(column.path) == 1 and column.node.filled:
            name = '"' + column.path[0].replace('"', '""') + '"'
            made = "%Y-%m-%dT%H:%M:%S" if "%H" in pattern or "%I" in pattern else "%Y-%m-%d"
            rewritten.append(f"    strftime(strptime({name}, '{pattern}'), '{made}') AS {name}")
    if not rewritten:
        return ""
    escaped = file.replace("'", "''")
    return (
        f"-- {file} with its days as moments. Draft again from this, then accept with it:\n"
        "--   bridge draft FOLDER --query THIS\n"
        "SELECT * REPLACE (\n" + ",\n".join(rewritten) + "\n)\n"
        f"FROM read_csv(getvariable('folder') || '/{escaped}', header = true, all_varchar = true)\n"
    )


def _mapping(source: Source, kind: str) -> Iterator[str]:
    yield "# What has two question marks in its comment waits for a person: correct it, then delete the comment."
    yield "# Where words may leave: take the field out of the kind's agency_only, then uncomment its section and label."
    yield f"mapping: {source.name}"
    yield f"reads: {kind}"
    body = list(part_lines(source))
    used = [name for name in source.tables.values() if any(f"'{name}'" in line for line in body)]
    if used:
        yield f"tables: [{', '.join(used)}]"
    when = source.when
    if when is not None and when.node.filled < when.node.parents and not is_roster(source):
        yield "holds:"
        yield f"  - when: {braced(f'{expression(when)}.empty()')}"
        yield "    reason: record"
        yield "    rule: this record does not say when it took place"
        yield "    next_step: set the time and send it again"
    yield "emits:"
    yield from body
    labels = list(label_lines(source))
    if labels:
        yield "labels:"
        yield from labels


def _expected(part: Part) -> str:
    labels = ", ".join(sorted(part.labels))
    sections = ", ".join(f"[{', '.join(sorted(one))}]" for one in part.sections)
    told = f", sections: [{sections}]" if sections else ""
    return f"{{ about: {json.dumps(part.about)}, labels: [{labels}]{told} }}"


def _outcome(kind: str, record: dict[str, object], files: Mapping[str, str]) -> tuple[list[Part], list[str]]:
    try:
        made = Translator(load(files)).translate(kind, record, _AGENCY)
    except BridgeError:
        return [], []
    return list(made.parts), sorted(hold.waits_for for hold in made.holds)


def _joined(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"
