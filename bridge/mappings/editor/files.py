"""The schemas of kind, mapping, table and case files."""

from __future__ import annotations

from typing import Any

from bridge.fhir.definitions import Definitions
from bridge.mappings.cases.reading import AGENCY_KEYS, FINDING_KEYS
from bridge.mappings.cases.recipients import CONSENT_KEYS as CASE_CONSENT_KEYS
from bridge.mappings.cases.recipients import SETTINGS
from bridge.mappings.classes import CLASSES, GRANTABLE
from bridge.mappings.editor.fhir import Json, Types, ref
from bridge.mappings.kindfile import CONSENT_KEYS
from bridge.mappings.tablefile import ABOUT_KEYS
from bridge.mappings.tables import COLUMNS, EQUIVALENCES, OPTIONAL
from bridge.model import Authority, HoldReason, Purpose

DRAFT = "http://json-schema.org/draft-07/schema#"
_TEXT: Json = {"type": "string", "minLength": 1}
_WORDS: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_NAME: Json = {"type": "string", "pattern": "^[^/\\s]+/[^/\\s]+$"}
_PATH: Json = {"type": "string", "pattern": "^[^.\\s]+(\\.[^.\\s]+)*$"}
_PATHS: Json = {"anyOf": [_PATH, {"type": "array", "items": _PATH, "minItems": 1}]}
_STEP = r"[^.\[\]]+(\[(\d+|\*)\])*"
_RESOURCE_PATH = rf"^{_STEP}(\.{_STEP})*$"
_CLASS: Json = {"enum": sorted(CLASSES)}
_CONDITION: Json = {"type": ["string", "boolean"]}
_ANY_OBJECT: Json = {"type": ["object", "null"]}
_TITLES = (
    "A kind of record", "A mapping", "A row of a code table", "What a table says of itself", "Cases",
    "A kind, a mapping, or its cases",
)  # fmt: skip
_YES_OR_NO: Json = {"type": "boolean"}


def schemas(definitions: Definitions) -> dict[str, Json]:
    """Each schema by its file name. `bridge.schema.json` fits any of the files, by what it begins with."""
    made = {
        "kind.schema.json": _kind(),
        "mapping.schema.json": _mapping(definitions),
        "table-row.schema.json": table_row(),
        "table.schema.json": _object((), **dict.fromkeys(ABOUT_KEYS, _WORDS)),
        "cases.schema.json": _cases(),
    }
    return {
        name: {"$schema": DRAFT, "title": title, **body}
        for (name, body), title in zip(
            [*made.items(), ("bridge.schema.json", _whole())],
            _TITLES,
            strict=True,
        )
    }


def _object(required: tuple[str, ...] = (), **properties: Json) -> Json:
    found: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**found, "required": list(required)} if required else found


def _list(item: Json, **more: Any) -> Json:
    return {"type": "array", "items": item, **more}


def _whole() -> Json:
    def one(key: str, file: str) -> Json:
        return {"if": {"required": [key]}, "then": {"$ref": file}}

    choices = [{"required": ["mapping"]}, {"required": ["cases"]}, {"required": ["schema"]}]
    files = (("mapping", "mapping.schema.json"), ("cases", "cases.schema.json"), ("schema", "kind.schema.json"))
    return {"type": "object", "anyOf": choices, "allOf": [one(key, file) for key, file in files]}


def _some(item: Json) -> Json:
    """A list, a single entry that stands alone, or nothing."""
    return {"anyOf": [{"type": "null"}, item, _list(item)]}


# ── kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _kind() -> Json:
    rule = _object(("path", "in"), path=_PATH, **{"in": {"type": "array"}})
    consent = {key: _PATHS if key == "person" else _PATH for key in CONSENT_KEYS}
    schema = {"type": "object", "properties": {"properties": {"type": "object"}, "required": _TEXTS}}
    return _object(
        ("kind", "title", "id", "subject", "people", "schema"),
        kind=_NAME,
        title=_TEXT,
        id=_PATH,
        version=_PATH,
        version_as={"enum": ["instant", "integer"]},
        subject=_PATHS,
        people={"type": "object", "minProperties": 1, "additionalProperties": _PATH},
        when=_PATH,
        practice=_PATH,
        program=_PATH,
        final=rule,
        void=rule,
        urgent=_some(rule),
        significant=_some(rule),
        never=_TEXTS,
        agency_only=_PATHS,
        consent=_object(("person", "practice", "from"), **consent),
        custody=_PATHS,
        safety=_PATH,
        before_consent={"type": "boolean"},
        schema=schema,
    )


