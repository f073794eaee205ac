"""The line signed in by SMART Backend Services at two sandbox EHRs: what goes wrong with a login loses nothing, stops
nobody else, and shows no token.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import sandbox
from bridge.fhir.keyset import OVERLAP, PREFERRED
from bridge.jobs import worker
from bridge.jobs.open import connected
from bridge.model import EntryState
from bridge.moves import signing
from bridge.settings import Algorithm
from bridge.store import leases
from tests.flow.keys import KeyServer, bearers, published
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.tap import tapped
from tests.flow.test_line import Ehr, contact, patient

CLIENT = "bridge-client"
LOGIN = f"{{ smart: {{ client_id: {CLIENT} }} }}"
PRACTICES = ("maple", "elm")
CHILDREN = 12  # more than the 8 lanes that go at a time


class Signing(Ehr):
    """A sandbox that wants a login, through its own address."""

    def settings(self, **changes: Any) -> None:
        """It behaves otherwise from here on."""
        httpx.patch(f"{self.running.admin_url}/settings", json=changes).raise_for_status()

    def logins(self) -> dict[str, Any]:
        """How often it gave and refused tokens."""
        found: dict[str, Any] = httpx.get(f"{self.running.admin_url}/logins").json()
        return found

    def documents_sent(self) -> int:
        """How many documents stand."""
        return len(self.stored("DocumentReference"))

    def faults_left(self) -> int:
        """Faults that met no request yet."""
        return len(httpx.get(f"{self.running.admin_url}/faults").json())


@dataclass
class Two:
    """The line over two EHRs, each with its practice."""

    line: Pilot
    ehrs: dict[str, Signing]
    keys: KeyServer

    def ready(self) -> None:
        """Every child is linked and consented at both."""
        for name, ehr in self.ehrs.items():
            ehr.load(*(patient(f"{name}-{n}") for n in range(CHILDREN)))
            self.line.links(name, {f"{name}-c-{n}": f"{name}-{n}" for n in range(CHILDREN)})
        consents = [f"{name}-c-{n},{name},2026-01-01,,yes" for name in self.ehrs for n in range(CHILDREN)]
        self.line.consents(*consents)

    def accept(self, run: str) -> None:
        """One contact of each child."""
        for name in self.ehrs:
            records = [contact(f"{name}-{run}-{n}", child=f"{name}-c-{n}", practice=name) for n in range(CHILDREN)]
            self.line.accept("ma-soc/contact", *records)

    def states(self, practice: str) -> set[str]:
        """The states of a practice's entries."""
        return {entry["state"] for entry in self.line.entries() if entry["practice"] == practice}

    def all_delivered(self, runs: int) -> None:
        """Everything stands once: 0 failed, 0 twice, nothing held."""
        assert self.line.counts()[EntryState.DELIVERED] == runs * CHILDREN * len(self.ehrs), self.line.counts()
        assert self.line.holds() == []
        for ehr in self.ehrs.values():
            titles = [item["content"][0]["attachment"]["title"] for item in ehr.stored("DocumentReference")]
            assert len(titles) == len(set(titles)) == runs * CHILDREN

    def calls(self, practice: str) -> tuple[int, int, int]:
        """Token calls, failures and narrowed grants of a practice's connection, as the ledger counts them."""
        with self.line.line.ledger.read() as connection:
            return leases.token_calls(connection).get(f"{practice}-ehr", (0, 0, 0))


@contextmanager
def two(folder: Path, algorithm: Algorithm = "ES384", **sites: str) -> Iterator[Two]:
    """Two EHRs that read our key set, and a line with a key."""
    with ExitStack() as stack:
        keys = stack.enter_context(published())
        ehrs = {
            name: Signing(stack.enter_context(sandbox.start(sites.get(name, "open"), smart={CLIENT: keys.url})))
            for name in PRACTICES
        }
        places = [Site(name, ehr.running.base_url, sites.get(name, "open"), login=LOGIN) for name, ehr in ehrs.items()]
        line = stack.enter_context(pilot(folder, places))
        keys.ledger = line.line.ledger
        signing.new(line.line.ledger, "test", algorithm, "test", line.clock())
        yield Two(line, ehrs, keys)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_PAUSE", 0.02)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Two]:
    with two(tmp_path) as opened:
        opened.ready()
        yield opened


def test_the_line_signs_in_and_asks_for_few_tokens(both: Two) -> None:
    both.accept("k")
    both.line.settle()
    both.all_delivered(1)
    for name, ehr in both.ehrs.items():
        assert ehr.logins()["given"] == both.calls(name)[0]
        assert ehr.logins()["given"] <= 3, "one for each worker started here, not one a request"
        assert ehr.logins()["refused"] == {}
        assert both.calls(name)[1:] == (0, 0)


