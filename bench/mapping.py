"""What a typical contact costs to map: hand-written Python, ours, the published engine and node engines, in one run.

    python -m bench.mapping [--out FILE] [--node-modules FOLDER]

Ratios within a run are what counts. `--node-modules` is a folder where `npm install fhirpath jsonata` ran; without node
or the packages those rows are left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from bridge.mappings.fhirpath import compile_expression
from bridge.mappings.fpml import compile_template
from bridge.mappings.load import Mappings, available_packs, load, read_packs
from bridge.mappings.watching import Watching

RECORD: dict[str, Any] = {
    "id": "C-1001", "child": "child-17", "caregiver": "cg-17", "status": "signed", "place": "home",
    "purpose": "support", "mode": "in-person", "started": "2026-03-02T10:00:00-05:00",
    "ended": "2026-03-02T10:45:00-05:00", "duration": 45, "language": "es", "interpreter": False,
    "summary": "Visita en casa", "next_step": "Llamar el viernes", "program": "ma-soc", "practice": "p1",
    "staff": {"id": "fp-3", "name": "Synthetic Partner", "role": "family-partner"},
    "attendees": [
        {"role": "caregiver", "person": "cg-17", "present": True}, {"role": "child", "person": "child-17",
         "present": True},
        {"role": "clinician", "person": "icc-2", "present": False},
    ],
    "topics": ["school", "housing"],
    "goals": [
        {"id": "g1", "title": "Dormir mejor", "status": "active", "progress": 2},
        {"id": "g2", "title": "Lectura", "status": "met", "progress": 5},
    ],
}  # fmt: skip


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": fields}


_TEXT = {"type": "string"}
_STAMP = {"type": "string", "format": "date-time"}
_ATTENDEE = _object(role=_TEXT, person=_TEXT, present={"type": "boolean"})
_GOAL = _object(id=_TEXT, title=_TEXT, status=_TEXT, progress={"type": "integer"})
SCHEMA: dict[str, Any] = _object(
    **{name: _TEXT for name in RECORD if isinstance(RECORD[name], str) and name not in ("started", "ended")},
    started=_STAMP, ended=_STAMP, duration={"type": "integer"}, interpreter={"type": "boolean"},
    staff=_object(id=_TEXT, name=_TEXT, role=_TEXT), attendees={"type": "array", "items": _ATTENDEE},
    topics={"type": "array", "items": _TEXT}, goals={"type": "array", "items": _GOAL},
)  # fmt: skip

EXPRESSIONS = (
    "id", "child", "status = 'signed'", "place", "iif(place = 'home', 'HH', 'AMB')", "started", "ended", "duration",
    "duration > 30", "language", "staff.name", "staff.role", "staff.name & ' (' & staff.role & ')'",
    "attendees.where(present = true).person", "attendees.where(role = 'caregiver').person", "attendees.count()",
    "topics", "goals.where(status = 'active').title", "goals.exists(status = 'met')", "summary & ' / ' & next_step",
)  # fmt: skip

LISTS = [text for text in EXPRESSIONS if text in ("topics", "goals.where(status = 'active').title") or "person" in text]

TEMPLATE: dict[str, Any] = {
    "resourceType": "Encounter",
    "identifier": [{"system": "urn:dyad-bridge:agency", "value": "contact/{{ id }}/encounter"}],
    "status": "finished",
    "class": {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "code": "{{ iif(place = 'home', 'HH', 'AMB') }}",
    },
    "type": [{"text": "{{ purpose }}"}],
    "subject": {"reference": "Patient/{{ child }}"},
    "participant": {
        "{% for who in attendees.where(present = true) %}": {
            "type": [{"text": "{{ %who.role }}"}],
            "individual": {"display": "{{ %who.person }}"},
        }
    },
    "period": {"start": "{{ started }}", "end": "{{ ended }}"},
    "length": {
        "{% if duration > 0 %}": {
            "value": "{{ duration }}", "unit": "min", "system": "http://unitsofmeasure.org", "code": "min",
        }
    },
    "reasonCode": {"{% for topic in topics %}": {"text": "{{ %topic }}"}},
    "serviceProvider": {"display": "{{ staff.name & ' (' & staff.role & ')' }}"},
    "language": "{{ language }}",
}  # fmt: skip


def hand_expressions(record: dict[str, Any]) -> list[Any]:
    """The twenty expressions as a person would write them."""
    staff, attendees, goals = record.get("staff") or {}, record.get("attendees") or [], record.get("goals") or []
    place, minutes = record.get("place"), record.get("duration")
    name, role = staff.get("name"), staff.get("role")
    return [
        record.get("id"), record.get("child"), record.get("status") == "signed", place,
        "HH" if place == "home" else "AMB", record.get("started"), record.get("ended"), minutes,
        None if minutes is None else minutes > 30, record.get("language"), name, role, f"{name or ''} ({role or ''})",
        [a["person"] for a in attendees if a.get("present") is True and "person" in a],
        [a["person"] for a in attendees if a.get("role") == "caregiver" and "person" in a], len(attendees),
        record.get("topics") or [], [g["title"] for g in goals if g.get("status") == "active" and "title" in g],
        any(g.get("status") == "met" for g in goals),
         f"{record.get('summary') or ''} / {record.get('next_step') or ''}",
    ]  # fmt: skip


def hand_template(record: dict[str, Any]) -> dict[str, Any]:
    """The Encounter as a person would write it, missing fields included."""
    found: dict[str, Any] = {"resourceType": "Encounter"}
    identity = record.get("id")
    found["identifier"] = [{"system": "urn:dyad-bridge:agency"}]
    if identity is not None:
        found["identifier"][0]["value"] = f"contact/{identity}/encounter"
    found["status"] = "finished"
    found["class"] = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "code": "HH" if record.get("place") == "home" else "AMB",
    }
    if (purpose := record.get("purpose")) is not None:
        found["type"] = [{"text": purpose}]
    if (child := record.get("child")) is not None:
        found["subject"] = {"reference": f"Patient/{child}"}
    participants = []
    for who in record.get("attendees") or ():
        if who.get("present") is True:
            participant: dict[str, Any] = {}
            if (role := who.get("role")) is not None:
                participant["type"] = [{"text": role}]
            if (person := who.get("person")) is not None:
                participant["individual"] = {"display": person}
            if participant:
                participants.append(participant)
    if participants:
        found["participant"] = participants
    period = {}
    if (started := record.get("started")) is not None:
        period["start"] = started
    if (ended := record.get("ended")) is not None:
        period["end"] = ended
    if period:
        found["period"] = period
    minutes = record.get("duration")
    if minutes is not None and minutes > 0:
        found["length"] = {"value": minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
    if topics := [{"text": topic} for topic in record.get("topics") or ()]:
        found["reasonCode"] = topics
    staff = record.get("staff") or {}
    found["serviceProvider"] = {"display": f"{staff.get('name') or ''} ({staff.get('role') or ''})"}
    if (language := record.get("language")) is not None:
        found["language"] = language
    return found


def microseconds(calls: dict[str, Callable[[], object]], rounds: int = 15, seconds: float = 0.03) -> dict[str, float]:
    """The median time of one call of each, taken in turns so that a busy machine slows all alike."""
    counts: dict[str, int] = {}
    for name, call in calls.items():
        call()
        begun, counts[name] = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            call()
            counts[name] += 1
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(counts[name]):
                call()
            found[name].append((time.perf_counter() - begun) / counts[name] * 1e6)
    return {name: statistics.median(times) for name, times in found.items()}


def ours(schema: dict[str, Any] | None) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
    """All twenty expressions, the same as one template, and the Encounter."""
    expressions = [compile_expression(text, schema=schema) for text in EXPRESSIONS]
    tree = {f"e{n}": f"{{[ {t} ]}}" if t in LISTS else f"{{{{ {t} }}}}" for n, t in enumerate(EXPRESSIONS)}
    together = compile_template(tree, schema=schema)
    encounter = compile_template(TEMPLATE, schema=schema)
    return (
        lambda: [expression.evaluate(RECORD) for expression in expressions],
        lambda: together.render(RECORD),
        lambda: encounter.render(RECORD),
    )


def oracle() -> tuple[Callable[[], object], Callable[[], object]]:
    """fhirpathpy compiled once, and fpml over it."""
    from fhirpathpy import compile as compile_theirs
    from fpml import resolve_template

    cached = lru_cache(maxsize=1024)(compile_theirs)
    compiled = [cached(text) for text in EXPRESSIONS]
    return (
        lambda: [expression(RECORD, {}) for expression in compiled],
        lambda: resolve_template(RECORD, TEMPLATE, evaluate=lambda data, text, context: cached(text)(data, context)),
    )


NODE = """
const record = JSON.parse(process.argv[2]), texts = JSON.parse(process.argv[3]), sonata = JSON.parse(process.argv[4]);
async function timed(call) {
  for (let n = 0; n < 300; n++) await call();
  const rounds = [];
  for (let r = 0; r < 7; r++) {
    const begun = process.hrtime.bigint();
    for (let n = 0; n < 1000; n++) await call();
    rounds.push(Number(process.hrtime.bigint() - begun) / 1e6);
  }
  return rounds.sort((a, b) => a - b)[3];
}
(async () => {
  const found = {};
  try {
    const fhirpath = require('fhirpath');
    const compiled = texts.map(text => fhirpath.compile(text));
    found.fhirpath = { version: require('fhirpath/package.json').version,
                       us: await timed(() => { for (const run of compiled) run(record, {}); }) };
  } catch (error) { found.fhirpath_missing = true; }
  try {
    const jsonata = require('jsonata');
    const compiled = sonata.map(text => jsonata(text));
    found.jsonata = { version: require('jsonata/package.json').version,
                      us: await timed(async () => { for (const run of compiled) await run.evaluate(record); }) };
  } catch (error) { found.jsonata_missing = true; }
  console.log(JSON.stringify(found));
})();
"""
SONATA = (
    "id", "child", "status = 'signed'", "place", "place = 'home' ? 'HH' : 'AMB'", "started", "ended", "duration",
    "duration > 30", "language", "staff.name", "staff.role", "staff.name & ' (' & staff.role & ')'",
    "attendees[present = true].person", "attendees[role = 'caregiver'].person", "$count(attendees)", "topics",
    "goals[status = 'active'].title", "$exists(goals[status = 'met'])", "summary & ' / ' & next_step",
)  # fmt: skip


def node_engines(modules: Path | None) -> dict[str, Any]:
    """Times of node's fhirpath and jsonata, {} where node or the packages are missing."""
    node = shutil.which("node")
    if node is None or modules is None or not modules.is_dir():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bench.js"
        script.write_text(NODE)
        arguments = [json.dumps(part) for part in (RECORD, EXPRESSIONS, SONATA)]
        done = subprocess.run(
            [node, str(script), *arguments], capture_output=True, text=True, timeout=300, check=False,
            env={"NODE_PATH": str(modules)},
        )  # fmt: skip
    return json.loads(done.stdout) if done.returncode == 0 else {}


