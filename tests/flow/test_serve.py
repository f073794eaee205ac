"""`bridge serve` as people run it: a process that takes records, sends them on, shows pages, and stops when told to."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import sandbox
from bridge.cli import main
from tests.unit.api.opened import YAML, contact, write
from tests.unit.settings.project import API_KEY

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "urn:oid:2.16.840.1.113883.19.5.1"
PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "identifier": [{"system": SYSTEM, "value": "40017"}],
    "name": [{"family": "Ejemplo", "given": ["Luz"]}],
    "birthDate": "2021-03-04",
}
PATIENCE = 60.0


@dataclass
class Served:
    """A process that serves, and where."""

    process: subprocess.Popen[str]
    log: Path
    base: str = ""
    link: str = ""
    lines: list[str] = field(default_factory=list)

    def post(self, *records: dict[str, Any]) -> httpx.Response:
        url = f"{self.base}/agencies/harbor/records?kind=ma-soc/contact"
        return httpx.post(url, json=list(records), headers={"Authorization": f"Bearer {API_KEY}"})

    def get(self, number: int) -> Any:
        url = f"{self.base}/agencies/harbor/records/{number}"
        return httpx.get(url, headers={"Authorization": f"Bearer {API_KEY}"}).json()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """The seconds until the process had ended."""
        start = time.monotonic()
        self.process.send_signal(how)
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()
        return time.monotonic() - start


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Served]:
    """The project, served on a free port until the end at the latest."""
    log = folder / "log"
    command = [sys.executable, "-m", "bridge", "--log", "json", "serve", "--project", str(folder), "--port", "0"]
    with log.open("w") as errors:
        process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        one = Served(process, log)
        assert process.stdout is not None
        ready = process.stdout.readline().strip()
        assert ready.startswith("READY http://127.0.0.1:"), log.read_text()
        one.base = ready.removeprefix("READY ")
        if "--sign-in" in arguments:
            one.link = re.sub(r"^.*: (?=http)", "", process.stdout.readline().strip())
        yield one
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def project(folder: Path, ehr: str) -> Path:
    """The small project with its connections at this EHR."""
    return write(folder, YAML.replace("http://127.0.0.1:9/fhir/two", ehr).replace("http://127.0.0.1:9/fhir", ehr))


def until(what: Any) -> Any:
    """What it gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_a_record_posted_to_the_door_reaches_the_chart_and_the_page_tells(tmp_path: Path) -> None:
    """R1: a contact signed at the agency appears in the practice's EHR."""
    with sandbox.start("open") as ehr:
        httpx.post(f"{ehr.admin_url}/load", json=[PATIENT]).raise_for_status()
        folder = project(tmp_path / "pilot", ehr.base_url)
        (tmp_path / "links.csv").write_text(f"agency,person,practice,system,value\nharbor,c-1,elm,{SYSTEM},40017\n")
        (tmp_path / "consents.csv").write_text(
            "agency,person,practice,from,until,narrative\nharbor,c-1,elm,2026-01-01,,yes\n"
        )
        assert main(["links", "import", str(tmp_path / "links.csv"), "--project", str(folder)]) == 0
        assert main(["consents", "import", str(tmp_path / "consents.csv"), "--project", str(folder)]) == 0
        with served(folder, "--sign-in", "ana") as bridge:
            number = bridge.post(contact(narrative="She slept through.")).json()["items"][0]["record"]
            states = until(lambda: [e["state"] for e in bridge.get(number)["entries"]] == ["delivered"])
            assert states
            counts = httpx.get(f"{ehr.admin_url}/counts").json()
            assert counts["received"] == {"DocumentReference": 1}
            assert bridge.post(contact(narrative="She slept through.")).json()["items"][0]["fate"] == "resend"
            with httpx.Client(follow_redirects=True) as browser:
                token = bridge.link.rpartition("/")[2]
                page = browser.post(f"{bridge.base}/console/sign-in", data={"token": token})
                assert "Nothing needs you." in page.text
                assert "In the chart" in browser.get(f"{bridge.base}/console/records/{number}").text
            metrics = httpx.get(f"{bridge.base}/metrics").text
            assert 'bridge_entries{practice="elm",state="delivered"} 1.0' in metrics
            assert bridge.stop() < 15
            text = bridge.log.read_text()
        assert "slept" not in text
        assert token not in text
        assert "unhandled" not in text
        assert httpx.get(f"{ehr.admin_url}/counts").json()["received"] == {"DocumentReference": 1}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_seconds_whoever_still_holds_on_to_it(tmp_path: Path, how: signal.Signals) -> None:
    """A client that keeps its connection, and one that never finished its request, do not keep it from stopping."""
    text = YAML.replace("item_kib: 4", "item_kib: 4, stop_seconds: 2")
    with served(write(tmp_path / "pilot", text)) as bridge:
        host, port = bridge.base.removeprefix("http://").split(":")
        with httpx.Client(base_url=bridge.base) as kept, socket.create_connection((host, int(port))) as half:
            assert kept.get("/health").json() == {"ok": True, "ledger": "answers"}
            half.sendall(b"POST /agencies/harbor/records HTTP/1.1\r\nHost: x\r\n")
            half.sendall(f"Authorization: Bearer {API_KEY}\r\nContent-Length: 10\r\n\r\n[".encode())
            time.sleep(0.2)
            assert bridge.stop(how) < 12
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, int(port)), 2)


def test_a_port_that_is_taken_is_told_and_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "pilot")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--project", str(folder), "--port", str(taken.getsockname()[1])]) == 2
    assert "[server-address]" in capsys.readouterr().err
