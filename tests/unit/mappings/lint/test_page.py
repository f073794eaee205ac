from __future__ import annotations

import re
from pathlib import Path

from bridge.mappings.lint.codes import CODES
from bridge.mappings.lint.page import page

ROOT = Path(__file__).parents[4]


def test_the_page_in_docs_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "lint.md").read_text(encoding="utf-8") == page()


# What other doors of this room say: a record at intake, a draft, an import of ConceptMaps or consents, and cases
# that are run. `table-export` is told by `bridge tables export`, `pack-unknown` by the settings.
ELSEWHERE = ("record-", "conceptmap-", "consent-", "case-differs", "case-update", "table-export", "pack-unknown")
OF_DRAFTS = "draft"


def test_every_code_that_is_raised_is_declared() -> None:
    room = ROOT / "bridge/mappings"
    said = set()
    for path in room.rglob("*.py"):
        if OF_DRAFTS not in path.relative_to(room).parts:
            text = path.read_text(encoding="utf-8")
            said |= set(re.findall(r'\b(?:Problem|wrong|say)\(\s*"([a-z]+-[a-z-]+)"', text))

    assert {code for code in said if not code.startswith(ELSEWHERE)} <= CODES.keys()
    assert len(said) > 60
    assert {code for code in CODES if code[:2] not in ("FP", "FT")} <= said
