"""The sandbox's own address, several sandboxes at once, and the command."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bridge import sandbox
from tests.unit.sandbox.running import Clinic, identity
from tests.unit.sandbox.synthetic import attached, body, note

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def running() -> Iterator[Clinic]:
    with Clinic(sandbox.start("open")) as clinic:
        yield clinic


@pytest.fixture
def clinic(running: Clinic) -> Clinic:
    running.reset()
    return running


def test_about_tells_shape_facts_and_site() -> None:
    with Clinic(sandbox.start("epic", site={"encounter_required": True})) as clinic:
        about = clinic.admin("GET", "")
        assert (about["shape"], about["login"]) == ("epic", False)
        assert about["site"]["encounter_required"]["value"] is True
        assert all(fact["source"] and fact["seen"] for fact in about["facts"].values())


def test_load_takes_a_resource_a_list_or_a_bundle_past_every_rule(clinic: Clinic) -> None:
    clinic.admin("POST", "load", json={"resourceType": "Task", "id": "t1"})
    clinic.admin("POST", "load", json=[{"resourceType": "Goal"}, {"resourceType": "Group", "id": "g1"}])
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "name": [{"family": "Ortiz"}]}},
            {"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Goal", "subject": {"reference": "urn:uuid:1"}}},
        ],
    }
    loaded = clinic.admin("POST", "load", json=bundle)["loaded"]
    patient = loaded[0]["id"]
    found = clinic.fhir("GET", f"Goal?patient={patient}").json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [loaded[1]["id"]]
    again = clinic.admin("POST", "load", json={"resourceType": "Task", "id": "t1", "status": "ready"})
    assert again["loaded"] == [{"type": "Task", "id": "t1"}]
    held = clinic.admin("GET", "resources?type=Task")["resources"]
    assert [(item["version"], item["resource"]["status"], len(item["history"])) for item in held] == [("2", "ready", 1)]


@pytest.mark.parametrize("content", [b"{", b'{"id": "Zyzzyva"}', b'[{"resourceType": "Task", "id": "no id: Zyzzyva"}]'])
def test_load_refuses_whole_what_is_not_resources(clinic: Clinic, content: bytes) -> None:
    before = clinic.admin("GET", "counts")
    response = clinic.http.post(f"{clinic.running.admin_url}/load", content=content)
    assert response.status_code == 400
    assert "Zyzzyva" not in response.text
    assert clinic.admin("GET", "counts") == before


def test_counts_tell_loaded_from_received(clinic: Clinic) -> None:
    made = clinic.create(body("Encounter"))
    address = f"Encounter/{identity(made)}"
    clinic.fhir("PUT", address, json={**made.json(), "status": "in-progress"})
    counts = clinic.admin("GET", "counts")
    assert counts["counts"]["Encounter"] == 3
    assert counts["received"] == {"Encounter": 1}
    assert counts["loaded"]["Encounter"] == 2
    assert counts["updates"]["Encounter"] == 1


def test_duplicates_by_identifier_and_by_title(clinic: Clinic) -> None:
    assert clinic.admin("GET", "duplicates") == {"by": "identifier", "duplicates": 0, "groups": []}
    first = [identity(clinic.create(note())) for _ in range(3)]
    other = clinic.create(attached(title="Home visit [r-2]")).json()
    by_identifier = clinic.admin("GET", "duplicates?by=identifier")
    assert by_identifier["duplicates"] == 3
    assert by_identifier["groups"] == [{"type": "DocumentReference", "ids": [*first, other["id"]]}]
    assert clinic.admin("GET", "duplicates?by=title&type=DocumentReference")["groups"][0]["ids"] == first
    assert clinic.admin("GET", "duplicates?by=title&type=Encounter")["duplicates"] == 0


def test_a_document_that_is_replaced_is_no_double(clinic: Clinic) -> None:
    first = identity(clinic.create(note()))
    replaces = {"code": "replaces", "target": {"reference": f"DocumentReference/{first}"}}
    clinic.create(note(relatesTo=[replaces]))
    assert clinic.admin("GET", "duplicates")["duplicates"] == 0


def test_the_audit_lists_every_request_without_values(clinic: Clinic) -> None:
    clinic.admin("DELETE", "audit")
    clinic.create(note())
    clinic.create(note(status=None))
    clinic.fhir("GET", "Patient?family=Munoz&zzz=1")
    clinic.fhir("GET", "Medication/1")
    clinic.fhir("GET", "Patient/none")
    audit = clinic.admin("GET", "audit")
    told = [(item["method"], item["type"], item["interaction"], item["status"]) for item in audit["requests"]]
    assert told == [
        ("POST", "DocumentReference", "create", 201),
        ("POST", "DocumentReference", "create", 422),
        ("GET", "Patient", "search-type", 200),
        ("GET", "Medication", "read", 404),
        ("GET", "Patient", "read", 404),
    ]
    counts = audit["counts"]
    assert [counts[name] for name in ("done", "refused", "unsupported", "absent")] == [2, 1, 1, 1]
    assert counts["ignored_parameters"] == 1
    assert "Munoz" not in str(audit)
    assert clinic.admin("GET", "audit?after=3&limit=1")["requests"][0]["number"] == 4


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "faults", {"fault": "Zyzzyva"}),
        ("POST", "faults", {"fault": "429", "count": "Zyzzyva"}),
        ("POST", "faults", {"fault": "429", "Zyzzyva": 1}),
        ("PATCH", "settings", {"faults": "Zyzzyva"}),
        ("GET", "duplicates?by=Zyzzyva", None),
    ],
)
def test_mistakes_are_told_without_echoing_them(clinic: Clinic, method: str, path: str, content: object) -> None:
    response = clinic.http.request(method, f"{clinic.running.admin_url}/{path}", json=content)
    assert response.status_code == 400
    assert "Zyzzyva" not in response.text


def test_several_shapes_run_beside_each_other() -> None:
    with sandbox.start("epic") as epic, sandbox.start("oracle") as oracle:
        assert epic.port != oracle.port
        names = [httpx.get(f"{running.base_url}/metadata").json()["software"]["name"] for running in (epic, oracle)]
        assert names == ["Epic-like sandbox EHR", "Oracle Health-like sandbox EHR"]


def test_stopping_frees_the_port_and_ends_waiting_faults(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "uvicorn.error"):
        running = sandbox.start("open")
        httpx.post(f"{running.admin_url}/faults", json={"fault": "commit-late", "seconds": 60})
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{running.base_url}/metadata")
        before = time.monotonic()
        running.stop()
        running.stop()
    assert time.monotonic() - before < 3
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    with socket.create_server(("127.0.0.1", running.port)):
        pass


def test_the_sandbox_imports_nothing_of_ours() -> None:
    program = "import sys, bridge.sandbox; print(sorted(name for name in sys.modules if name.startswith('bridge.')))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("'bridge.") == done.stdout.count("'bridge.sandbox") > 10


def test_a_taken_port_is_an_error() -> None:
    with sandbox.start("open") as running, pytest.raises(OSError, match="in use"):
        sandbox.start("open", running.port)


def test_command_says_ready_and_stops_on_sigterm(tmp_path: Path) -> None:
    environment = {**os.environ, "TOKEN": "t-1"}
    command = [sys.executable, "-m", "bridge.sandbox", "epic", "--port", "0", "--bearer-env", "TOKEN"]
    command += ["--site", "encounter_required=true", "--faults", "3:0", "--visibility-delay", "0.1"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            word, base = process.stdout.readline().split()
            assert (word, httpx.get(f"{base}/metadata").status_code) == ("READY", 200)
            assert httpx.get(f"{base}/Patient/p1").status_code == 401
            about = httpx.get(base.replace("/fhir", "/_sandbox")).json()
            assert (about["visibility_delay"], about["site"]["encounter_required"]["value"]) == (0.1, True)
        finally:
            process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody"],
        ["epic", "--faults", "x"],
        ["epic", "--site", "x"],
        ["epic", "--site", "x=1"],
        ["epic", "--bearer-env", "NONE"],
    ],
)
def test_command_refuses_wrong_use(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge.sandbox", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
