"""How a connection signs in with tokens, one check a step. Nothing here shows a token, a key or a word of an answer."""

from __future__ import annotations

import asyncio

from bridge.api.keys import address
from bridge.cli.examine import Check
from bridge.errors import LedgerError, Problem
from bridge.fhir.grant import NoLogin, missing_scopes
from bridge.fhir.keyset import Signer
from bridge.fhir.pace import NotNow
from bridge.fhir.tokens import Tokens
from bridge.jobs.worker import system_clock
from bridge.moves import signing
from bridge.settings import Connection, Project, Smart
from bridge.store.ledger import Ledger


async def sign_in(project: Project, ledger: Ledger | None, tokens: Tokens, connection: Connection) -> list[Check]:
    """Discovery, key, token and scopes, in the order of a login; what comes after a failure is not tried."""
    checks: list[Check] = []
    try:
        configuration = await tokens.configuration()
    except (NoLogin, NotNow) as error:
        after = ("key", "token", "scopes") if isinstance(connection.login, Smart) else ("token", "scopes")
        return [failed("discovery", error), *(Check(name, None, "not tried") for name in after)]
    says = f"token endpoint {configuration.token_endpoint}"
    if configuration.warnings:
        says += "; it should state more: " + "; ".join(configuration.warnings)
    checks.append(Check("discovery", True, says))
    if isinstance(connection.login, Smart):
        checks.append(await key(project, ledger, connection, tokens.algorithms(configuration)))
    try:
        await tokens.current()
    except (NoLogin, NotNow) as error:
        return [*checks, failed("token", error), Check("scopes", None, "not tried")]
    checks.append(Check("token", True, "granted"))
    asked, granted = tokens.scope(configuration), tokens.granted(configuration)
    return [*checks, scopes(asked, granted)]


async def key(project: Project, ledger: Ledger | None, connection: Connection, algorithms: list[str]) -> Check:
    """What signs, and where the EHR must find it: whether it can is told by the token alone."""
    try:
        found: Signer | None = None
        if ledger is not None:
            found = await asyncio.to_thread(signing.signer, ledger, connection.kind, algorithms, system_clock())
    except LedgerError as error:
        return unopened("key", error.problems[0])
    if found is None:
        step = f"bridge keys new --kind {connection.kind} --algorithm {algorithms[0]}"
        return Check("key", False, f"none signs for {connection.kind} connections by {' or '.join(algorithms)}", step)
    published = address(project, connection.kind)
    return Check("key", True, f"{found.algorithm}, kid {found.kid}; the EHR must be able to read {published}")


def scopes(asked: str, granted: str | None) -> Check:
    """What was granted against what was asked."""
    if granted is None:
        return Check("scopes", None, f"the server does not say; asked for: {asked or 'none'}")
    missing = missing_scopes(asked, granted)
    if missing:
        step = "ask the EHR's team to grant them to this client, or write `scope`"
        return Check("scopes", False, f"not granted: {' '.join(missing)}", step)
    return Check("scopes", True, f"as asked: {asked or 'none was asked for'}")


def failed(name: str, error: NoLogin | NotNow) -> Check:
    """A step that failed, or was kept back by the connection's pace."""
    if isinstance(error, NotNow):
        return Check(name, None, f"not tried: {error.why}", f"try again in {error.seconds} s")
    return unopened(name, error.problem)


def unopened(name: str, problem: Problem) -> Check:
    """A step that failed for this."""
    return Check(name, False, f"{problem.rule} [{problem.code}]", problem.next_step)
