"""What is told of token calls: in the log once where it would repeat, in the ledger always."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from bridge.fhir import tls
from bridge.fhir.tokens import Told
from bridge.jobs.logins import Logins
from bridge.settings import Smart, load
from bridge.store import leases
from bridge.store.ledger import Ledger
from tests.unit.settings.project import edited, write


def test_narrowed_scopes_are_warned_of_once_and_counted_each_time(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    project = load(write(tmp_path, edited(("login: none", "login: { smart: { client_id: me } }"))))
    login = project.connections["one"].login
    assert isinstance(login, Smart)
    logins = Logins(project, ledger, lambda: 0)
    told = logins.tokens(project.connections["one"], login, tls.context())._asking.told

    async def tell() -> None:
        for _ in range(3):
            await told(Told("", 200, ("system/Patient.rs",), called=True))
        await told(Told("login-refused", 503, called=True))
        await told(Told("login-no-key"))

    with caplog.at_level(logging.WARNING):
        asyncio.run(tell())
    assert [record.message for record in caplog.records] == ["scope-narrowed", "login-failed", "login-failed"]
    with ledger.read() as connection:
        assert leases.token_calls(connection) == {"one": (4, 2, 3)}


def test_a_ledger_that_cannot_count_costs_no_login(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    project = load(write(tmp_path, edited(("login: none", "login: { smart: { client_id: me } }"))))
    logins = Logins(project, ledger, lambda: 0)
    ledger.writer.close()
    logins._told("one", Told("", 200, called=True))
    assert [record.message for record in caplog.records] == ["token-call-uncounted"]
