"""`bridge keys`: the keys the bridge signs its logins with, and what EHRs are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.api.keys import address
from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir
from bridge.fhir import keyset
from bridge.fhir.keyset import Key
from bridge.jobs.open import open_ledger
from bridge.jobs.worker import system_clock
from bridge.moves import signing
from bridge.settings import Algorithm, Project, load
from bridge.store.ledger import Ledger

app = typer.Typer(help="The keys the bridge signs its logins with (SMART Backend Services).", no_args_is_help=True)
MINUTE = 60 * keyset.SECOND


class Kind(StrEnum):
    """Whose keys: connections of one kind share them, and those of the other never see them."""

    TEST = "test"
    PRODUCTION = "production"


class Signs(StrEnum):
    """What a key signs with."""

    ES384 = "ES384"
    RS384 = "RS384"

    @property
    def algorithm(self) -> Algorithm:
        """The same, as settings name it."""
        return "ES384" if self is Signs.ES384 else "RS384"


OfKind = Annotated[Kind, typer.Option("--kind", help="Connections of which kind it signs for.")]
By = Annotated[Signs, typer.Option("--algorithm", help="RS384 where an EHR takes nothing else.")]


@app.command("new")
def new(kind: OfKind = Kind.TEST, algorithm: By = Signs.ES384, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Make the first key of a kind and algorithm. It signs at once."""
    with opened(project) as (loaded, ledger):
        now = system_clock()
        key = signing.new(ledger, kind.value, algorithm.algorithm, BY, now)
        told(loaded, signing.keys(ledger), key, now, json)
    return show.DONE


@app.command("list")
def list_keys(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Every key, where it stands, and the addresses EHRs read."""
    with opened(project) as (loaded, ledger):
        known, now = signing.keys(ledger), system_clock()
    shown = [as_dict(key, known, now) for key in known]
    if json:
        show.as_json({"keys": shown, "addresses": {kind.value: address(loaded, kind.value) for kind in Kind}})
        return show.DONE
    for one in shown:
        show.say(f"{one['kid']}  {one['kind']:<10} {one['algorithm']}  {one['state']:<9}  {when(one)}")
    if not shown:
        show.say("no keys; `bridge keys new` makes one")
    for kind in Kind:
        show.say(f"{kind.value} EHRs read {address(loaded, kind.value)}")
    return show.DONE


@app.command("rotate")
def rotate(
    kind: OfKind = Kind.TEST,
    algorithm: By = Signs.ES384,
    overlap_minutes: Annotated[
        int, typer.Option(min=0, max=30 * 24 * 60, help="How long it is published before it signs.")
    ] = keyset.OVERLAP // MINUTE,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Publish a new key now; it signs once every EHR can have read it. The old one stays published."""
    with opened(project) as (loaded, ledger):
        now = system_clock()
        key = signing.rotate(ledger, kind.value, algorithm.algorithm, overlap_minutes * MINUTE, BY, now)
        told(loaded, signing.keys(ledger), key, now, json)
    return show.DONE


@app.command("retire")
def retire(
    kid: Annotated[str, typer.Argument(help="The key's kid, as `bridge keys list` shows it.")],
    now: Annotated[bool, typer.Option("--now", help="Also while it signs: it is known to others.")] = False,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Publish a key no more and destroy its private part."""
    with opened(project) as (loaded, ledger):
        at = system_clock()
        key = signing.retire(ledger, kid, now, BY, at)
        told(loaded, signing.keys(ledger), key, at, json)
    return show.DONE


@contextmanager
def opened(project: Path) -> Iterator[tuple[Project, Ledger]]:
    """The project and its ledger, closed again."""
    loaded = load(project)
    ledger = open_ledger(loaded)
    try:
        yield loaded, ledger
    finally:
        ledger.close()


def told(project: Project, known: list[Key], key: Key, now: int, json: bool) -> None:
    """One key, and the address EHRs read."""
    one = as_dict(key, known, now)
    if json:
        show.as_json({**one, "address": address(project, key.kind)})
        return
    show.say(f"{one['kid']}  {one['kind']} {one['algorithm']}  {one['state']}  {when(one)}")
    show.say(f"{key.kind} EHRs read {address(project, key.kind)}")


def as_dict(key: Key, known: list[Key], now: int) -> dict[str, Any]:
    """A key for JSON answers; instants in UTC."""
    replaced = keyset.replaced_at(key, known)
    return {
        "kid": key.kid,
        "kind": key.kind,
        "algorithm": key.algorithm,
        "state": keyset.state(key, known, now).value,
        "made": instant(key.made_at),
        "signs_from": instant(key.signs_from),
        "replaced": instant(replaced),
        "retirable_from": instant(replaced + keyset.OVERLAP if replaced is not None else None),
        "retired": instant(key.retired_at),
    }


def when(one: dict[str, Any]) -> str:
    """The next moment that matters for a key."""
    moments = {
        "waiting": f"signs from {one['signs_from']}",
        "signing": f"until {one['replaced']}" if one["replaced"] else f"since {one['signs_from']}",
        "replaced": f"retirable from {one['retirable_from']}",
        "retirable": f"since {one['retirable_from']}: `bridge keys retire {one['kid']}`",
        "retired": f"on {one['retired']}",
    }
    return moments[one["state"]]


def instant(at: int | None) -> str | None:
    """An instant in UTC, to the second."""
    return datetime.fromtimestamp(at / keyset.SECOND, UTC).isoformat(timespec="seconds") if at is not None else None
