"""What docs/from-a-csv.md shows is true: the draft is drafted, the files decided on load, the cases hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.mappings.cases import read_cases, run_case
from bridge.mappings.load import load
from bridge.mappings.translate import Translator

ROOT = Path(__file__).resolve().parents[4]
TEXT = (ROOT / "docs" / "from-a-csv.md").read_text(encoding="utf-8")
SOURCE = ROOT / "tests" / "data" / "contact-log.csv"


def test_the_draft_says_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["draft", str(SOURCE), "--kind", "visits/contact-log", "--into", "visits"]) == 0
    fields = [line for line in capsys.readouterr().out.splitlines() if " % filled" in line]
    assert len(fields) == 10
    assert [line for line in fields if line not in TEXT.splitlines()] == []
    kind = (tmp_path / "visits" / "contact-log.kind.yaml").read_text()
    assert next(line for line in kind.splitlines() if "What happened  # ??" in line) in TEXT
    assert next(line for line in kind.splitlines() if line.startswith("subject:")) in TEXT


def test_the_files_decided_on_load_and_their_cases_hold() -> None:
    files = dict(re.findall(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
    translator = Translator(load(files))
    cases = read_cases(files)
    assert (len(files), len(cases)) == (5, 3)
    assert [run_case(case, translator) for case in cases] == [[], [], []]