@pytest.mark.parametrize("algorithm", PREFERRED)
def test_a_rotation_while_records_move_fails_nothing(tmp_path: Path, algorithm: Algorithm) -> None:
    """The EHR keeps key sets as long as it may and never reads one anew for a kid it does not know.

    It reads the set while the new key waits, and never again: had that not been published ahead, the first token it
    signs would be refused.
    """
    with two(tmp_path, algorithm) as both:
        both.ready()
        for ehr in both.ehrs.values():
            ehr.settings(reread_keys=False, token_seconds=1)
        both.keys.max_age = 1
        ledger, clock = both.line.line.ledger, both.line.clock
        first = signing.keys(ledger)[0]
        both.accept("before")
        both.line.work()
        second = signing.rotate(ledger, "test", algorithm, OVERLAP, "test", clock())
        threading.Event().wait(1.1)  # the sets the EHRs keep are old by now
        both.keys.max_age = 3_600
        both.accept("waiting")
        both.line.work()
        assert signer(both, algorithm) == first.kid
        served = both.keys.served
        clock.skip(OVERLAP / 1_000_000 + 1)
        assert signer(both, algorithm) == second.kid
        both.accept("signing")
        both.line.settle()
        clock.skip(OVERLAP / 1_000_000 + 1)
        signing.retire(ledger, first.kid, False, "test", clock())
        both.accept("retired")
        both.line.settle()
        both.all_delivered(4)
        assert both.keys.served == served, "the EHRs go by the set they read before the new key signed"
        assert all(ehr.logins()["refused"] == {} for ehr in both.ehrs.values())


def signer(both: Two, algorithm: Algorithm) -> str:
    """The kid of the key that signs now."""
    found = signing.signer(both.line.line.ledger, "test", [algorithm], both.line.clock())
    return found.kid if found is not None else ""


def test_rotation_expiry_and_an_outage_of_the_key_set_under_a_worker_that_runs_fail_nothing(both: Two) -> None:
    """All at once, in the middle of what is under way: some of it waits, nothing fails, nothing stands twice."""
    ledger, clock, wait = both.line.line.ledger, both.line.clock, threading.Event().wait
    both.keys.max_age = 0
    for ehr in both.ehrs.values():
        ehr.settings(token_seconds=1)
        ehr.fault(fault="slow", seconds=0.05, count=10_000)
    first = signing.keys(ledger)[0]
    both.accept("before")

    def meanwhile() -> None:
        while not all(ehr.documents_sent() for ehr in both.ehrs.values()):
            wait(0.02)
        second = signing.rotate(ledger, "test", "ES384", 200_000, "test", clock())
        both.accept("rotated")
        wait(0.25)
        assert signer(both, "ES384") == second.kid
        both.keys.away = True
        for ehr in both.ehrs.values():
            ehr.fault(fault="expire", match={"method": "POST"}, count=2)
        both.accept("away")
        while not any(ehr.logins()["refused"] for ehr in both.ehrs.values()):
            wait(0.02)
        both.keys.away = False
        signing.retire(ledger, first.kid, True, "test", clock())
        both.accept("retired")

    async def run() -> None:
        async with connected(both.line.line, clock):
            running = worker.Worker(both.line.line, clock)
            works = asyncio.create_task(running.run())
            try:
                await asyncio.wait_for(asyncio.to_thread(meanwhile), 30)
            finally:
                running.stop()
                await works

    asyncio.run(run())
    for ehr in both.ehrs.values():
        httpx.delete(f"{ehr.running.admin_url}/faults").raise_for_status()
    both.line.settle()
    both.all_delivered(4)


def test_tokens_that_end_at_any_moment_fail_nothing(both: Two) -> None:
    for ehr in both.ehrs.values():
        ehr.settings(token_seconds=1)
        ehr.fault(fault="expire", match={"type": "Patient"}, count=1)
    both.accept("k")
    both.line.work()
    for number in range(4):
        for ehr in both.ehrs.values():
            ehr.fault(fault="expire", match={"type": "DocumentReference", "method": "POST"}, count=3)
        both.accept(f"more-{number}")
        both.line.work()
    both.line.settle()
    both.all_delivered(5)
    assert all(ehr.faults_left() == 0 for ehr in both.ehrs.values())


def test_a_key_set_nobody_can_read_fails_nothing(both: Two) -> None:
    """JWKS outage: what needs a new token waits, and goes on by itself when the set is there again."""
    both.keys.max_age = 0
    both.accept("before")
    both.line.settle()
    both.all_delivered(1)
    both.keys.away = True
    both.accept("meanwhile")
    both.line.work()
    assert all(ehr.logins()["refused"] for ehr in both.ehrs.values())
    assert both.line.counts()[EntryState.READY] == CHILDREN * len(PRACTICES)
    both.keys.away = False
    both.line.settle()
    both.all_delivered(2)