# ── mappings ──────────────────────────────────────────────────────────────────────────────────────────────────────
def _mapping(definitions: Definitions) -> Json:
    types = Types(definitions)
    names = sorted(name for name, one in definitions.types.items() if one.kind == "resource")
    part = {
        **_object(("about", "resourceType"), **_own(definitions)),
        "additionalProperties": True,
        "dependencies": {"key": ["each"]},
        "allOf": [_of_type(types, name, definitions) for name in names],
    }
    labels = _object(("path", "class"), path=_PATH, about=_TEXT, when=_CONDITION, **{"class": _CLASS})
    reasons = [HoldReason.DECISION, HoldReason.RECORD, HoldReason.CONTENT]
    holds = _object(
        ("when", "reason", "rule", "next_step"),
        when=_CONDITION,
        reason={"enum": [str(one) for one in reasons]},
        rule=_TEXT,
        next_step=_TEXT,
    )
    left_out = {
        **_object(("reason",), path=_PATHS, element={**_TEXTS, "type": ["string", "array"]}, reason=_TEXT),
        "oneOf": [{"required": ["path"]}, {"required": ["element"]}],
    }
    root = _object(
        ("mapping", "reads", "emits"),
        mapping=_TEXT,
        reads=_NAME,
        extends=_NAME,
        tables=_some({"anyOf": [_TEXT, _renamed()]}),
        holds=_some(holds),
        emits={"type": "object"},
        labels=_some(labels),
        not_mapped=_some(left_out),
    )
    varied: Json = {"anyOf": [{"type": "null"}, {key: value for key, value in part.items() if key != "required"}]}

    def emits(part: Json) -> Json:
        return {"properties": {"emits": {"additionalProperties": part}}}

    choice = {"if": {"required": ["extends"]}, "then": emits(ref("varied")), "else": emits(ref("part"))}
    return {**root, **choice, "definitions": {"part": part, "varied": varied, **types.made}}


def _renamed() -> Json:
    """A ConceptMap's url under a name of the mapping's own."""
    return {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _TEXT}


def _own(definitions: Definitions) -> dict[str, Json]:
    return {
        "about": _TEXT,
        "when": _CONDITION,
        "each": {"type": "string"},
        "key": {"type": "string"},
        "person": {"type": "string"},
        "resourceType": {"enum": sorted(definitions.resources)},
    }


def _of_type(types: Types, name: str, definitions: Definitions) -> Json:
    elements = {**types.elements(name), **_own(definitions)}
    elements["resourceType"] = {"const": name}
    types.made[name] = types.shape(elements, ref("any"))
    is_it = {"properties": {"resourceType": {"const": name}}, "required": ["resourceType"]}
    return {"if": is_it, "then": ref(name)}


# ── tables and cases ──────────────────────────────────────────────────────────────────────────────────────────────
def table_row() -> Json:
    """One row of a code table, by its columns."""
    columns: dict[str, Json] = {key: {"type": "string"} for key in (*COLUMNS, *OPTIONAL)}
    columns["code"] = _TEXT
    columns["equivalence"] = {"enum": ["", *sorted(EQUIVALENCES)]}
    unmatched = {"properties": {"equivalence": {"const": "unmatched"}}, "required": ["equivalence"]}
    empty, filled = {"properties": {"target": {"const": ""}}}, {"properties": {"target": _TEXT}, "required": ["target"]}
    return {
        **_object(COLUMNS, **columns),
        "if": unmatched,
        "then": empty,
        "else": {**filled, "allOf": [{"properties": {"system": _TEXT}, "required": ["system"]}]},
    }


def _consent() -> Json:
    """A consent as a case writes it."""
    written: dict[str, Json] = dict.fromkeys(CASE_CONSENT_KEYS, _TEXT)
    written["person"] = written["grantor"] = {"type": ["string", "integer"]}
    written["classes"] = _list({"enum": sorted(GRANTABLE)})
    written["authority"] = {"enum": [*Authority]}
    written["purpose"] = {"enum": [*Purpose]}
    return _object(("person", "from"), **written)


def _released() -> Json:
    """What a case expects to leave: person → part → a word or a rule, or these of each section."""
    said: Json = {"anyOf": [_TEXT, _list(_TEXT, minItems=1)]}
    chart: Json = {"type": ["object", "null"], "additionalProperties": said}
    return {"type": ["object", "null"], "additionalProperties": chart}


def _cases() -> Json:
    row = table_row()
    columns = {key: value for key, value in row["properties"].items() if key != "code"}
    without_code = {**row, "properties": columns, "required": []}
    rows = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": without_code}}
    stated: dict[str, Json] = {
        "about": _TEXT,
        "labels": _list(_CLASS, minItems=1),
        "sections": _list(_list(_CLASS, minItems=1)),
        "is": {"type": "object", "propertyNames": {"pattern": _RESOURCE_PATH}},
        "has_not": _list({"type": "string", "pattern": _RESOURCE_PATH}),
        "whole": {"type": "object"},
    }
    part: Json = {**_object((), **stated), "type": ["object", "null"]}
    findings: dict[str, Json] = dict.fromkeys(FINDING_KEYS, _TEXT)
    expect = {
        **_object(
            parts={"type": ["object", "null"], "additionalProperties": part},
            released=_released(),
            holds=_TEXTS,
            rejected=_list({"type": "string"}),
            findings=_list(_object(("part", "code"), **findings)),
        ),
        "minProperties": 1,
    }
    names: dict[str, Json] = {key: {"type": "string"} for key in AGENCY_KEYS}
    agency = _object((), **names)
    case = _object(
        ("name", "expect"),
        name=_TEXT,
        proves=_TEXTS,
        agency=agency,
        record=_ANY_OBJECT,
        rows=rows,
        consents=_list(_consent()),
        recipient=_object(("practice", "at"), practice=_TEXT, at=_TEXT, **dict.fromkeys(SETTINGS, _YES_OR_NO)),
        expect=expect,
    )
    return _object(
        ("kind", "cases"),
        kind=_NAME,
        agency=agency,
        record=_ANY_OBJECT,
        not_covered=_list(_object(("place", "reason"), place=_TEXT, reason=_TEXT)),
        cases=_list(case),
    )
