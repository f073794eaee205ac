"""What commands print, as it is written down beside the tests; BRIDGE_TESTS_GOLDEN=write writes it anew, to be read."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")


def matches(name: str, printed: str, folder: Path) -> bool:
    """Whether this is, to the letter, what was written down; paths below `folder` are told as FOLDER."""
    path = FOLDER / f"{name}.txt"
    text = printed.replace(str(folder), "FOLDER")
    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text
