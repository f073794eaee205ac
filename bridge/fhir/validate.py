"""Is this FHIR? The line's check of every part, and of what comes back.

A resource is run against the JSON Schema of its type and of the profiles it declares (jsonschema-rs, which calls our
Python only where an invariant needs it). Only what fails is looked at again, to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions

from bridge.fhir.definitions import Definitions
from bridge.fhir.findings import Context, tell
from bridge.fhir.invariants import CALLS, RULES, UNCHECKED
from bridge.fhir.nested import (
    all_lead_here,
    contained_findings,
    contained_types,
    control_characters,
    inner_resources,
    local_reference_findings,
)
from bridge.fhir.primitives import Schema
from bridge.fhir.profiles import Profiles
from bridge.fhir.schema import Builder
from bridge.fhir.support import MustSupport
from bridge.model import Finding, Part, Severity, type_json


class Calls:
    """The schema keyword `calls`: the value holds to one of our Python checks."""

    def __init__(self, parent_schema: Schema, value: str, schema_path: Sequence[str | int]) -> None:
        self._holds = CALLS[value]

    def validate(self, instance: Any) -> None:
        """Raises ValueError, without the value, when it does not."""
        if not self._holds(instance):
            raise ValueError


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one type with some profiles is run against; no roots: `findings` is all there is to say."""

    roots: tuple[str, ...]
    supports: tuple[MustSupport, ...]
    findings: tuple[Finding, ...]


