"""One EHR in memory: its shape as the site has it, what it holds, what goes wrong, what was asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.audit import Audit
from bridge.sandbox.faults import Faults, Plan
from bridge.sandbox.loading import ShapeError, load
from bridge.sandbox.pace import Pace
from bridge.sandbox.parameters import Parameter, Parameters
from bridge.sandbox.paths import Json, kept, tree_of
from bridge.sandbox.rules import Compiled, compile_rule
from bridge.sandbox.smart import Desk
from bridge.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Settings:
    """What a sandbox is started with.

    `bearer` is the token clients must send (None: no login). `visibility_delay` are the seconds until a search sees a
    write. `site` overrides the shape's site values. `faults` is the seeded schedule. `max_body` counts bytes.
    `smart` are the clients that sign, with the addresses of their key sets; `secrets` those with a secret. With either,
    FHIR requests need a token, which lasts `token_seconds`.
    """

    bearer: str | None = None
    visibility_delay: float = 0.0
    site: dict[str, Any] = field(default_factory=dict)
    faults: Plan | None = None
    max_body: int = 16 * 1024 * 1024
    smart: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    token_seconds: int = 300


class Ehr:
    """The state of one sandbox; used from one event loop only."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.shape = load(name)
        unknown = sorted(set(settings.site) - set(self.shape.site))
        if unknown:
            raise ShapeError(
                f"{name}: no site values {', '.join(unknown)}; it has {', '.join(self.shape.site) or 'none'}"
            )
        self.site = {key: row.value for key, row in self.shape.site.items()} | settings.site
        self.bearer = settings.bearer
        signed = {**self.shape.clients, **settings.smart}
        known = signed or settings.secrets
        types = tuple(self.shape.resources)
        desk = Desk(self.shape.login, types, signed, settings.secrets, settings.token_seconds)
        self.desk = desk if known else None
        self.visibility_delay = settings.visibility_delay
        self.max_body = settings.max_body
        try:
            self.parameters = Parameters(self.shape.parameters)
        except ValueError as error:
            raise ShapeError(f"{name}: parameters: {error}") from None
        self.searches = {kind: self._search(kind) for kind in self.shape.resources}
        self.rules = {(kind, at): self._rules(kind, at) for kind in self.shape.resources for at in ("create", "update")}
        keeps = self.shape.keeps.items()
        self.keeps = {kind: tree_of(row.paths) for kind, row in keeps if not row.if_site or self.site[row.if_site]}
        self.store = Store(self.parameters, self.shape.conduct.ids.chosen, self.shape.conduct.versions.chosen)
        self.faults = Faults(settings.faults)
        self.audit = Audit()
        self.pages: OrderedDict[str, list[str]] = OrderedDict()
        self.paces = [Pace(row, int(self.site[row.site])) for row in self.shape.paces if self.site[row.site]]
        self.closed_until = 0.0  # monotonic second until which no write is taken
        self.late: list[Callable[[], object]] = []  # what was asked for and is done later
        self.merged: dict[str, str] = {}  # Patient → the Patient it was merged into

    def offers(self, kind: str, interaction: str) -> bool:
        """Whether clients may do this here: stated, or documented and switched on by the site."""
        row = self.shape.resources.get(kind)
        if row is None:
            return False
        contracted = kind in (self.site.get("writeback") or ())
        return interaction in row.interactions or (contracted and interaction in row.documented)

    def reset(self) -> None:
        """Nothing is held, nothing was asked, no ordered fault is left; settings stay."""
        self.store.clear()
        self.audit.clear()
        self.faults.clear()
        self.pages.clear()
        self.late.clear()
        self.closed_until = 0.0
        self.merged.clear()

    def _search(self, kind: str) -> dict[str, Parameter | None]:
        """Parameters offered for the type; None for those that are not read from the resource."""
        known: dict[str, Parameter | None] = {**self.parameters.of(kind)}
        known |= dict.fromkeys(("_id", self.shape.conduct.page.parameter))
        asked = self.shape.resources[kind].search
        if asked == "all":
            return known
        missing = sorted(set(asked) - set(known))
        if missing:
            raise ShapeError(f"{self.shape.shape}: {kind}: no such search parameters: {', '.join(missing)}")
        sizes = self.shape.conduct.page.parameter  # of paging, and taken also where a statement does not list it
        return {name: known[name] for name in (*asked, sizes)}

    def _rules(self, kind: str, at: str) -> tuple[Compiled, ...]:
        rows = [*self.shape.rules.get("*", ()), *self.shape.rules.get(kind, ())]
        try:
            made = [compile_rule(row, self.site) for row in rows if at in row.at]
        except (ValueError, KeyError) as error:
            raise ShapeError(f"{self.shape.shape}: rules.{kind}: {error}") from None
        compiled = tuple(rule for rule in made if rule is not None)
        unanswered = sorted({rule.reason for rule in compiled} - set(self.shape.answers))
        if unanswered:
            raise ShapeError(f"{self.shape.shape}: rules.{kind}: no answer for {', '.join(unanswered)}")
        return compiled

    def filled(self, resource: Json) -> Json:
        """The resource with what the shape fills in by itself: nobody misses that."""
        return {**self.shape.fills.get(str(resource["resourceType"]), {}), **resource}

    def trimmed(self, resource: Json, filling: bool) -> Json:
        """The resource as it is stored: what the shape ignores is gone, what it fills in is there when `filling`."""
        kind = str(resource["resourceType"])
        fills = self.shape.fills.get(kind, {})
        if kind in self.keeps:
            resource = {"resourceType": kind, "meta": resource.get("meta", {}), **kept(resource, self.keeps[kind])}
        if kind in self.shape.first:
            lists = {path: resource.get(path) for path in self.shape.first[kind].paths}
            resource = {**resource, **{path: value[:1] for path, value in lists.items() if isinstance(value, list)}}
        if filling:
            resource = {**resource, **{key: value for key, value in fills.items() if key not in resource}}
        return resource
