"""`bridge doctor`: each outcome of each check, and against a real socket."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from bridge import sandbox
from bridge.cli import main
from bridge.cli.examine import Check, connection_checks, ledger_check
from bridge.cli.signing_in import scopes
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import Failure, Request, Response
from bridge.settings import load
from bridge.store import budgets
from bridge.store.keys import parse_key
from bridge.store.ledger import Ledger
from tests.flow.keys import published
from tests.flow.pilot import Site, write_project
from tests.unit.settings.project import edited, write

NOW = 1_790_000_000.0
STATEMENT = b'{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1"}'
DATE = {"date": formatdate(NOW, usegmt=True)}


def checks(statement: Response, search: Response, *, with_login: bool = True) -> dict[str, Check]:
    async def send(request: Request) -> Response:
        return statement if request.path == "metadata" else search

    found = asyncio.run(connection_checks(send, lambda: NOW, with_login=with_login))
    return {check.name: check for check in found}


GOOD, FOUND = Response(200, DATE, STATEMENT), Response(200, {}, b"{}")


def test_a_good_connection_is_good_in_all_four() -> None:
    assert [check.ok for check in checks(GOOD, FOUND).values()] == [True] * 4


@pytest.mark.parametrize("failure", Failure)
def test_what_cannot_be_reached_is_not_tried_further(failure: Failure) -> None:
    found = checks(Response(failure=failure), FOUND)
    told = None if failure is Failure.NOT_NOW else False  # kept back by its own pace: nothing is known
    assert [check.ok for check in found.values()] == [told, None, None, None]
    assert found["reachable"].next_step


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"", "HTTP 404 instead of a statement"),
        (401, b"", "not shown without another login (HTTP 401)"),
        (200, b"<html>Sign in</html>", "what came back is no CapabilityStatement"),
        (200, b'{"resourceType":"Patient"}', "what came back is no CapabilityStatement"),
        (200, b"[]", "what came back is no CapabilityStatement"),
        (200, STATEMENT.replace(b"4.0.1", b"5.0.0"), "FHIR 5.0.0, not 4.0"),
        (200, STATEMENT.replace(b"4.0.1", b"4.0.1\\u001b[2J hello"), "FHIR unknown, not 4.0"),
    ],
)
def test_a_statement_must_be_there_and_of_r4(status: int, body: bytes, says: str) -> None:
    found = checks(Response(status, DATE, body), FOUND)["statement"]
    assert (found.ok, found.says) == (False, says)


@pytest.mark.parametrize(
    ("seconds", "ok", "says"),
    [(59, True, "within 60 s of ours"), (61, False, "61 s ahead of ours"), (-3600, False, "3600 s behind ours")],
)
def test_a_clock_that_is_off_is_told(seconds: int, ok: bool, says: str) -> None:
    answer = Response(200, {"date": formatdate(NOW + seconds, usegmt=True)}, STATEMENT)
    assert (checks(answer, FOUND)["clock"].ok, checks(answer, FOUND)["clock"].says) == (ok, says)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_a_server_without_a_clock_is_no_finding(headers: dict[str, str]) -> None:
    assert checks(Response(200, headers, STATEMENT), FOUND)["clock"].ok is None


@pytest.mark.parametrize(
    ("status", "with_login", "ok"),
    [
        (200, True, True),
        (200, False, True),
        (400, True, True),
        (401, True, False),
        (401, False, False),
        (403, True, False),
        (302, True, False),
        (500, True, False),
    ],
)
def test_what_a_search_for_nobody_says_about_the_login(status: int, with_login: bool, ok: bool) -> None:
    found = checks(GOOD, Response(status), with_login=with_login)["login"]
    assert found.ok is ok
    assert bool(found.next_step) is not ok


def test_a_lost_search_is_a_finding() -> None:
    assert checks(GOOD, Response(failure=Failure.LOST))["login"].ok is False


def test_a_ledger_that_is_not_made_yet_is_good_and_stays_unmade(tmp_path: Path) -> None:
    assert ledger_check(load(write(tmp_path))).ok
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_ledger_that_is_no_database_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path).joinpath("ledger.sqlite").write_text("this is no database, but long enough to look like one" * 9)
    found = ledger_check(load(tmp_path))
    assert (found.ok, found.says) == (False, "does not open (DatabaseError)")


def test_a_full_disk_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, edited(("limits: { lease_seconds: 90 }", "limits: { free_disk_mib: 900000000 }")))
    (tmp_path / "ledger.sqlite").touch()
    assert "intake answers 503" in ledger_check(load(tmp_path)).next_step


class Ehr(BaseHTTPRequestHandler):
    """A server with a statement and a login."""

    def do_GET(self) -> None:
        wants = self.headers.get("Authorization") == "Bearer a-token-of-the-test-ehr" or "metadata" in self.path
        self.send_response(200 if wants else 401)
        self.end_headers()
        self.wfile.write(STATEMENT)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def ehr() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Ehr) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/fhir"
        server.shutdown()
        thread.join()


def test_each_connection_is_tried_and_findings_end_with_1(
    tmp_path: Path, ehr: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = [("http://127.0.0.1:8090/fhir/", ehr), ("https://ehr.example/fhir/r4", ehr)]
    write(tmp_path, edited(*base))
    assert main(["doctor", "--project", str(tmp_path), "--json"]) == 1
    told = capsys.readouterr().out
    assert "a-token-of" not in told
    answer = json.loads(told)
    assert answer["ok"] is False
    assert answer["connections"]["one"]["login"]["says"] == "the server wants a login and none is set"
    assert {check["ok"] for check in answer["connections"]["two"].values()} == {True}
    assert main(["doctor", "two", "--project", str(tmp_path)]) == 0
    assert "connection two (test, epic)" in capsys.readouterr().out


def test_a_connection_the_project_does_not_have_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "tow", "--project", str(write(tmp_path))]) == 2
    assert "did you mean `two`?" in capsys.readouterr().err


def asked(running: sandbox.Running) -> list[Any]:
    """Every request that reached the EHR."""
    found: list[Any] = httpx.get(f"{running.admin_url}/audit").json()["requests"]
    return found


def counted(connection: Connection) -> int:
    """The day's requests, as all workers see them."""
    return sum(n for (span, _), n in budgets.used(connection)["pine-ehr"].items() if span == budgets.DAYS)


