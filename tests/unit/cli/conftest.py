"""Commands over a small project, run in this process."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.settings import load
from bridge.store.keys import parse_key
from bridge.store.ledger import Ledger
from tests.unit.api.opened import write


@dataclass(frozen=True)
class Told:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Command:
    """The command over one project."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Told:
        self.capture.readouterr()
        code = main([*map(str, arguments), "--project", str(self.folder)])
        told = self.capture.readouterr()
        return Told(code, told.out, told.err)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The project's ledger, to put things into or look."""
        project = load(self.folder)
        ledger = Ledger(project.store.reveal(), parse_key(project.key.reveal()))
        ledger.migrate()
        yield ledger
        ledger.close()


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """The command, and logging as it was before."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    yield Command(write(tmp_path / "pilot"), capsys)
    root.handlers[:], sys.excepthook, threading.excepthook = before[0], before[2], before[3]
    root.setLevel(before[1])
