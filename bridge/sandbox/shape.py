"""What an EHR is like, as data: interactions, search parameters, rules, answers, conduct.

Every row names the fact it rests on, and every fact has a source and the date it was seen. Nothing here is executed:
`rules`, `answers` and the interactions read these frozen values, which `loading` makes from the files of `shapes/`.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Interaction = Literal["read", "vread", "search-type", "create", "update"]
Body = Literal["preference-full", "preference-empty", "empty", "status-key"]


class Row(BaseModel):
    """Strict and frozen; `fact` is a key of the shape's facts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    fact: str


class Fact(BaseModel):
    """Where something about a vendor was read, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str = Field(min_length=1)
    seen: date


class Resource(Row):
    """What is offered for one type. `documented` writes are not in the statement; a site switches them on."""

    interactions: tuple[Interaction, ...]
    documented: tuple[Interaction, ...] = ()
    search: tuple[str, ...] | Literal["all"] = ()
    needs: tuple[tuple[str, ...], ...] = ()  # a search must carry all parameters of one of these
    conditional_create: bool | None = None
    conditional_update: Literal[False] | None = None
    update_create: bool | None = None


class Said(BaseModel):
    """What a rule answers instead of its reason's own words."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    detail: str = ""
    text: str = ""
    status: int = 0


class When(BaseModel):
    """A condition of a rule: some value at the path is one of these."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str
    one_of: tuple[str, ...]


class Rule(Row):
    """One content rule: one check, for the interactions it concerns; `rules` says what each means."""

    at: tuple[Literal["create", "update"], ...] = ("create", "update")
    when: When | None = None
    if_site: str = ""
    reason: str = ""
    says: Said | None = None
    path: str = ""
    require: tuple[str, ...] = ()
    require_in: dict[str, tuple[str, ...]] = {}
    forbid: tuple[str, ...] = ()
    anywhere: str = ""
    one_of: tuple[str, ...] = ()
    one_of_site: str = ""
    any: bool = False
    none_of: tuple[str, ...] = ()
    most: int = 0
    mime: tuple[str, ...] = ()
    mime_site: str = ""
    base64: bool = False
    time: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    one_system: str = ""
    same_patient: bool = False
    unique: tuple[str, ...] = ()
    not_earlier: str = ""


class Paths(Row):
    """Elements of one type: those kept (`keeps`) or of which only the first is (`first`); where the site says."""

    if_site: str = ""
    paths: tuple[str, ...]


class Answer(Row):
    """What is answered for one reason. `body`: an OperationOutcome, nothing, plain text, or a number with its key."""

    status: int
    code: str = ""
    severity: Literal["fatal", "error"] = "error"
    detail: str = ""
    text: str = ""
    body: Literal["outcome", "empty", "text", "status-key"] = "outcome"


class Written(Row):
    """How a write that was done is answered."""

    body: Body
    location: Literal["versioned", "absolute", "relative", "none"]
    etag: bool


class Choice(Row):
    """One named way to behave; `code` is the vendor's own code where it has one."""

    model_config = ConfigDict(populate_by_name=True)
    chosen: str = Field(alias="is")
    code: str = ""


class Page(Row):
    """Page size, the parameter that asks for another, the parameter of the next link, and what it does not go with."""

    size: int
    most: int
    parameter: str
    link: str
    not_with: tuple[str, ...] = ()
    repeats: bool = False  # a page begins with what the one before ended with


class Login(Row):
    """How the token endpoint behaves, where clients are registered; `refuses`: types no such client may ask for."""

    algorithms: tuple[Literal["RS384", "ES384"], ...]
    permissions: tuple[Literal["permission-v1", "permission-v2"], ...]
    scope: Literal["required", "optional"]
    endpoint: Literal["absolute", "relative"]  # as its configuration states it
    refuses: tuple[str, ...] = ()


class Ceiling(Row):
    """How many requests are answered in a minute or a day of UTC: a site value says, 0 or null without end.

    `interactions` and `types` are those that count and are refused beyond it, for `reason`; none: all, token calls too.
    """

    site: str
    each: Literal["minute", "day"]
    reason: str = "throttled"
    interactions: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Types(Row):
    """Types a reference to which must name something stored."""

    types: tuple[str, ...]


class Conduct(BaseModel):
    """How the server behaves beside its content rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    create: Written
    update: Written
    if_match: Choice  # optional | required
    conditional_create: Choice  # honoured | ignored
    unknown_parameter: Choice  # ignored | noted | refused
    post_search: Choice  # body | merged
    empty_search: Choice  # silent | noted
    unqualified: Choice  # listed | refused: a search without any criterion
    page: Page
    ids: Choice  # uuid | numeric | opaque
    versions: Choice  # counted | opaque | none
    points: Choice  # expression | location | slashes
    resolve: Types
    merged: Choice  # refused | redirected: a write about, and a read of, a Patient that was merged into another


class SiteValue(Row):
    """What a site decides: the value it has unless the sandbox is started with another, and what it is about."""

    value: Any
    about: str


class Shape(BaseModel):
    """One EHR's shape, whole: what it extends is merged in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    shape: str
    title: str
    fact: str
    facts: dict[str, Fact]
    software: dict[Literal["name", "version"], str] = {}
    instantiates: tuple[str, ...] = ()
    resources: dict[str, Resource] = {}
    parameters: dict[str, dict[str, str]] = {}
    conduct: Conduct
    login: Login
    clients: dict[str, str] = {}  # those that sign in: client → address of its key set; then everybody must
    detail_system: str = ""
    site: dict[str, SiteValue] = {}
    paces: tuple[Ceiling, ...] = ()
    rules: dict[str, tuple[Rule, ...]] = {}
    keeps: dict[str, Paths] = {}
    first: dict[str, Paths] = {}
    fills: dict[str, dict[str, Any]] = {}
    answers: dict[str, Answer]
