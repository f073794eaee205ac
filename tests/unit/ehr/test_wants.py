"""A format that an EHR does not take, or that cannot be made here, is told at start."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.documents import pdf
from bridge.ehr.wants import unfit
from bridge.errors import Problem
from bridge.settings import load
from tests.unit.settings.project import YAML, write


def problems(directory: Path, mime: str, vendor: str) -> list[Problem]:
    """Those of a project whose second practice asks for documents of this format from an EHR of this vendor."""
    text = YAML.replace("mime: application/xhtml+xml", f"mime: {mime}").replace("vendor: epic", f"vendor: {vendor}")
    return list(unfit(load(write(directory, text))))


def test_a_format_the_vendor_does_not_take_is_named_with_those_it_does(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "application/pdf", "epic")
    assert problem.code == "document-mime"
    assert problem.field == "practices.oak.document.mime"
    assert problem.rule.startswith("Epic does not take documents as application/pdf (")
    assert problem.rule.endswith("seen 2026-11-22)")
    assert problem.next_step == "use one of: text/plain"
    (problem,) = problems(tmp_path, "text/xml", "oracle")
    assert problem.next_step.startswith("use one of: application/xhtml+xml, text/html, application/pdf, text/rtf,")


@pytest.mark.parametrize(
    ("mime", "vendor"),
    [
        ("text/plain", "epic"),
        ("application/pdf", "oracle"),
        ("text/rtf", "oracle"),
        ("application/xml", "ecw"),
        ("text/xml", "generic"),
        ("application/cda+xml", "open"),
    ],
)
def test_a_format_the_vendor_takes_is_well(mime: str, vendor: str, tmp_path: Path) -> None:
    assert problems(tmp_path, mime, vendor) == []


def test_pdf_without_its_extra_is_told_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    (problem,) = problems(tmp_path, "application/pdf", "oracle")
    assert problem.code == "document-package"
    assert problem.field == "practices.oak.document.mime"
    assert problem.next_step == "pip install 'dyad-bridge[documents]'"
    assert problems(tmp_path, "text/rtf", "oracle") == []
