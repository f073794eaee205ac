"""What must hold between the sections of `bridge.yaml`.

Reads the plain values beside the checked ones, so that these mistakes show together with all others.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from bridge.errors import Problem
from bridge.settings.known import names
from bridge.settings.lines import Document, Path
from bridge.settings.secret import Secret
from bridge.settings.tree import Tree, texts
from bridge.settings.words import nearest

ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NO_SERVER = "none"  # the vendor of a connection without a FHIR server
KEY_MIN = 24  # characters of an API key; `bridge init` makes 43


def cross_check(document: Document, secrets: Mapping[Path, Secret], vendors: Collection[str] = ()) -> list[Problem]:
    """Every broken rule between sections, in no particular order; `vendors` are those the project has files of."""
    tree = Tree(document)
    checks = (ids, references, mixtures, pilots, addresses, doors, timing, people)
    found = [problem for check in checks for problem in check(tree)]
    return [*found, *names(tree, vendors), *keys(tree, secrets)]


def ids(tree: Tree) -> Iterator[Problem]:
    """Ids stand in addresses, identifiers and file names."""
    for section in ("programs", "agencies", "practices", "connections", "people"):
        for name in tree.items(section):
            if not ID.fullmatch(name):
                rule = "an id is up to 40 small letters, digits and dashes, a letter first"
                yield tree.problem(
                    "id-form", (section, name), rule, "choose another; it cannot change once records were sent"
                )


def refer(tree: Tree, path: Path, name: Any, section: str, what: str) -> Iterator[Problem]:
    """A problem when `name` is not an item of `section`."""
    known = tree.items(section)
    if isinstance(name, str) and name not in known:
        yield tree.problem("unknown-name", path, f"no {what} has this id", nearest(name, known))


def references(tree: Tree) -> Iterator[Problem]:
    """Programs, practices and connections that are named exist."""
    for agency, item in tree.items("agencies").items():
        yield from refer(tree, ("agencies", agency, "program"), item.get("program"), "programs", "program")
        for index, practice in texts(item, "practices"):
            yield from refer(tree, ("agencies", agency, "practices", index), practice, "practices", "practice")
    for practice, item in tree.items("practices").items():
        yield from refer(
            tree, ("practices", practice, "connection"), item.get("connection"), "connections", "connection"
        )


def mixtures(tree: Tree) -> Iterator[Problem]:
    """Synthetic records stay out of real charts, and real ones out of test systems."""
    practices, connections = tree.items("practices"), tree.items("connections")
    for agency, item in tree.items("agencies").items():
        for index, name in texts(item, "practices"):
            kind = connections.get(str(practices.get(name, {}).get("connection")), {}).get("kind")
            if (item.get("source"), kind) not in (("synthetic", "production"), ("real", "test")):
                continue
            yield tree.problem(
                "source-mismatch",
                ("agencies", agency, "practices", index),
                f"a {item['source']} source may not reach a {kind} connection",
                "send synthetic records to test connections and real ones to production connections",
            )


def pilots(tree: Tree) -> Iterator[Problem]:
    """A pilot panel lists persons of agencies that work with the practice."""
    agencies = tree.items("agencies")
    for practice, item in tree.items("practices").items():
        for index, entry in texts(item, "pilot"):
            agency, slash, person = entry.partition("/")
            path = ("practices", practice, "pilot", index)
            if not slash or not agency or not person:
                yield tree.problem(
                    "pilot-form", path, "is not agency/person", "write the agency's id, a slash, its person id"
                )
            elif agency not in agencies:
                yield from refer(tree, path, agency, "agencies", "agency")
            elif practice not in [name for _, name in texts(agencies[agency], "practices")]:
                rule = "this agency does not work with this practice"
                yield tree.problem("pilot-form", path, rule, f"add {practice} to agencies.{agency}.practices")


def addresses(tree: Tree) -> Iterator[Problem]:
    """Families' records and tokens travel encrypted."""
    for connection, item in tree.items("connections").items():
        path = ("connections", connection, "base")
        if item.get("kind") == "production" and _plain(item.get("base")):
            yield tree.problem("https-required", path, "a production connection needs https", "write https://…")
        elif isinstance(item.get("login"), dict) and _plain(item.get("base"), LOOPBACK):
            yield tree.problem(
                "https-required", path, "a token would travel unencrypted", "write https://…, or login: none"
            )
        login = item.get("login")
        for kind, form in login.items() if isinstance(login, dict) else ():
            if isinstance(form, dict) and _plain(form.get("token_url"), LOOPBACK):
                place = ("connections", connection, "login", kind, "token_url")
                yield tree.problem("https-required", place, "a token would travel unencrypted", "write https://…")