def compile_costs() -> dict[str, float]:
    """Milliseconds to compile, and kilobytes a compiled mapping keeps."""
    took = microseconds(
        {
            "encounter_ms": lambda: compile_template(TEMPLATE, schema=SCHEMA),
            "expressions_ms": lambda: [compile_expression(text, schema=SCHEMA) for text in EXPRESSIONS],
        },
        rounds=5,
    )
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [compile_template(TEMPLATE, schema=SCHEMA) for _ in range(20)]
    gc.collect()
    size = (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1024
    tracemalloc.stop()
    lines = kept[0].compiled.source.count("\n")
    return {**{name: time / 1000 for name, time in took.items()}, "encounter_kib": size, "encounter_lines": lines}


def _watched(files: Mapping[str, str]) -> Mappings:
    return load(files, Watching())


def pack_costs(rounds: int = 5) -> dict[str, dict[str, float]]:
    """For each pack: milliseconds of processor time to load it, plain and watched; kilobytes that a mapping keeps."""
    found = {}
    for name in available_packs():
        files = read_packs([name])
        took = {"load_ms": partial(load, files), "watched_ms": partial(_watched, files)}
        times: dict[str, list[float]] = {key: [] for key in took}
        for _ in range(rounds):
            for key, call in took.items():
                begun = time.process_time()
                call()
                times[key].append((time.process_time() - begun) * 1000)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        kept = load(files)
        gc.collect()
        size = (tracemalloc.get_traced_memory()[0] - before) / 1024
        tracemalloc.stop()
        found[name] = {
            **{key: statistics.median(one) for key, one in times.items()},
            "mappings": len(kept.mappings),
            "lines_of_yaml": sum(text.count("\n") for file, text in files.items() if file.endswith(".yaml")),
            "kib_each": size / len(kept.mappings),
        }
    return found


def main() -> int:
    """Print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--node-modules", type=Path)
    options = parser.parse_args()
    typed, untyped, (theirs, fpml) = ours(SCHEMA), ours(None), oracle()
    if not typed[2]() == untyped[2]() == hand_template(RECORD) == fpml():
        raise SystemExit("the four ways do not make the same Encounter")
    expressions = microseconds(
        {
            "hand-written": lambda: hand_expressions(RECORD),
            "ours, one function, schema": typed[1],
            "ours, twenty calls, schema": typed[0],
            "ours, twenty calls, no schema": untyped[0],
            "fhirpathpy compiled": theirs,
        }
    )
    for name, row in node_engines(options.node_modules).items():
        if isinstance(row, dict):
            expressions[f"node {name} {row['version']}"] = row["us"]
    encounter = microseconds(
        {
            "hand-written": lambda: hand_template(RECORD),
            "ours, schema": typed[2],
            "ours, no schema": untyped[2],
            "fpml, cached expressions": fpml,
        }
    )
    costs = compile_costs()
    for title, rows in (("twenty expressions", expressions), ("one Encounter", encounter)):
        print(title)
        for name, value in sorted(rows.items(), key=lambda row: row[1]):
            print(f"  {name:32} {value:10.2f} us   {value / rows['hand-written']:8.2f} x")
    print("compile", {name: round(value, 2) for name, value in costs.items()})
    packs = pack_costs()
    for name, row in packs.items():
        print(f"pack {name}", {key: round(value, 1) for key, value in row.items()})
    report = {"python": platform.python_version(), "expressions_us": expressions, "encounter_us": encounter}
    if options.out:
        options.out.write_text(json.dumps({**report, "compile": costs, "packs": packs}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
