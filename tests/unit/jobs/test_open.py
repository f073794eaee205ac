"""Opening a project: what may not come in force does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.jobs.open import open_line
from bridge.settings import load
from tests.unit.api.opened import NOW, write

TABLE = "code,system,target,display,equivalence,source,note\n"


def test_a_draft_of_which_a_line_is_undecided_is_never_in_force(tmp_path: Path) -> None:
    """R25: nobody has said yet whose facts these are."""
    folder = write(tmp_path)
    (folder / "tables").mkdir()
    (folder / "tables" / "moods.csv").write_text(TABLE + "?? glad,,,Glad,unmatched,the export,\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused, open_line(load(folder), "test", NOW):
        pass
    (problem,) = refused.value.problems
    assert (problem.code, problem.where) == ("draft-unsure", "project/tables/moods.csv:2:1")
    (folder / "tables" / "moods.csv").write_text(TABLE + "glad,,,Glad,unmatched,the export,\n", encoding="utf-8")
    with open_line(load(folder), "test", NOW) as line:
        assert line.translator.mappings.tables["project/moods"].rows["glad"].words == "Glad"