def test_what_doctor_and_capabilities_ask_is_counted_with_what_workers_send(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sandbox.start("open") as running:
        folder = write_project(tmp_path, [Site("pine", running.base_url)])
        with open_line(load(folder), "test", system_clock()) as line:
            assert main(["doctor", "--project", str(folder)]) == 0
            with line.ledger.read() as connection:
                taken = counted(connection)
            assert (taken, len(asked(running))) == (2, 2)
            assert main(["capabilities", "pine", "--refresh", "--project", str(folder)]) == 0
            with line.ledger.read() as connection:
                taken = counted(connection)
            assert (taken, len(asked(running))) == (3, 3)
            now = system_clock()
            until = now + 90_000_000
            line.ledger.write(budgets.too_many, budgets.TooMany("pine-ehr", now, until, "it asked us to wait"))
            capsys.readouterr()
            assert main(["doctor", "--project", str(folder)]) == 0
            told = capsys.readouterr().out
            assert "not tried: it asked us to wait" in told
            assert "→ try again in " in told
            assert len(asked(running)) == 3, "nor does a person ask before the EHR said that it may be asked"


CLIENT = "a-client"
SMART = f"login: {{ smart: {{ client_id: {CLIENT} }} }}"


def doctor(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    main(["doctor", "one", "--project", str(folder), "--json"])
    found: dict[str, dict[str, object]] = json.loads(capsys.readouterr().out)["connections"]["one"]
    return found


def test_a_signed_login_is_told_step_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with published() as keys, sandbox.start("open", smart={CLIENT: keys.url}) as running:
        write(tmp_path, edited(("http://127.0.0.1:8090/fhir/", running.base_url), ("login: none", SMART)))
        before = doctor(tmp_path, capsys)
        assert not (tmp_path / "ledger.sqlite").exists(), "looking makes nothing"
        steps = ["reachable", "statement", "clock", "discovery", "key", "token", "scopes", "login"]
        assert list(before) == steps
        assert [before[name]["ok"] for name in steps[3:]] == [True, False, False, None, None]
        assert before["key"]["next_step"] == "bridge keys new --kind test --algorithm ES384"
        assert main(["keys", "new", "--project", str(tmp_path)]) == 0
        capsys.readouterr()
        unpublished = doctor(tmp_path, capsys)
        assert [unpublished[name]["ok"] for name in steps[3:]] == [True, True, False, None, None]
        assert "login-invalid-client" in str(unpublished["token"]["says"])
        project = load(tmp_path)
        keys.ledger = Ledger(project.store.reveal(), parse_key(project.key.reveal()))
        after = doctor(tmp_path, capsys)
        keys.ledger.close()
        assert {check["ok"] for check in after.values()} == {True}
        assert "/.well-known/jwks/test.json" in str(after["key"]["says"])
        assert "system/DocumentReference.crus" in str(after["scopes"]["says"])


def test_an_ehr_without_a_configuration_is_told_at_the_first_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sandbox.start("open") as running:
        write(tmp_path, edited(("http://127.0.0.1:8090/fhir/", running.base_url), ("login: none", SMART)))
        told = doctor(tmp_path, capsys)
    assert [told[name]["ok"] for name in ("discovery", "key", "token", "scopes", "login")] == [False, *[None] * 4]
    assert "discovery-endpoint" in str(told["discovery"]["says"])


@pytest.mark.parametrize(
    ("asked", "granted", "ok"),
    [("system/Patient.rs", None, None), ("system/Patient.rs", "system/Patient.rs", True), ("", "x", True),
     ("system/Patient.rs system/Task.c", "system/Patient.rs", False)],
)  # fmt: skip
def test_scopes_that_are_missing_are_named(asked: str, granted: str | None, ok: bool | None) -> None:
    found = scopes(asked, granted)
    assert found.ok is ok
    assert ("system/Task.c" in found.says) is (ok is False)


def test_a_practice_that_is_handed_documents_is_reached_for_without_handing_anything_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, [Site("pine", "", "none", extra=", handoff: { way: folder, folder: out }")])
    assert main(["doctor", "--json", "--project", str(tmp_path)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["connections"] == {}
    assert found["handoffs"]["pine"]["says"] == "the folder is not there"
    (tmp_path / "out").mkdir()
    assert main(["doctor", "--project", str(tmp_path)]) == 0
    assert "ok hand-off   folder: can be reached" in capsys.readouterr().out.replace("  ok", "ok").replace("ok ", "ok ")
    assert list((tmp_path / "out").iterdir()) == []