def test_a_rotation_without_the_overlap_is_refused_and_still_loses_nothing(both: Two) -> None:
    """The control: what the overlap is for. The EHRs keep the old set, and do not know the new key."""
    both.accept("before")
    both.line.settle()
    for ehr in both.ehrs.values():
        ehr.settings(reread_keys=False)
    signing.rotate(both.line.line.ledger, "test", "ES384", 0, "test", both.line.clock())
    both.accept("after")
    both.line.work()
    assert all("kid" in str(ehr.logins()["refused"]) for ehr in both.ehrs.values())
    assert both.line.counts()[EntryState.READY] == CHILDREN * len(PRACTICES)
    for ehr in both.ehrs.values():
        ehr.settings(reread_keys=True)
    both.line.settle()
    both.all_delivered(2)


def test_a_token_endpoint_that_is_down_stops_its_connection_alone(both: Two) -> None:
    both.line.work()
    both.ehrs["maple"].fault(fault="503", match={"interaction": "token"}, count=None)
    both.accept("k")
    both.line.work()
    assert both.states("elm") == {"delivered"}
    assert both.states("maple") == {"ready"}
    assert both.line.holds() == []
    assert both.ehrs["maple"].documents_sent() == 0
    with both.line.line.ledger.read() as connection:
        assert leases.closed_connections(connection, both.line.clock()) == {"maple-ehr": "token endpoint down"}
    assert 0 < both.calls("maple")[1] <= 3, "not once for every record"
    httpx.delete(f"{both.ehrs['maple'].running.admin_url}/faults").raise_for_status()
    both.line.settle()
    both.all_delivered(1)


@pytest.mark.parametrize("fault", ["drop-after", "half-body", "reset", "unknown-kid"])
def test_a_lost_or_refused_token_answer_is_asked_for_anew(both: Two, fault: str) -> None:
    both.ehrs["maple"].fault(fault=fault, match={"interaction": "token"}, count=2)
    both.accept("k")
    both.line.settle()
    both.all_delivered(1)


def test_an_ehr_that_refuses_every_token_is_not_stormed(both: Two) -> None:
    both.line.work()
    before = both.ehrs["maple"].logins()["given"]
    both.ehrs["maple"].fault(fault="unauthorized", match={"type": "Patient"}, count=None)
    both.accept("k")
    both.line.work()
    assert both.states("elm") == {"delivered"}
    assert both.states("maple") == {"ready"}
    assert both.ehrs["maple"].logins()["given"] - before <= 3
    httpx.delete(f"{both.ehrs['maple'].running.admin_url}/faults").raise_for_status()
    both.line.settle()
    both.all_delivered(1)


def test_scopes_that_are_computed_are_enough(tmp_path: Path) -> None:
    """Both EHRs refuse what a token's scopes do not cover; the one reads v1 alone."""
    with two(tmp_path, maple="oracle") as opened:
        opened.ready()
        opened.accept("k")
        opened.line.work()
        for name, ehr in opened.ehrs.items():
            asked = {(one["interaction"], one["status"]) for one in ehr.asked()}
            assert ("create", 201) in asked
            assert ("search-type", 200) in asked
            assert not {status for _, status in asked} & {401, 403}
            assert opened.calls(name)[1:] == (0, 0)


class Attacker:
    """Hears whatever is sent to it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        attacker = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                attacker.heard.append(str(self.headers).encode() + body)
                self.send_response_only(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/token"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def test_a_token_endpoint_that_leads_elsewhere_takes_nothing_along(tmp_path: Path) -> None:
    """The EHR's own token endpoint answers with a redirect: neither assertion nor token reaches the other host."""
    attacker = Attacker()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, json.dumps({"token_endpoint": "token"}).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.answer(307, b"", attacker.url)

        def answer(self, status: int, body: bytes, to: str = "") -> None:
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            if to:
                self.send_header("Location", to)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    try:
        with pilot(tmp_path, [Site("maple", base, login=LOGIN)]) as line:
            signing.new(line.line.ledger, "test", "ES384", "test", line.clock())
            line.work()
            with line.line.ledger.read() as connection:
                assert leases.token_calls(connection)["maple-ehr"][1] > 0
    finally:
        for one in (server, attacker.server):
            one.shutdown()
            one.server_close()
    assert attacker.heard == []


def test_a_token_is_in_one_header_of_requests_to_its_ehr_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with published() as keys, tapped("open", smart={CLIENT: keys.url}) as tap:
        with pilot(tmp_path, [Site("maple", tap.base, login=LOGIN)]) as line:
            keys.ledger = line.line.ledger
            signing.new(line.line.ledger, "test", "ES384", "test", line.clock())
            tap.load(patient("m-1"))
            line.links("maple", {"c-1": "m-1"})
            line.consents("c-1,maple,2026-01-01,,yes")
            line.accept("ma-soc/contact", contact())
            line.settle()
            assert line.counts()[EntryState.DELIVERED] == 1
        tokens = {token for asked in tap.asked for token in bearers(asked.headers)}
        assert tokens
        for token in tokens:
            assert token not in caplog.text
            assert not any(token.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
            assert not any(token in asked.target or token.encode() in asked.body for asked in tap.asked)
