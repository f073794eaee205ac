"""What is known of an EHR's vendor beyond its own statement: data, each fact with its source and the date it was seen.

A vendor's file says only where it differs; the rest is `generic`, which is also what a vendor never seen gets.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bridge.errors import ConfigError, Problem
from bridge.model import AnswerClass, Interaction
from bridge.settings import Algorithm
from bridge.settings.lines import Document, read_yaml

V = TypeVar("V")
GENERIC = "generic"

Yes = Literal["yes", "no", "unknown"]
Change = Literal["update", "replace", "supersede", "none"]
Withdrawal = Literal["update", "note", "none"]
Code = Annotated[str, BeforeValidator(str)]  # vendors number their codes; YAML reads numbers


class Shape(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Source(Shape):
    """Where a fact was seen, and when (year, month or day)."""

    what: str = Field(min_length=8)
    seen: Annotated[str, BeforeValidator(str)] = Field(pattern=r"^20\d\d(-\d\d(-\d\d)?)?$")


class Fact(Shape, Generic[V]):
    """One fact with where it comes from; `note` is for people."""

    value: V
    source: Source
    note: str = ""


class DocumentFacts(Shape):
    """What this vendor's DocumentReference takes."""

    mimes: Fact[tuple[str, ...]]  # accepted content types, best first
    update_mimes: Fact[tuple[str, ...]]  # those an update takes; a document that cannot be corrected is no good
    charset: Fact[bool]  # contentType says "; charset=utf-8" for text
    doc_status: Fact[tuple[str, ...]]  # values sent as docStatus; empty = the element is left out
    author: Fact[Literal["display", "contained", "omit"]]  # who wrote it: the agency; never a clinician's resource
    custodian: Fact[Literal["display", "omit"]]
    relates_to: Fact[bool]  # keeps relatesTo
    keeps_title: Fact[Yes]  # stores and returns attachment.title
    times: Fact[bool]  # every date needs a time and a zone
    period_end: Fact[bool]  # context.period.end must be there
    largest: Fact[int]  # bytes of the document before base64
    creation_forward: Fact[bool]  # refuses an update whose attachment.creation is earlier than what stands
    contained: Fact[bool]  # takes resources contained in it


class LoginFacts(Shape):
    """How this vendor takes a signed login (SMART Backend Services)."""

    algorithms: Fact[tuple[Algorithm, ...]]  # those it verifies
    scopes: Fact[Literal["v1", "v2", "stated"]]  # how a scope is written; stated = as its SMART configuration says
    scope: Fact[Literal["required", "optional"]]  # optional: where none is written in the settings, none is sent


class PaceFacts(Shape):
    """How much this vendor takes, over all that ask it for one site; null where it publishes nothing."""

    per_minute: Fact[int | None]  # every request of a calendar minute, calls for a token too
    per_day: Fact[int | None]
    documents_per_day: Fact[int | None]  # every request for a DocumentReference
    spent_today: Fact[tuple[Code, ...]]  # codes that say that the day's documents are spent


class ErrorCode(Shape):
    """An exception of this vendor to the table of answers: these codes mean this class."""

    codes: tuple[Code, ...] = Field(min_length=1)
    means: AnswerClass
    source: Source
    interactions: tuple[Interaction, ...] = tuple(Interaction)
    statuses: tuple[int, ...] = ()  # empty = any
    note: str = ""


class VendorFacts(Shape):
    """All we know of one vendor."""

    vendor: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    visibility_delay: Fact[int]  # seconds after which a search shows what was accepted
    search_by_post: Fact[bool]  # POST [type]/_search, so that no URL carries a person's identifier
    keeps_identifier: Fact[Yes]  # stores and returns the identifier we send
    if_match: Fact[Literal["required", "when-known"]]
    stale: Fact[tuple[int, ...]]  # statuses that say "another version stands"
    correction: Fact[Change]  # how a document is best corrected (`send.CHANGES` says what else)
    retraction: Fact[Withdrawal]  # how one is taken back: entered-in-error, or a note that says so
    meta: Fact[tuple[str, ...]]  # elements of meta that are sent
    marks: Fact[dict[str, tuple[dict[str, str], ...]]]  # type → codings in meta.security that this vendor reads
    drops: Fact[dict[str, tuple[str, ...]]]  # type → elements this vendor refuses or infers
    adds: Fact[dict[str, dict[str, dict[str, Any]]]]  # type → list element → what each item has beside ours
    items: Fact[dict[str, dict[str, tuple[str, ...]]]]  # type → list element → what an item must have, or is refused
    filed_as: Fact[
        dict[str, dict[str, dict[str, str]]]
    ]  # type → element → our code → the one a new resource is filed by
    requires: Fact[dict[str, tuple[str, ...]]]  # type → paths that must be there, or the vendor refuses
    only: Fact[dict[str, dict[str, tuple[Code, ...]]]]  # type → path → the only codes taken there
    profile: Fact[str]  # the version of US Core whose profiles meta names; "" = without a version
    flowsheet: Fact[bool]  # a value is filed in a flowsheet row that the site must have mapped
    forbidden: Fact[dict[str, dict[Interaction, str]]]  # stated, and yet not to be used: the reason
    documented: Fact[dict[str, tuple[Interaction, ...]]]  # not stated, open where the site has it switched on
    document: DocumentFacts
    login: LoginFacts
    pace: PaceFacts
    exceptions: tuple[ErrorCode, ...] = ()


