"""May we, and why do we believe so: what a server states, what is known of its vendor, what its site switched on, what
its answers taught us. Scopes are never capability.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.ehr.facts import VendorFacts
from bridge.ehr.received import json_object
from bridge.errors import DefinitionError, Problem
from bridge.model import Allowed, Interaction, Response, type_json

SEARCH_BY_POST = "search-post"
"""What is learned of a server that refused `POST [type]/_search`; not a FHIR code."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some servers begin their JSON with it, which RFC 8259 lets a reader ignore

Learned = Collection[tuple[str, str]]
"""(type, interaction) pairs a server refused as unsupported."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What one connection takes. Made by `from_statement`; every answer carries its reason."""

    vendor: VendorFacts
    software: str
    stated: Mapping[str, frozenset[str]]  # type → interactions
    parameters: Mapping[str, frozenset[str]]  # type → search parameters
    versioned: frozenset[str] = frozenset()  # types whose updates need a version
    conditional: frozenset[str] = frozenset()  # types that are created only where a search finds none
    enabled: frozenset[str] = frozenset()
    learned: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def from_statement(
        cls,
        statement: type_json,
        vendor: VendorFacts,
        site_enable: Collection[str] = frozenset(),
        learned: Learned = frozenset(),
    ) -> Capability:
        """A CapabilityStatement of any shape, read for what it says; entries of several `rest` for servers add up.

        Raises `DefinitionError` where it is none, or not of FHIR R4 (4.0).
        """
        check(statement)
        stated: dict[str, frozenset[str]] = {}
        parameters: dict[str, frozenset[str]] = {}
        versioned, conditional = set(), set()
        for resource in _resources(statement):
            name = resource["type"]
            stated[name] = stated.get(name, frozenset()) | _texts(resource.get("interaction"), "code")
            parameters[name] = parameters.get(name, frozenset()) | _texts(resource.get("searchParam"), "name")
            if resource.get("versioning") == "versioned-update":
                versioned.add(name)
            if resource.get("conditionalCreate") is True:
                conditional.add(name)
        return cls(
            vendor,
            _software(statement),
            stated,
            parameters,
            frozenset(versioned),
            frozenset(conditional),
            frozenset(site_enable),
            frozenset(learned),
        )

    def allows(self, type: str, interaction: Interaction) -> Allowed:
        """Whether the interaction may be used on the type. A refusal once received counts more than a promise."""
        if (type, interaction.value) in self.learned:
            return Allowed(False, f"learned: this server refused {interaction.value} of {type} as unsupported")
        reason = self.vendor.forbidden.value.get(type, {}).get(interaction, "")
        if reason:
            return Allowed(False, f"vendor: {reason} ({self.vendor.forbidden.source.what}, {self._seen('forbidden')})")
        if interaction.value in self.stated.get(type, ()):
            return Allowed(True, f"statement: {self.software} lists {interaction.value} of {type}")
        if interaction in self.vendor.documented.value.get(type, ()):
            where = f"{self.vendor.documented.source.what}, {self._seen('documented')}"
            if type in self.enabled:
                return Allowed(True, f"vendor: documented though not stated, and the site enabled it ({where})")
            return Allowed(False, f"site: documented by the vendor, but this site has not enabled {type} ({where})")
        return Allowed(False, f"statement: {self.software} does not list {interaction.value} of {type}")

    def searches(self, type: str, parameter: str) -> Allowed:
        """Whether the type can be searched by the parameter."""
        allowed = self.allows(type, Interaction.SEARCH)
        if not allowed.yes:
            return allowed
        if parameter in self.parameters.get(type, ()):
            return Allowed(True, f"statement: {self.software} lists the search parameter {parameter} of {type}")
        return Allowed(False, f"statement: {self.software} does not list the search parameter {parameter} of {type}")

    def by_post(self, type: str) -> bool:
        """Whether a search of the type goes by POST, so that no URL carries what it looks for."""
        return self.vendor.search_by_post.value and (type, SEARCH_BY_POST) not in self.learned

    def needs_version(self, type: str) -> bool:
        """Whether an update of the type must name the version it replaces."""
        return self.vendor.if_match.value == "required" or type in self.versioned

    def creates_once(self, type: str) -> bool:
        """Whether a create of the type may say "only where none has this identifier" (FHIR R4 http.html#ccreate): the
        server states it, keeps identifiers and searches by them. Where it does not, it might find everything.
        """
        keeps = self.vendor.keeps_identifier.value == "yes"
        return keeps and type in self.conditional and self.searches(type, "identifier").yes

    def _seen(self, fact: str) -> str:
        return f"seen {getattr(self.vendor, fact).source.seen}"


def read_statement(response: Response) -> type_json:
    """The statement in an answer to `GET metadata`.

    Raises `DefinitionError` for anything else: no answer, an error, a page for people, another resource or release.
    """
    if response.failure is not None or not 200 <= response.status < 300:
        what = response.failure.value if response.failure else f"status {response.status}"
        raise DefinitionError(
            Problem("statement-unread", f"the server gave no CapabilityStatement ({what})", "metadata")
        )
    statement = json_object(response.body.removeprefix(BYTE_ORDER_MARK))
    if statement is None and b"<CapabilityStatement" in response.body[:4096]:
        rule, step = "the statement came as XML although JSON was asked for", "ask for the server's JSON base"
        raise DefinitionError(Problem("statement-not-json", rule, "metadata", next_step=step))
    if statement is None:
        raise DefinitionError(
            Problem(
                "statement-not-json",
                "the answer is not JSON; a page for people, perhaps a login, stands where the statement should be",
                "metadata",
                next_step="check the connection's base: it ends before /metadata",
            )
        )
    check(statement)
    return statement


def check(statement: type_json) -> None:
    """Nothing happens where this is a CapabilityStatement of FHIR R4; otherwise raises `DefinitionError`."""
    kind = statement.get("resourceType") if isinstance(statement, dict) else None
    if kind != "CapabilityStatement":
        known = "Conformance (FHIR DSTU2)" if kind == "Conformance" else "something else"
        raise DefinitionError(
            Problem("statement-type", f"this is no CapabilityStatement but {known}", "metadata", "resourceType")
        )
    release = statement.get("fhirVersion")
    if not isinstance(release, str) or not release.startswith("4.0"):
        raise DefinitionError(
            Problem(
                "statement-release",
                "the server does not say that it speaks FHIR R4 (fhirVersion 4.0.x)",
                "metadata",
                "fhirVersion",
                "ask for the server's R4 base; most serve several releases under different paths",
            )
        )


def _resources(statement: type_json) -> Iterator[type_json]:
    for rest in _objects(statement.get("rest")):
        if rest.get("mode", "server") == "server":
            for resource in _objects(rest.get("resource")):
                if isinstance(resource.get("type"), str):
                    yield resource


def _objects(value: Any) -> Iterator[type_json]:
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, dict):
            yield item


def _texts(value: Any, key: str) -> frozenset[str]:
    return frozenset(item[key] for item in _objects(value) if isinstance(item.get(key), str))


def _software(statement: type_json) -> str:
    software = statement.get("software")
    found = [software.get(key) for key in ("name", "version")] if isinstance(software, dict) else []
    words = [text for text in found if isinstance(text, str) and text]
    return " ".join(words)[:80] if words else "this server"
