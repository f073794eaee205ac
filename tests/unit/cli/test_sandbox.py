"""`bridge sandbox`: it answers until it is stopped, and says what is wrong with how it was asked for."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bridge.cli import main
from tests.unit.cli.golden import matches

ROOT = Path(__file__).resolve().parents[3]


def test_it_answers_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "bridge", "sandbox", "open", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready, _, base = process.stdout.readline().strip().partition(" ")
            assert ready == "READY"
            assert httpx.get(f"{base}/metadata").json()["resourceType"] == "CapabilityStatement"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sandbox-shape", ["nothing", "--port", "0"]),
        ("sandbox-faults", ["open", "--port", "0", "--faults", "often"]),
        ("sandbox-smart", ["open", "--port", "0", "--smart", "client"]),
        ("sandbox-bearer", ["open", "--port", "0", "--bearer-env", "NOT_SET_ANYWHERE"]),
    ],
)
def test_wrong_use_is_told(name: str, arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["sandbox", *arguments]) == 2
    assert matches(name, capsys.readouterr().err, tmp_path)


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["sandbox", "--port", str(taken.getsockname()[1])]) == 2
    assert "nobody can listen at this port" in capsys.readouterr().err