class Validator:
    """Checks resources against one set of definitions. Build it once (0.2 s, 25 MB): everything is compiled then."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        builder = Builder(definitions)
        profiles = Profiles(builder)
        roots = {name: builder.type(name) for name, kind in definitions.types.items() if kind.kind == "resource"}
        roots |= {url: profiles.schema(url) for url in definitions.profiles}
        self._schema = builder.defs
        self._validator = Draft202012Validator(
            builder.document(roots),
            validate_formats=True,
            pattern_options=RegexOptions(),
            keywords={"calls": Calls},
            offline=True,
        )
        self._unchecked = dict.fromkeys(builder.unchecked, "the codes of this value set are not at hand")
        self._unchecked |= dict.fromkeys(profiles.unchecked, "this cannot be told from the definition")
        self._names = frozenset(name for body in self._schema.values() for name in body.get("properties", ()))
        self._plans: dict[tuple[Any, tuple[Any, ...]], _Plan] = {}

    @property
    def digest(self) -> str:
        """Changes with the definitions."""
        return self.definitions.digest

    def check(
        self, resource: type_json, profiles: Sequence[str] | None = None, *, advise: bool = True
    ) -> tuple[Finding, ...]:
        """What is wrong with the resource and with those inside it; empty: nothing is.

        `profiles` are the canonical urls to hold it to; None: those it declares in `meta.profile`. With `advise`,
        must-support elements that are absent are told too, as information. Never raises for what a resource holds, and
        no finding carries a value of it.
        """
        text = _encoded(resource)
        return self._check_encoded(text, resource, profiles, advise) if text else (NO_JSON,)

    def check_all(
        self, parts: Iterable[Part | type_json], *, advise: bool = True, outside: frozenset[str] | None = None
    ) -> tuple[Finding, ...]:
        """The findings of all parts, each with its part's name (its position, for a plain resource).

        With `outside`, every relative reference must lead to one of the parts, but for the resource types it names.
        """
        texts: list[bytes] = []
        named: list[tuple[str, str, type_json]] = []
        found: list[Finding] = []
        for index, item in enumerate(parts):
            name, resource = (item.name, item.resource) if isinstance(item, Part) else (str(index), item)
            text = _encoded(resource)
            texts.append(text)
            named.append((name, self._label(resource), resource))
            here = self._check_encoded(text, resource, None, advise) if text else (NO_JSON,)
            found.extend(Finding(one.code, one.severity, one.path, one.rule, name) for one in here)
        if outside is not None and not all_lead_here(texts, named, outside):
            found.extend(local_reference_findings(named, outside, self._names))
        return tuple(found)

    def uncovered(self) -> Mapping[str, str]:
        """What of the definitions is not checked, and why: invariants, bindings without their codes, odd slices."""
        unknown = "an invariant of a site's own package: nobody compiled it"
        found = {key: UNCHECKED.get(key, unknown) for key in self.definitions.invariants if key not in RULES}
        return dict(sorted((found | self._unchecked).items()))

    # ── one resource ────────────────────────────────────────────────────────────────────────────────────────────
    def _check_encoded(
        self, text: bytes, resource: type_json, profiles: Sequence[str] | None, advise: bool
    ) -> tuple[Finding, ...]:
        found = self._check(resource, profiles, advise)
        if b"\\" in text and b"\\u00" in text:  # one byte is looked for 20 times faster than four
            found += tuple(control_characters(resource, self._label(resource), self._names))
        return found

    def _check(self, resource: Any, profiles: Sequence[str] | None, advise: bool) -> tuple[Finding, ...]:
        if not isinstance(resource, dict):
            return (NO_RESOURCE,)
        asked = _declared(resource) if profiles is None else tuple(profiles)
        try:
            plan = self._plans[resource.get("resourceType"), asked]
        except (KeyError, TypeError):
            plan = self._plan(resource.get("resourceType"), asked)
        found = plan.findings
        if not plan.roots:
            return found
        instance = dict.fromkeys(plan.roots, resource)
        if not self._validator.is_valid(instance):
            context = Context(self.definitions, self._schema, resource, contained_types(resource))
            found += tell(self._validator.iter_errors(instance), context)
        if advise:
            for support in plan.supports:
                found += support.missing(resource)
        if "contained" in resource or plan.roots[0] in ("Bundle", "Parameters"):
            found += self._inner(resource, advise)
        return found

    def _label(self, resource: Any) -> str:
        """The resource's type where it names one: anything else it says is not repeated."""
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        return kind if isinstance(kind, str) and kind in self.definitions.resources else "resource"

    def _plan(self, kind: Any, asked: tuple[Any, ...]) -> _Plan:
        """What to run for a type and the profiles asked for, with a finding for each profile that cannot be run."""
        if not isinstance(kind, str) or kind not in self.definitions.resources:
            return _Plan((), (), (NO_RESOURCE,))
        if kind not in self.definitions.types:
            rule = "is a resource the bridge has a definition of; it was not checked"
            return _Plan((), (), (Finding("fhir-no-definition", Severity.WARNING, kind, rule),))
        known: list[str] = []
        found: list[Finding] = []
        for index, url in enumerate(url for url in asked if isinstance(url, str)):
            profile = self.definitions.profiles.get(url.split("|")[0])
            path = f"{kind}.meta.profile[{index}]"
            if profile is None:
                rule = "is a profile the bridge has; it was not checked"
                found.append(Finding("fhir-profile-unknown", Severity.WARNING, path, rule))
            elif profile.type != kind:
                found.append(Finding("fhir-profile-type", Severity.ERROR, path, f"is a profile of {kind}"))
            elif profile.url not in known:
                known.append(profile.url)
        supports = tuple(MustSupport(self.definitions, self.definitions.profiles[url]) for url in known)
        plan = _Plan((kind, *known), supports, tuple(found))
        if len(known) == len(asked):  # kept only for what is known: a stranger's urls do not fill the memory
            self._plans[kind, asked] = plan
        return plan

    def _inner(self, resource: type_json, advise: bool) -> tuple[Finding, ...]:
        found = list(contained_findings(resource))
        for path, inner in inner_resources(resource):
            for one in self._check(inner, None, advise):
                tail = one.path.partition(".")[2]
                found.append(Finding(one.code, one.severity, f"{path}.{tail}" if tail else path, one.rule))
        return tuple(found)


NO_JSON = Finding("fhir-json", Severity.ERROR, "", "is a JSON object, nested at most 250 deep, in UTF-8")
NO_RESOURCE = Finding("fhir-resource-type", Severity.ERROR, "resourceType", "names a resource of FHIR R4")


def _declared(resource: type_json) -> tuple[Any, ...]:
    meta = resource.get("meta")
    listed = meta.get("profile") if isinstance(meta, dict) else None
    return tuple(listed) if isinstance(listed, list) else ()


def _encoded(resource: Any) -> bytes:
    """The resource as JSON; empty when it is none, is circular, or so deep that native code would exhaust its stack."""
    try:
        return orjson.dumps(resource, default=_decimal)
    except TypeError:
        return b""


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return 0
    raise TypeError
