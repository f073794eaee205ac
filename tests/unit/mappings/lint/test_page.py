from __future__ import annotations

import re
from pathlib import Path

from bridge.mappings.lint.codes import CODES
from bridge.mappings.lint.page import page

ROOT = Path(__file__).parents[4]


def test_the_page_in_docs_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "lint.md").read_text(encoding="utf-8") == page()


def test_every_code_that_is_raised_is_declared() -> None:
    said = set()
    for path in [*(ROOT / "bridge/mappings").glob("*.py"), *(ROOT / "bridge/mappings/lint").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        said |= set(re.findall(r'(?:Problem|wrong|say)\(\s*"((?:yaml|kind|mapping|table)-[a-z-]+)"', text))
        if path.parent.name == "lint":
            said |= set(re.findall(r'(?:Problem|say)\(\s*"([a-z-]+)"', text))

    assert said - {"kind-unknown"} <= CODES.keys()
    assert len(said) > 50
