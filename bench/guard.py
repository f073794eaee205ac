"""How often the guard on free text asks for a person where nothing is wrong, and how often it sees what was planted.

    python -m bench.guard [--export FOLDER] [--out FILE]

The demo's caseload and, where its folder is given, the export of a real agency system: every class is agreed to,
and what would leave is looked at. In neither did anybody mean to write a number, an address or a sister's name, so each
document that is held is a false alarm. Of each form one is planted in every document that was not held.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from bridge.demo.caseload import SEED, caseload
from bridge.demo.cast import own_cast
from bridge.errors import Problem, RecordError
from bridge.jobs.files import read, shipped_query
from bridge.mappings.classes import GRANTABLE
from bridge.mappings.load import load, read_packs
from bridge.mappings.translate import AgencyContext, Translator
from bridge.model import Decision, Part, type_json
from bridge.release.guard import Known, Text, findings, name_words, named_in, texts
from bridge.release.withhold import Conditions, released
from bridge.settings import GuardSettings

EVERYTHING = Decision(True, GRANTABLE, "in-force", (1,), part2=True)
TODAY = date(2026, 11, 22)
AGENCY = AgencyContext("harbor", "Harbor", "program", "America/New_York")
KONOTE = ("note", "plan")
PLANTED = {
    "phones": ("Call 617-555-0143.", "(617) 555-0143", "cell 6175550143", "+1 617 555 0143", "555-0143"),
    "addresses": ("12 Elm Street", "1450 North Main St", "Calle Ocho 1120", "123 rue Principale", "P.O. Box 77"),
    "email": ("ana.lopez@example.org",),
    "links": ("https://example.org/x", "www.example.org"),
    "names": ("Xochitl came along.", "XOCHITL", "with Xóchitl's help"),
}
SISTER = name_words(["Xóchitl"])


def of_the_demo(translator: Translator) -> Iterator[tuple[Sequence[Part], Known]]:
    """Every translation of the demo's caseload, about each person, with the names near them."""
    made = caseload(own_cast(), TODAY)
    posted = list(made.records)
    near = names_near(posted)
    for one in posted:
        try:
            parts = translator.translate(f"ma-soc/{one.kind}", one.record, AGENCY).parts
        except RecordError:
            continue
        for person in sorted({part.about for part in parts}):
            yield released(parts, person, EVERYTHING, Conditions()).parts, near.get(person, Known())


def names_near(posted: Sequence[Any]) -> Mapping[str, Known]:
    """For each child the names of the family: their own, their caregivers', their brothers' and sisters'."""
    names: dict[str, frozenset[str]] = {}
    families: dict[str, set[str]] = {}
    for one in posted:
        if one.kind in ("child", "caregiver") and "name" in one.record:
            said = one.record["name"]
            names[str(one.record["id"])] = name_words([said.get("family", ""), *said.get("given", [])])
        if one.kind == "caregiver" and one.record.get("children"):
            families.setdefault(str(one.record["id"]), set()).update(str(c["child"]) for c in one.record["children"])
    found: dict[str, Known] = {}
    for caregiver, children in families.items():
        for child in children:
            others = frozenset[str]().union(*(names.get(one, frozenset()) for one in children - {child}))
            before = found.get(child, Known(own=names.get(child, frozenset())))
            close = before.caregivers | names.get(caregiver, frozenset())
            found[child] = replace(before, others=before.others | others, caregivers=close)
    return found


def of_an_export(translator: Translator, folder: Path) -> Iterator[tuple[Sequence[Part], Known]]:
    """Every translation of the notes and plans of a KoNote export; nobody else's name is in it."""
    for name in KONOTE:
        for row in read(folder, query=shipped_query(f"konote/{name}")):
            if isinstance(row, Problem):
                continue
            try:
                parts = translator.translate(f"konote/{name}", row.record, AGENCY, decided=True).parts
            except RecordError:
                continue
            if parts:
                yield released(parts, parts[0].about, EVERYTHING, Conditions()).parts, Known()


def measured(all_of_it: Iterator[tuple[Sequence[Part], Known]], wants: GuardSettings, seed: int) -> type_json:
    """Documents, how many were held and by which detector, what of the planted was seen, microseconds a document."""
    chance, documents, held, by = Random(seed), 0, 0, Counter[str]()
    seen, planted, spent, words = Counter[str](), Counter[str](), 0.0, 0
    for parts, known in all_of_it:
        said = [one for one in texts(parts) if one.words]
        if not any(part.type == "Composition" for part in parts):
            continue
        known = replace(known, own=known.own | name_words(named_in(parts)))
        begun = time.perf_counter()
        found = findings(said, known, wants)
        spent += time.perf_counter() - begun
        documents += 1
        words += sum(len(one.words.split()) for one in said)
        held += bool(found)
        by.update({one.detector for one in found})
        if found:
            continue
        text = chance.choice(said)
        for detector, forms in PLANTED.items():
            form = chance.choice(forms)
            planted[detector] += 1
            with_it = Text(text.part, text.section, f"{text.words} {form}")
            again = findings([with_it], replace(known, others=known.others | SISTER), wants)
            seen[detector] += any(one.detector == detector for one in again)
    return {
        "documents": documents,
        "words": words,
        "held": held,
        "by detector": dict(sorted(by.items())),
        "planted and seen": {name: f"{seen[name]} of {planted[name]}" for name in PLANTED},
        "microseconds a document": round(1e6 * spent / max(documents, 1), 1),
    }


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--export", type=Path)
    parser.add_argument("--out", type=Path, default=Path("bench/results/guard.json"))
    asked = parser.parse_args()
    translator = Translator(load(read_packs(["ma-soc", "konote"])))
    result: type_json = {"seed": SEED}
    for name, wants in (("default", GuardSettings()), ("caregivers too", GuardSettings(caregivers=True))):
        result[f"demo, {name}"] = measured(of_the_demo(translator), wants, SEED)
    if asked.export is not None:
        result["export, default"] = measured(of_an_export(translator, asked.export), GuardSettings(), SEED)
    asked.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
