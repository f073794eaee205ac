"""Answers as they are written down beside the tests; BRIDGE_TESTS_GOLDEN=write writes them anew, to be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("golden")


def matches(name: str, answer: Any) -> bool:
    """Whether the answer is, to the letter, the one written down under this name."""
    path = FOLDER / f"{name}.json"
    text = json.dumps(answer, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text
