"""What docs/mappings.md shows is true: its files load, and its cases hold."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.mappings.cases import read_cases, run_case
from bridge.mappings.classes import CLASSES
from bridge.mappings.fhirpath.documentation import functions_page
from bridge.mappings.functions import FUNCTIONS, FUNCTIONS_OF_MAPPINGS
from bridge.mappings.lint import lint
from bridge.mappings.load import load
from bridge.mappings.translate import Translator

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "mappings.md").read_text(encoding="utf-8")


def test_the_files_shown_load_and_their_cases_hold() -> None:
    blocks = re.findall(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)
    files = dict(blocks)
    translator = Translator(load({path: text for path, text in files.items() if not path.startswith("project/")}))
    varied = Translator(load(files))

    cases = read_cases(files)

    assert len(files) == 5
    assert lint(files).findings == ()
    assert lint({path: text for path, text in files.items() if not path.startswith("project/")}).findings == ()
    assert len(cases) == 3
    assert [run_case(case, translator) for case in cases] == [[], [], []]
    visit = varied.translate(cases[0].kind, cases[0].record, cases[0].agency).parts[0]
    assert visit.resource["location"] == [{"location": {"display": "At home"}}]


def test_every_function_and_class_is_named() -> None:
    assert [name for name in FUNCTIONS if f"{name}(" not in TEXT and f".{name}(" not in TEXT] == []
    assert [name for name in CLASSES if name not in TEXT] == []


def test_the_page_of_functions_is_made_from_their_declarations() -> None:
    assert (DOCS / "functions.md").read_text(encoding="utf-8") == functions_page(FUNCTIONS_OF_MAPPINGS, FUNCTIONS)
