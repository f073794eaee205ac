"""The project folder the demo runs in: written for this run, so that no project's own ledger or EHR is touched."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from bridge.demo.cast import Cast, Office, Site
from bridge.errors import ConfigError, Problem
from bridge.settings import Project, load
from bridge.store.keys import make_key_file

PROGRAM = "system-of-care"
ENGINEER = "engineer"
OWN = ("mappings", "tables", "definitions")
"""Folders of a project whose content counts here too."""
HEAD = """\
# Written by `bridge demo`: invented agencies, invented families, sandbox EHRs that stop when the demo does.
"""


def make(directory: Path, cast: Cast, bases: Mapping[str, str], begins: date, copied: Path | None = None) -> Project:
    """The project stands in `directory`, each practice's EHR at its base; `copied` is one whose own mappings count.

    Raises ConfigError where the folder holds anything.
    """
    if directory.exists() and any(directory.iterdir()):
        step = "name a folder that is new or empty: a caseload goes into EHRs that are empty too"
        raise ConfigError(Problem("demo-occupied", "the folder is not empty", str(directory), "--dir", step))
    directory.mkdir(parents=True, exist_ok=True)
    for name in OWN if copied is not None else ():
        if copied is not None and (copied / name).is_dir():
            shutil.copytree(copied / name, directory / name)
    make_key_file(directory / "secrets" / "ledger.key")
    settings = {
        "packs": list(cast.packs),
        "programs": {PROGRAM: {"name": "System of care"}},
        "agencies": {office.id: agency(office) for office in cast.offices},
        "practices": {site.id: practice(site, begins) for site in cast.sites},
        "connections": {site.id: connection(site, bases[site.id]) for site in cast.sites},
        "people": people(cast),
        "server": {"port": 0},
    }
    text = HEAD + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=120)
    (directory / "bridge.yaml").write_text(text, encoding="utf-8")
    return load(directory)


def agency(office: Office) -> dict[str, Any]:
    """One of `agencies`."""
    return {
        "name": office.name,
        "source": "synthetic",
        "program": PROGRAM,
        "timezone": office.timezone,
        "language": office.language,
        "contact": {"name": office.clinicians[0], "email": f"contact@{office.id}.example"},
        "practices": list(office.practices),
    }


def practice(site: Site, begins: date) -> dict[str, Any]:
    """One of `practices`."""
    document: dict[str, Any] = {
        "mime": site.document.mime,
        "language": site.document.language,
        "author": site.document.author,
    }
    if site.document.types:
        document["types"] = {
            kind: {"system": of.system, "code": of.code, "display": of.display}
            for kind, of in site.document.types.items()
        }
    return {
        "name": site.name,
        "connection": site.id,
        "timezone": site.timezone,
        "contact": {"name": "Front desk", "email": f"contact@{site.id}.example"},
        "send_from": (site.send_from or begins).isoformat(),
        "document": document,
        "enable": sorted(site.enable),
    }


def connection(site: Site, base: str) -> dict[str, Any]:
    """One of `connections`; a sandbox shows what it took at once, so a lost answer is looked for a second later."""
    return {
        "kind": "test",
        "vendor": site.shape,
        "base": base,
        "login": "none",
        "timeout_seconds": 10,
        "visibility_delay_seconds": 1,
        "lanes": 8,
    }


def people(cast: Cast) -> dict[str, Any]:
    """Who may sign in: one person of each agency, and whoever runs the bridge."""
    found: dict[str, Any] = {}
    for office in cast.offices:
        name = f"{office.clinicians[0]}, {office.name}"
        who = {"name": name, "email": f"staff@{office.id}.example", "role": "agency-staff", "agency": office.id}
        found[f"{office.id}-staff"] = who
    found[ENGINEER] = {"name": "whoever runs the bridge", "email": "engineer@bridge.example", "role": "engineer"}
    return found


def staff_of(project: Project) -> str:
    """The id of the person of the first agency who may sign in."""
    return f"{next(iter(project.agencies))}-staff"
