"""What a project says of EHRs itself: `vendors/NAME.yaml` and `ways.yaml`, read as text; `ehr` knows their form."""

from __future__ import annotations

from pathlib import Path

from bridge.errors import Problem

VENDORS, WAYS = "vendors", "ways.yaml"


def vendor_files(directory: Path, problems: list[Problem]) -> dict[str, str]:
    """The project's own vendor files, name of the vendor → text; what cannot be read is a problem."""
    found = sorted((directory / VENDORS).glob("*.yaml"))
    return {path.stem: read_text(directory, f"{VENDORS}/{path.name}", problems) for path in found}


def read_text(directory: Path, name: str, problems: list[Problem]) -> str:
    """The text of a file of the project; "" where there is none, or where it cannot be read, which is a problem."""
    path = directory / name
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError):
        problems.append(Problem("yaml-syntax", "cannot be read as text", name, next_step="save the file as UTF-8"))
        return ""
