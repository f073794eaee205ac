"""A project folder becomes one frozen Project, or every problem at once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from bridge.errors import ConfigError, Problem
from bridge.settings import login, shape
from bridge.settings.check import cross_check, in_order
from bridge.settings.file import AgencyIn, ConnectionIn, PersonIn, PracticeIn, ProgramIn, Root
from bridge.settings.handoffs import handoff
from bridge.settings.lines import Document, read_yaml
from bridge.settings.logins import LoginIn, TlsIn
from bridge.settings.overrides import Overrides, read_overrides
from bridge.settings.own import WAYS, read_text, vendor_files
from bridge.settings.reading import Reading
from bridge.settings.secret import Secret
from bridge.settings.section import Section

FILE = "bridge.yaml"
TAKEN_UP = ("mappings", "tables", "vendors")
"""Folders whose content is part of the project's hash."""

V = TypeVar("V")


def load(directory: Path) -> shape.Project:
    """The project in `directory`, checked whole, with the environment's overrides applied.

    Raises ConfigError with every problem found: each names `bridge.yaml:line`, the setting, the rule and what to do.
    """
    directory = directory.resolve()
    reading = Reading(_read(directory), directory)
    root = reading.validate(Root, reading.document.value, ())
    programs = reading.items("programs", ProgramIn)
    agencies = reading.items("agencies", AgencyIn)
    practices = reading.items("practices", PracticeIn)
    connections = reading.items("connections", ConnectionIn)
    people = reading.items("people", PersonIn)
    vendors = vendor_files(directory, reading.problems)
    ways = read_text(directory, WAYS, reading.problems)
    reading.read_secrets()
    reading.check_files()
    reading.problems += cross_check(reading.document, reading.secrets, vendors)
    overrides = read_overrides(reading.problems)
    if root is None or reading.problems:
        raise ConfigError(in_order(reading.problems))
    secrets = reading.secrets
    return shape.Project(
        directory=directory,
        hash=_hash(reading, overrides, ways),
        packs=root.packs,
        programs=_frozen({id: shape.Program(id, **_fields(item)) for id, item in programs.items()}),
        agencies=_frozen({id: _agency(id, item, reading) for id, item in agencies.items()}),
        practices=_frozen({id: _practice(id, item, reading) for id, item in practices.items()}),
        connections=_frozen({id: _connection(id, item, reading) for id, item in connections.items()}),
        people=_frozen({id: shape.Person(id=id, **_fields(item)) for id, item in people.items()}),
        store=_store(overrides.store or root.store.url, reading),
        key=secrets["key",],
        limits=root.limits,
        server=_server(root.server, overrides),
        workers=overrides.workers or root.workers,
        alerts=root.alerts,
        vendors=_frozen(vendors),
        ways=ways,
    )


def _read(directory: Path) -> Document:
    path = directory / FILE
    try:
        document = read_yaml(path.read_text(encoding="utf-8"), FILE)
    except UnicodeDecodeError:
        raise ConfigError(Problem("yaml-syntax", "not text", FILE, next_step="save the file as UTF-8")) from None
    except OSError as error:
        kind = "not here" if isinstance(error, FileNotFoundError) else f"not readable ({type(error).__name__})"
        step = f"searched: {path}; run `bridge init DIR`, or name the folder with --project or BRIDGE_PROJECT"
        raise ConfigError(Problem("project-missing", f"the project file is {kind}", FILE, next_step=step)) from None
    if document.value is None:
        empty = Problem("missing", "the file holds no settings", f"{FILE}:1", next_step="see docs/configuring.md")
        raise ConfigError(document.problems or empty)
    return document


def _frozen(items: dict[str, V]) -> Mapping[str, V]:
    return MappingProxyType(items)


def _fields(item: Section) -> dict[str, Any]:
    return {name: getattr(item, name) for name in type(item).model_fields}


def _agency(id: str, item: AgencyIn, reading: Reading) -> shape.Agency:
    own = _fields(item) | {
        "id": id,
        "key": reading.secrets.get(("agencies", id, "key")),
        "watch": reading.directory / item.watch if item.watch else None,
    }
    return shape.Agency(**own)


def _practice(id: str, item: PracticeIn, reading: Reading) -> shape.Practice:
    own = _fields(item) | {
        "id": id,
        "key": reading.secrets.get(("practices", id, "key")),
        "pilot": None if item.pilot is None else frozenset(item.pilot),
        "enable": frozenset(item.enable),
        "handoff": handoff(item.handoff, reading.directory, reading.secrets, ("practices", id)),
        "routes": _frozen(item.routes),
        "flowsheets": _frozen(item.flowsheets),
    }
    return shape.Practice(**own)


def _connection(id: str, item: ConnectionIn, reading: Reading) -> shape.Connection:
    own = _fields(item) | {
        "base": item.base or "",
        "id": id,
        "login": _login(id, item.login, reading),
        "tls": _tls(item.tls, reading),
    }
    return shape.Connection(**{field.name: own[field.name] for field in fields(shape.Connection)})


def _login(id: str, item: LoginIn | None, reading: Reading) -> login.Login | None:
    def secret(*steps: str) -> Secret:
        return reading.secrets["connections", id, "login", *steps]

    if item is None:
        return None
    if item.smart is not None:
        return login.Smart(**_fields(item.smart))
    if item.client_secret is not None:
        return login.ClientSecret(**_fields(item.client_secret) | {"secret": secret("client_secret", "secret")})
    if item.basic is not None:
        return login.Basic(item.basic.user, secret("basic", "password"))
    return login.Bearer(secret("bearer"))


def _tls(item: TlsIn | None, reading: Reading) -> login.Tls | None:
    if item is None:
        return None
    names = item.ca, item.certificate, item.key.file if item.key else None
    return login.Tls(*(reading.directory / name if name else None for name in names))


def _store(url: str | None, reading: Reading) -> Secret:
    """The ledger's URL; a relative SQLite path is relative to the project folder."""
    url = reading.secrets["store",].reveal() if url is None else url
    if url.startswith("sqlite:///"):
        return Secret(f"sqlite:///{reading.directory / url.removeprefix('sqlite:///')}")
    return Secret(url)


def _server(server: shape.Server, overrides: Overrides) -> shape.Server:
    port = server.port if overrides.port is None else overrides.port
    return shape.Server(overrides.host or server.host, port, overrides.url or server.url)


def _hash(reading: Reading, overrides: Overrides, ways: str) -> str:
    """Changes with the settings, the secrets, and the project's mappings, tables and ways; says nothing of them."""
    digest = hmac.new(reading.secrets["key",].reveal().encode(), digestmod=hashlib.sha256)

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    add(
        json.dumps(reading.root, sort_keys=True, default=str).encode(),
        overrides.model_dump_json().encode(),
        ways.encode(),
    )
    for place, secret in sorted(reading.secrets.items()):
        add("/".join(map(str, place)).encode(), secret.reveal().encode())
    for folder in TAKEN_UP:
        for path in sorted((reading.directory / folder).rglob("*")):
            if path.is_file():
                add(path.relative_to(reading.directory).as_posix().encode(), path.read_bytes())
    return digest.hexdigest()