def doors(tree: Tree) -> Iterator[Problem]:
    """A connection has a FHIR base; one without a FHIR server has none, and its practices a hand-off."""
    without = set()
    for connection, item in tree.items("connections").items():
        path, none = ("connections", connection, "base"), item.get("vendor") == NO_SERVER
        if none:
            without.add(connection)
        if none and (item.get("base") is not None or item.get("login") not in (None, "none")):
            rule = f"there is no FHIR server where the vendor is {NO_SERVER}"
            yield tree.problem("handoff-base", path, rule, "leave base and login out, or name the vendor")
        elif not none and "base" not in item:
            step = f"the FHIR base, for example https://ehr.example/fhir/r4; or vendor: {NO_SERVER} where there is none"
            yield tree.problem("missing", path, "is required", step)
    for practice, item in tree.items("practices").items():
        if item.get("connection") in without and not isinstance(item.get("handoff"), dict):
            rule = "there is no FHIR server, so there must be another way in"
            path = ("practices", practice, "handoff")
            yield tree.problem("handoff-missing", path, rule, "write handoff: { way: … }, see docs/handoff.md")


def _plain(address: Any, but: Collection[str] = ()) -> bool:
    """Whether it is an http address of a host that is none of these."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in but


def timing(tree: Tree) -> Iterator[Problem]:
    """A lease outlasts the longest request, so that no second worker takes a step that is still under way."""
    limits = tree.root.get("limits")
    lease = limits.get("lease_seconds", 120) if isinstance(limits, dict) else 120
    for connection, item in tree.items("connections").items():
        timeout = item.get("timeout_seconds", 30)
        if isinstance(lease, int) and isinstance(timeout, int | float) and timeout >= lease >= 2:
            path = ("connections", connection, "timeout_seconds")
            rule = "must be shorter than limits.lease_seconds"
            yield tree.problem("lease-short", path, rule, "raise limits.lease_seconds or lower this")


def people(tree: Tree) -> Iterator[Problem]:
    """Staff belong to an agency, readers to a practice, engineers to neither."""
    belongs = {"agency-staff": "agency", "practice-reader": "practice"}
    for person, item in tree.items("people").items():
        role = item.get("role")
        for side, section in (("agency", "agencies"), ("practice", "practices")):
            path = ("people", person, side)
            if belongs.get(str(role)) == side and not item.get(side):
                yield tree.problem("missing", path, f"is required for {role}", f"write the id of the {side}")
            elif belongs.get(str(role)) != side and item.get(side):
                yield tree.problem(
                    "person-side", path, f"does not go with {role}", "leave it out, or choose the other role"
                )
            elif item.get(side):
                yield from refer(tree, path, item.get(side), section, side)


def keys(tree: Tree, secrets: Mapping[Path, Secret]) -> Iterator[Problem]:
    """The ledger key is 32 bytes; API keys are long, and one agency's or practice's alone."""
    if ("key",) in secrets and not is_ledger_key(secrets["key",].reveal()):
        rule = "the ledger key must be 32 bytes in base64"
        yield tree.problem("key-form", ("key",), rule, "restore the key file the ledger was made with")
    owners: dict[Secret, str] = {}
    for path, secret in secrets.items():
        if path[0] not in ("agencies", "practices") or "handoff" in path:  # what signs in at others is theirs to judge
            continue
        if len(secret.reveal()) < KEY_MIN:
            rule = f"an API key has at least {KEY_MIN} characters"
            yield tree.problem("key-form", path, rule, "make one with `openssl rand -hex 32`")
        elif secret in owners:
            rule = f"is the same key as that of {owners[secret]}"
            yield tree.problem("key-shared", path, rule, "a key says who sends: make one for each")
        owners[secret] = str(path[1])


def is_ledger_key(text: str) -> bool:
    """Whether `text` is 32 bytes in base64."""
    try:
        return len(base64.b64decode(text.strip(), validate=True)) == 32
    except ValueError:
        return False


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in the order of the file's lines, those without a line last, none twice."""

    def key(problem: Problem) -> tuple[bool, int, str, str]:
        line = problem.where.rpartition(":")[2]
        return not line.isdigit(), int(line) if line.isdigit() else 0, problem.field, problem.code

    return sorted(set(problems), key=key)
