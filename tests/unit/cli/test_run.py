"""How the command ends: 0 done, 1 findings, 2 wrong use or configuration; and what it prints on the way."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import __version__
from bridge.cli import init, main, run
from bridge.errors import AccessError, BridgeError, ConfigError, DefinitionError, LedgerError, Problem, RecordError


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    yield
    root.handlers[:], sys.excepthook, threading.excepthook = before[0], before[2], before[3]
    root.setLevel(before[1])


@pytest.mark.parametrize("arguments", [["nope"], ["init"], ["--log", "loud", "doctor"], ["doctor", "--nope"], []])
def test_wrong_use_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert "Usage: bridge" in told.out + told.err


def test_help_and_version_end_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"bridge {__version__}\n"
    assert main(["--help"]) == 0


@pytest.mark.parametrize(
    ("kind", "code"),
    [(ConfigError, 2), (AccessError, 2), (DefinitionError, 2), (RecordError, 1), (LedgerError, 1)],
)
def test_each_kind_of_error_has_its_exit_code(
    kind: type[BridgeError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object) -> None:
        raise kind(Problem("some-code", "some rule", "file:3", next_step="do this"))

    monkeypatch.setattr(init, "start", fail)
    assert main(["init", "somewhere"]) == code
    assert capsys.readouterr().err == "✗ file:3: some rule [some-code]\n    → do this\n"
    assert main(["init", "somewhere", "--json"]) == code
    problem = {"code": "some-code", "rule": "some rule", "where": "file:3", "next_step": "do this"}
    assert json.loads(capsys.readouterr().out) == {"problems": [problem]}


def test_a_failure_of_the_bridge_itself_shows_no_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("CANARY Rosa Delgado")

    monkeypatch.setattr(init, "start", fail)
    assert main(["init", "somewhere"]) == run.FAILED
    told = capsys.readouterr().err
    assert "CANARY" not in told
    assert "command.failed error=ValueError" in told
    assert "bridge/cli/init.py" in told


def test_init_makes_a_project_and_says_what_is_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "pilot"), "--pack", "konote"]) == 0
    told = capsys.readouterr().out
    assert "secrets/ledger.key   (secret, readable by you alone)" in told
    assert main(["init", str(tmp_path / "pilot"), "--pack", "konote"]) == 2
    assert main(["init", str(tmp_path / "other"), "--pack", "konote", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agencies"] == ["harbor"]


def test_the_project_comes_from_the_environment_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRIDGE_PROJECT", str(tmp_path / "elsewhere"))
    assert main(["doctor"]) == 2
    assert str(tmp_path / "elsewhere" / "bridge.yaml") in capsys.readouterr().err


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "bridge", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"bridge {__version__}\n")
    assert subprocess.run([sys.executable, "-m", "bridge", "nope"], capture_output=True, check=False).returncode == 2
