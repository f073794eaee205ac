"""Each fault does what it says: what the client sees, and whether the EHR did the work."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from bridge import sandbox
from bridge.sandbox.faults import KINDS
from tests.unit.sandbox.running import Clinic, coded
from tests.unit.sandbox.synthetic import body, note

FAULTS: list[tuple[str, int | str, bool]] = [
    ("drop-before", "closed", False),
    ("drop-after", "closed", True),
    ("reset", "reset", False),
    ("half-body", "closed", True),
    ("error-before", 500, False),
    ("error-after", 500, True),
    ("429", 429, False),
    ("503", 503, False),
    ("unauthorized", 401, False),
]


@pytest.fixture(scope="module", params=["open", "oracle"])
def running(request: pytest.FixtureRequest) -> Iterator[Clinic]:
    """With and without a body in the answer to a create."""
    with Clinic(sandbox.start(request.param)) as clinic:
        yield clinic


@pytest.fixture
def clinic(running: Clinic) -> Clinic:
    running.reset()
    return running


def outcome(clinic: Clinic) -> int | str:
    """What a client sees of one create: the status, or that the connection failed."""
    try:
        return clinic.create(note()).status_code
    except httpx.ReadError:  # a reset
        return "reset"
    except httpx.RemoteProtocolError:  # closed before or in the answer
        return "closed"


@pytest.mark.parametrize(("fault", "seen", "committed"), FAULTS)
def test_fault(clinic: Clinic, fault: str, seen: int | str, committed: bool) -> None:
    clinic.order(fault)
    assert outcome(clinic) == seen
    assert clinic.held("DocumentReference") == int(committed)
    asked = clinic.admin("GET", "audit")["requests"][-1]
    assert (asked["fault"], asked["committed"]) == (fault, committed)
    assert asked["status"] == (seen if isinstance(seen, int) else 0)
    assert outcome(clinic) == 201  # it came once
    assert clinic.held("DocumentReference") == 1 + committed


def test_every_fault_is_tried_here() -> None:
    assert {fault for fault, _, _ in FAULTS} | {"slow", "commit-late"} == KINDS


def test_slow_answers_late_and_has_done_the_work_at_once(clinic: Clinic) -> None:
    clinic.order("slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        clinic.fhir("POST", "DocumentReference", json=note(), timeout=0.1)
    assert clinic.held("DocumentReference") == 1
    clinic.order("slow", seconds=0.3)
    before = time.monotonic()
    assert outcome(clinic) == 201
    assert time.monotonic() - before >= 0.3


def test_commit_late_does_the_work_after_the_client_has_gone(clinic: Clinic) -> None:
    clinic.order("commit-late", seconds=0.3)
    assert outcome(clinic) == "closed"
    assert clinic.held("DocumentReference") == 0
    until = time.monotonic() + 5
    while not clinic.held("DocumentReference") and time.monotonic() < until:
        time.sleep(0.02)
    assert clinic.held("DocumentReference") == 1
    clinic.order("commit-late", seconds=0, status=504)
    assert outcome(clinic) == 504


def test_a_fault_waits_for_the_requests_it_is_for(clinic: Clinic) -> None:
    clinic.order("503", count=2, seconds=7, match={"method": "POST", "type": "DocumentReference"})
    clinic.order("error-before", status=502, match={"interaction": "read"})
    assert clinic.fhir("GET", "metadata").status_code == 200
    assert clinic.fhir("GET", "Patient/p1").status_code == 502
    assert clinic.create(body("Condition")).status_code == 201
    refused = clinic.create(note())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "7")
    assert [outcome(clinic) for _ in range(2)] == [503, 201]
    clinic.order("429", count=None)
    assert [outcome(clinic) for _ in range(3)] == [429] * 3
    assert clinic.admin("GET", "faults") == [{"fault": "429", "count": None}]
    clinic.admin("DELETE", "faults")
    assert outcome(clinic) == 201


def test_a_fault_after_a_refusal_commits_nothing(clinic: Clinic) -> None:
    clinic.order("drop-after")
    with pytest.raises(httpx.RemoteProtocolError):
        clinic.create(note(subject={"reference": "Patient/nobody"}))
    assert clinic.held("DocumentReference") == 0


def test_half_an_answer_has_its_whole_length_announced() -> None:
    with Clinic(sandbox.start("open")) as clinic:
        clinic.order("half-body")
        with socket.create_connection(("127.0.0.1", clinic.running.port)) as line:
            line.sendall(b"GET /fhir/Patient/p1 HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while chunk := line.recv(65536):
                received += chunk
    head, _, content = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(content) == length // 2 > 0


def test_faults_speak_as_the_vendor_does() -> None:
    with Clinic(sandbox.start("epic")) as clinic:
        clinic.order("error-before")
        assert coded(clinic.create(note())) == ["59177"]
        clinic.order("unauthorized", status=403)
        assert clinic.create(note()).status_code == 403
    with Clinic(sandbox.start("ecw")) as clinic:
        clinic.order("429")
        response = clinic.fhir("GET", "Patient/p1")
        assert (response.status_code, response.content) == (429, b"")
        assert "retry-after" not in response.headers  # none is documented


def campaign(seed: int) -> tuple[list[int | str], int, dict[str, int]]:
    """Sixty creates under a schedule: what the client saw, how many are held, which faults came."""
    seen: list[int | str] = []
    with Clinic(sandbox.start("open")) as clinic:
        clinic.admin("PATCH", "settings", json={"faults": f"{seed}:0.4"})
        for number in range(60):
            resource = note(identifier=[{"system": "urn:agency.example", "value": f"contact/{number}/note"}])
            try:
                seen.append(clinic.create(resource).status_code)
            except httpx.TransportError as error:
                seen.append(type(error).__name__)
        time.sleep(0.5)  # what commits late has committed
        return seen, clinic.held("DocumentReference"), clinic.audit()["faults"]


def test_a_seeded_schedule_repeats_itself() -> None:
    first = campaign(7)
    assert first == campaign(7)
    assert first[0] != campaign(8)[0]
    assert 10 <= sum(first[2].values()) <= 40
    assert Counter(first[0])[201] > 20
