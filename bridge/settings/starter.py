"""A new project folder: it loads without problems, sends synthetic records to a sandbox, keeps secrets out of git."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from bridge.errors import ConfigError, Problem
from bridge.settings.known import known_packs
from bridge.settings.load import FILE
from bridge.settings.words import nearest

FOLDERS = ("mappings", "tables", "cases", "inbox/harbor", "secrets")
LEDGER_KEY = "secrets/ledger.key"
API_KEY = "secrets/harbor.api-key"
IGNORED = """\
# secrets, the ledger and agencies' files are never committed
secrets/
inbox/
*.sqlite
*.sqlite-shm
*.sqlite-wal
"""


def start(directory: Path, packs: Sequence[str], make_key: Callable[[Path], None]) -> tuple[str, ...]:
    """A project folder stands in `directory`; the paths made, relative to it.

    `make_key` makes the ledger's key file. Raises ConfigError when a pack is not known or the folder holds anything.
    """
    known = known_packs()
    unknown = [
        Problem("unknown-name", "no mapping pack has this name", "command line", f"--pack {pack}", nearest(pack, known))
        for pack in packs
        if pack not in known
    ]
    if unknown:
        raise ConfigError(unknown)
    try:
        occupied = directory.exists() and any(directory.iterdir())
    except NotADirectoryError:
        occupied = True
    if occupied:
        step = "name a folder that is new or empty; an existing project is edited, not made again"
        raise ConfigError(Problem("init-occupied", "the folder is not empty", str(directory), next_step=step))
    for folder in FOLDERS:
        (directory / folder).mkdir(parents=True, exist_ok=True)
    (directory / "secrets").chmod(0o700)
    template = files("bridge").joinpath("settings", "starter.yaml").read_text(encoding="utf-8")
    (directory / FILE).write_text(template.replace("@packs@", ", ".join(packs)), encoding="utf-8")
    (directory / ".gitignore").write_text(IGNORED, encoding="utf-8")
    make_key(directory / LEDGER_KEY)
    write_secret(directory / API_KEY, secrets.token_urlsafe(32))
    return (FILE, ".gitignore", LEDGER_KEY, API_KEY, *(f"{folder}/" for folder in FOLDERS if folder != "secrets"))


def write_secret(path: Path, value: str) -> None:
    """`value` stands in a new file that only its owner can read; an existing file raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(value + "\n")
