"""Code tables as FHIR ConceptMaps, and back.

| a row's | stands in (R4) |
|---|---|
| code, text | `group.element.code`, `.display` |
| system, target, display | `group.target`, `group.element.target.code`, `.display` |
| equivalence, note | `.target.equivalence`, `.target.comment` |
| source | extension `urn:dyad-bridge:row-source` of the target |
| from, until | modifier extension `urn:dyad-bridge:row-period` of the target: who does not know it may not use it |

R4 wants a comment where a row is narrower or inexact (cmd-1). What a ConceptMap says beyond this (`dependsOn`,
`product`, `unmapped`, several targets of one code, `disjoint`) no table holds: it is told, left out, and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bridge.errors import Problem
from bridge.mappings.tables import COLUMNS, About, Row, Table, row_of, table_of

SOURCE = "urn:dyad-bridge:row-source"
PERIOD = "urn:dyad-bridge:row-period"
TABLE_URL = "urn:dyad-bridge:table:"

# R5 says the same the other way round (hl7.org/fhir/R5/conceptmap.html, "relationship", and its map to R4; seen
# 2026-11-22): the source narrower than its target is R4's wider target.
RELATIONSHIPS = {
    "related-to": "relatedto",
    "equivalent": "equivalent",
    "source-is-narrower-than-target": "wider",
    "source-is-broader-than-target": "narrower",
}
_COMMENTED = ("narrower", "inexact")
_CODE = re.compile(r"\S+( \S+)*")
_OWN_VERSION = re.compile(r"[0-9a-f]{12}")
_URI = re.compile(r"\S+")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """What could be taken of a ConceptMap, and what could not: one problem for each code or group left out."""

    table: Table
    problems: tuple[Problem, ...]


def export(table: Table, where: str = "") -> tuple[Json, list[Problem]]:
    """The ConceptMap (R4) of a table, and a problem for each row that none can carry; those are left out."""
    about, problems = table.about, list[Problem]()
    own = TABLE_URL + quote(table.name)
    groups: dict[str, dict[str, Json]] = {}
    for row in table.every():
        if rule := _uncarried(row):
            problems.append(Problem("table-export", rule, where or table.name, row.code, "correct the row"))
            continue
        elements = groups.setdefault(row.system, {})
        # of one code people may say different words for different days: each has its own element
        known = elements.setdefault(f"{row.code}\n{row.text}", {"code": row.code})
        if row.text:
            known["display"] = row.text
        known.setdefault("target", []).append(_target(row))
    made: Json = {
        "resourceType": "ConceptMap",
        "url": about.url or own,
        "version": about.version or table.version,
        "name": "Table" + "".join(re.findall(r"[A-Za-z0-9]+", table.name.title()))[:200],
    }
    if about.title:
        made["title"] = about.title
    made["status"] = "active"
    if groups:
        made["group"] = [
            {"source": about.system or own + ":codes"}
            | ({"target": system} if system else {})
            | {"element": list(elements.values())}
            for system, elements in groups.items()
        ]
    return made, problems


def take(resource: Any, name: str, file: str, source: str = "") -> Taken:
    """The table in a ConceptMap (R4, or R5 where it says the same); `source` for rows that name none."""
    problems: list[Problem] = []
    if not isinstance(resource, dict) or resource.get("resourceType") != "ConceptMap":
        problems.append(Problem("conceptmap-type", "this is no ConceptMap in JSON", file))
        return Taken(Table(name), tuple(problems))
    reader = _Reader(file, source or _identity(resource), problems)
    found: dict[str, list[tuple[str, Row]]] = {}
    for place, row in reader.rows(resource):
        listed = found.setdefault(row.code, [])
        if row not in (known for _, known in listed):
            listed.append((place, row))
    if len(_systems(resource)) > 1:
        rule = "its codes are of several systems, which a table does not tell apart"
        problems.append(
            Problem("conceptmap-sources", rule, file, "group.source", "see that no record can mean another")
        )
    table = table_of(name, _certain(found, file, problems), _about(resource))
    return Taken(table, tuple(problems))


def _certain(found: dict[str, list[tuple[str, Row]]], file: str, problems: list[Problem]) -> Iterator[Row]:
    """The rows of codes that have one meaning on each day; the others are problems."""
    for code, listed in found.items():
        rows = [row for _, row in listed]
        meeting = [place for place, row in listed if any(row.meets(other) for other in rows if other is not row)]
        if meeting:
            rule = f"the code {code} has several targets, at {', '.join(meeting)}"
            step = "write the one that is meant as a row"
            problems.append(Problem("conceptmap-several", rule, file, meeting[0], step))
        else:
            yield from rows


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str
    source: str
    problems: list[Problem]

    def wrong(self, code: str, place: str, rule: str, next_step: str = "") -> None:
        self.problems.append(Problem(code, rule, self.file, place, next_step))

    def rows(self, resource: Json) -> Iterator[tuple[str, Row]]:
        """Each row that can be used, with its place."""
        for place, group in _listed(resource, "group", ""):
            if "unmapped" in group:
                rule = "no table says what codes mean that it does not list: they are held"
                self.wrong("conceptmap-unmapped", f"{place}.unmapped", rule)
            for at, element in _listed(group, "element", f"{place}."):
                targets = list(_listed(element, "target", f"{at}."))
                if element.get("noMap") is True:  # R5's word for it
                    targets = [(at, {"equivalence": "unmatched"})]
                if not targets:
                    rule = "says nothing of this code: neither a target nor that there is none"
                    self.wrong("conceptmap-empty", at, rule, "give it a target, or one of equivalence unmatched")
                for there, target in targets:
                    row = self._row(group, element, target, there)
                    if row is not None:
                        yield there, row

    def _row(self, group: Json, element: Json, target: Json, place: str) -> Row | None:
        if more := [key for key in ("dependsOn", "product") if target.get(key)]:
            rule = f"holds only together with something else ({', '.join(more)}), which no table says"
            self.wrong("conceptmap-depends", place, rule)
            return None
        equivalence = target.get("equivalence") or RELATIONSHIPS.get(str(target.get("relationship")), "")
        if not equivalence or equivalence == "disjoint":
            said = "relationship" if "relationship" in target else "equivalence"
            rule = "says of the target what no table says: a row's target means something of what the code means"
            self.wrong("conceptmap-equivalence", f"{place}.{said}", rule, "leave it out, or say that it is unmatched")
            return None
        period, known = _period(target), {PERIOD}
        if [
            one
            for one in target.get("modifierExtension", ())
            if not isinstance(one, dict) or one.get("url") not in known
        ]:
            self.wrong(
                "conceptmap-modifier", place, "a modifier extension that is not known here may change the meaning"
            )
            return None
        cells = {
            "code": element.get("code"),
            "text": element.get("display"),
            "system": group.get("target"),
            "target": target.get("code"),
            "display": target.get("display"),
            "equivalence": equivalence,
            "note": target.get("comment"),
            "source": _source(target) or self.source,
            "from": period.get("start"),
            "until": period.get("end"),
        }
        if equivalence == "unmatched" and not cells["display"] and not cells["text"]:
            cells["text"] = cells["code"]  # the only words there are for it
        if wrong := [key for key, value in cells.items() if not isinstance(value, str | None)]:
            self.wrong("conceptmap-shape", place, f"what becomes {wrong[0]} is a text")
            return None
        if not cells["source"]:
            rule, step = "nothing says where this was taken from", "name it with --source"
            self.wrong("conceptmap-source", place, rule, step)
            return None
        try:
            return row_of({key: value or "" for key, value in cells.items()})
        except ValueError as error:
            self.wrong("conceptmap-row", place, f"this row {error}")
            return None


def _target(row: Row) -> Json:
    made: Json = {"extension": [{"url": SOURCE, "valueString": row.source}]} if row.source else {}
    if row.dated:
        period = {key: day for key, day in (("start", row.start), ("end", row.until)) if day}
        made["modifierExtension"] = [{"url": PERIOD, "valuePeriod": period}]
    if row.target:
        made["code"] = row.target
    if row.display:
        made["display"] = row.display
    made["equivalence"] = row.equivalence
    if row.note:
        made["comment"] = row.note
    return made


def _uncarried(row: Row) -> str:
    """Why a ConceptMap cannot carry a row, "" where it can."""
    if row.equivalence in _COMMENTED and not row.note:
        return f"a ConceptMap says in a comment why a row is {row.equivalence}, and this row has no note"
    if not _CODE.fullmatch(row.code) or not (not row.target or _CODE.fullmatch(row.target)):
        return "a code in FHIR has single spaces inside and no other white space"
    if row.system and not _URI.fullmatch(row.system):
        return "a code system is named by a uri"
    if any(ord(one) < ord(" ") and one not in "\t\n" for name in COLUMNS for one in getattr(row, name)):
        return "a text in FHIR has no control characters"
    return ""


def _listed(around: Json, key: str, before: str) -> Iterator[tuple[str, Json]]:
    value = around.get(key)
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            yield f"{before}{key}[{index}]", one


def _extension(target: Json, key: str, url: str, value: str) -> Any:
    listed = target.get(key)
    found = (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict))
    return next((one.get(value) for one in found if one.get("url") == url), None)


def _source(target: Json) -> Any:
    return _extension(target, "extension", SOURCE, "valueString")


def _period(target: Json) -> Json:
    found = _extension(target, "modifierExtension", PERIOD, "valuePeriod")
    return found if isinstance(found, dict) else {}


def _identity(resource: Json) -> str:
    url, version = resource.get("url"), resource.get("version")
    return " ".join(one for one in (url, version) if isinstance(one, str)) if url else ""


def _systems(resource: Json) -> set[str]:
    return {one for _, group in _listed(resource, "group", "") if isinstance(one := group.get("source"), str)}


def _about(resource: Json) -> About:
    """What the ConceptMap says of itself; what an export of a table only filled in is left out again."""
    said = {key: value if isinstance(value := resource.get(key), str) else "" for key in ("url", "version", "title")}
    systems = _systems(resource)
    system = systems.pop() if len(systems) == 1 else ""
    if said["url"].startswith(TABLE_URL):
        said["url"] = ""
    if _OWN_VERSION.fullmatch(said["version"]):
        said["version"] = ""
    return About(**said, system="" if system.startswith(TABLE_URL) else system)
