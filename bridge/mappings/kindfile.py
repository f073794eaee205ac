"""A `*.kind.yaml` file → Kind."""

from __future__ import annotations

from typing import Any

from bridge.errors import Problem
from bridge.mappings.kinds import ConsentPaths, Kind, Rule
from bridge.mappings.schema import Field, NoSchemaError, Schema
from bridge.mappings.source import Path, Source

_REQUIRED = ("kind", "title", "id", "subject", "people", "schema")
_OPTIONAL = (
    "version",
    "version_as",
    "when",
    "practice",
    "program",
    "final",
    "void",
    "urgent",
    "significant",
    "never",
    "agency_only",
    "consent",
    "custody",
    "safety",
    "before_consent",
)
_TERMS = (
    "until",
    "revoked",
    "narrative",
    "classes",
    "refused",
    "grantor",
    "authority",
    "purpose",
    "language",
    "document",
)
CONSENT_KEYS = ("person", "practice", "from", *_TERMS)


def read_kind(source: Source, problems: list[Problem]) -> Kind | None:
    """The kind a file declares, or None with its problems added."""
    before = len(problems)
    value = source.value
    if not isinstance(value, dict):
        problems.append(Problem("kind-shape", "a kind file is an object", source.where(())))
        return None
    for key in value:
        if key not in _REQUIRED + _OPTIONAL:
            known = ", ".join(_REQUIRED + _OPTIONAL)
            problems.append(Problem("kind-shape", f"a kind has {known}", source.where((key,)), key))
    for key in _REQUIRED:
        if value.get(key) in (None, "", [], {}, [None]):
            problems.append(Problem("kind-shape", "is missing", source.where((key,)), key))
    if len(problems) > before:
        return None
    try:
        schema = Schema(value["schema"])
    except NoSchemaError as error:
        where = source.where(("schema", *error.path))
        problems.append(Problem("kind-schema", f"this is no JSON Schema: {error}", where, "schema"))
        return None
    reader = _Reader(source, schema, problems)
    kind = Kind(
        name=str(value["kind"]),
        title=str(value["title"]),
        schema=schema,
        id=reader.path("id") or (),
        subject=reader.paths("subject"),
        people={
            role: path for role in reader.object(None, "people") if (path := reader.path("people", role)) is not None
        },
        version=reader.path("version"),
        version_as=reader.choice("version_as", ("instant", "integer")),
        when=reader.path("when"),
        practice=reader.path("practice"),
        program=reader.path("program"),
        final=reader.rule("final"),
        void=reader.rule("void"),
        urgent=reader.rules("urgent"),
        significant=reader.rules("significant"),
        never=tuple(reader.dotted(one) for one in reader.texts("never")),
        agency_only=reader.paths("agency_only"),
        consent=reader.consent(),
        custody=reader.paths("custody"),
        safety=reader.path("safety"),
        before_consent=reader.before_consent(),
    )
    for key in ("kind", "title"):
        if not isinstance(value[key], str):
            reader.wrong((key,), "must be a text", "put a number in quotes")
    if "/" not in kind.name:
        reader.wrong(("kind",), "a kind is named PACK/NAME")
    return kind if len(problems) == before else None


class _Reader:
    """Takes the declarations of one file apart; what is wrong is added to `problems` with its line."""

    def __init__(self, source: Source, schema: Schema, problems: list[Problem]) -> None:
        self.source = source
        self.schema = schema
        self.problems = problems

    def wrong(self, path: Path, rule: str, next_step: str = "") -> None:
        field = ".".join(map(str, path))
        self.problems.append(Problem("kind-declaration", rule, self.source.where(path), field, next_step))

    def at(self, *path: str | int) -> Any:
        value: Any = self.source.value
        for step in path:
            if isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return value

    @staticmethod
    def dotted(text: str) -> Field:
        return tuple(text.split("."))

    def path(self, *where: str | int) -> Field | None:
        """The dotted path declared there, which the schema must know."""
        value = self.at(*where)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(where, "must be a dotted path into the record")
            return None
        if self.schema.field(self.dotted(value)) is None:
            self.wrong(where, "names a field that the schema does not have", "correct the path or the schema")
        return self.dotted(value)

    def paths(self, *where: str) -> tuple[Field, ...]:
        """One path or a list of them."""
        value = self.at(*where)
        found = [self.path(*where, i) for i in range(len(value))] if isinstance(value, list) else [self.path(*where)]
        return tuple(path for path in found if path is not None)

    def texts(self, *where: str) -> list[str]:
        value = self.at(*where) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(where, "must be a list of field names")
            return []
        return value

    def choice(self, key: str, among: tuple[str, ...]) -> str:
        value = self.at(key) or among[0]
        if value not in among:
            self.wrong((key,), f"must be one of {', '.join(among)}")
        return str(value)

    def object(self, keys: tuple[str, ...] | None, *where: str | int) -> dict[str, Any]:
        """The object declared there, holding none but `keys`."""
        value = self.at(*where)
        if not isinstance(value, dict):
            self.wrong(where, "must be an object")
            return {}
        for name in value:
            if keys is not None and name not in keys:
                self.wrong((*where, name), f"there is only {', '.join(keys)}")
        return value

    def rule(self, *where: str | int) -> Rule | None:
        """The rule declared there, `{path: field, in: [values]}`."""
        if self.at(*where) is None:
            return None
        value = self.object(("path", "in"), *where)
        path = self.path(*where, "path")
        if path is None or not isinstance(value.get("in"), list):
            self.wrong(where, "is written `{path: field, in: [values]}`")
            return None
        return Rule(path, frozenset(value["in"]))

    def rules(self, key: str) -> tuple[Rule, ...]:
        """One rule or a list of them: any of them will do."""
        value = self.at(key)
        found = [self.rule(key, i) for i in range(len(value))] if isinstance(value, list) else [self.rule(key)]
        return tuple(rule for rule in found if rule is not None)

    def before_consent(self) -> bool:
        """Whether records of this kind may be sent before consent: then no field of it can hold anybody's words."""
        value = self.at("before_consent") or False
        if not isinstance(value, bool):
            self.wrong(("before_consent",), "must be true or false")
            return False
        for path in sorted(path for path, field in self.schema.fields.items() if value and field.free_text):
            rule = f"what is sent before consent holds codes, ids and times alone, and `{'.'.join(path)}` is free text"
            self.wrong(("before_consent",), rule, "give the field a format or an enum, or take it out")
        return value

    def consent(self) -> ConsentPaths | None:
        if self.at("consent") is None:
            return None
        self.object(CONSENT_KEYS, "consent")
        practice, start = self.path("consent", "practice"), self.path("consent", "from")
        person = self.paths("consent", "person")
        if practice is None or start is None or not person:
            self.wrong(("consent",), "needs person, practice and from")
            return None
        optional = {key: self.path("consent", key) for key in _TERMS}
        return ConsentPaths(person, practice, start, **optional)