@cache
def vendor(name: str) -> VendorFacts:
    """The facts shipped for a vendor. Raises `ConfigError` naming the known ones where there is no such file."""
    folder = importlib.resources.files("bridge.ehr") / "vendors"
    if name not in known():
        raise ConfigError(
            Problem(
                "vendor-unknown",
                f"no facts are known under this vendor name; known are {', '.join(known())}",
                field="vendor",
                next_step=f"use one of them, or `{GENERIC}` for a server never seen",
            )
        )
    base = (folder / f"{GENERIC}.yaml").read_text(encoding="utf-8")
    return read_vendor((folder / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml", base)


@cache
def known() -> tuple[str, ...]:
    """The vendors facts are shipped for, sorted."""
    folder = importlib.resources.files("bridge.ehr") / "vendors"
    return tuple(sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".yaml")))


def of_project(name: str, own: Mapping[str, str]) -> VendorFacts:
    """The facts for a vendor in a project with vendor files of its own (name → text).

    The project's file goes over the shipped one of the same name, else over the one that it `reads`, else over generic.
    Raises `ConfigError` with every problem of the file, or naming the known ones where nobody knows the vendor.
    """
    return _own(name, own[name]) if name in own else vendor(name)


@cache
def _own(name: str, text: str) -> VendorFacts:
    where = f"vendors/{name}.yaml"
    document = read_yaml(text, where)
    value = document.value if isinstance(document.value, dict) else {}
    below = value.get("reads", name if name in known() else GENERIC)
    if below not in known():
        rule, step = "no facts are shipped under this name", f"use one of {', '.join(known())}"
        raise ConfigError(Problem("vendor-unknown", rule, document.where(("reads",)), "reads", step))
    if value.get("vendor", name) != name:
        rule, step = "a vendor's file has the vendor's name", f"write {name}, or rename the file"
        raise ConfigError(Problem("vendor-name", rule, document.where(("vendor",)), "vendor", step))
    folder = importlib.resources.files("bridge.ehr") / "vendors"
    layers = [(folder / f"{one}.yaml").read_text(encoding="utf-8") for one in dict.fromkeys((GENERIC, below))]
    return read_vendor(text, where, *layers, name=name)


def read_vendor(text: str, where: str, *below: str, name: str = "") -> VendorFacts:
    """The facts in a vendor file's text over those of the files `below`, the lowest first.

    Raises `ConfigError` with every problem at once, each with `where`:line. `name` stands where the file names none.
    """
    own = read_yaml(text, where)
    problems = list(own.problems)
    merged: dict[str, Any] = {}
    for layer in below:
        merged = _over(merged, _sourced(read_yaml(layer, f"{GENERIC}.yaml"), problems))
    named = {"vendor": name, "title": name} if name else {}
    merged = _over(merged | named, _sourced(own, problems))
    if problems:
        raise ConfigError(problems)
    try:
        return VendorFacts.model_validate(merged)
    except ValidationError as error:
        raise ConfigError([_problem(own, item) for item in error.errors(include_input=False)]) from None


def _sourced(document: Document, problems: list[Problem]) -> dict[str, Any]:
    """The file's value with each `source:` name replaced by what it stands for."""
    value = document.value if isinstance(document.value, dict) else {}
    sources = value.get("sources", {})

    def walk(node: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(node, list):
            return [walk(item, (*path, index)) for index, item in enumerate(node)]
        if not isinstance(node, dict):
            return node
        found = {key: walk(item, (*path, key)) for key, item in node.items()}
        if isinstance(node.get("source"), str):
            if node["source"] not in sources:
                where = document.where((*path, "source"))
                problems.append(Problem("vendor-source", "names a source that is not under `sources`", where, "source"))
            found["source"] = sources.get(node["source"])
        return found

    return {key: walk(item, (key,)) for key, item in value.items() if key not in ("sources", "reads")}


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `base`, fact by fact; of exceptions its own come first."""
    grouped = {name: {**base.get(name, {}), **own.get(name, {})} for name in ("document", "login", "pace")}
    return {**base, **own, **grouped, "exceptions": [*own.get("exceptions", []), *base.get("exceptions", [])]}


def _problem(document: Document, error: Any) -> Problem:
    path = tuple(error["loc"])
    field = ".".join(map(str, path))
    return Problem("vendor-fact", error["msg"], document.where(path), field, "see the facts of generic.yaml")
