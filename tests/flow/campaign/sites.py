"""EHRs in processes of their own, and what they hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bridge.ehr.delivery import SYSTEM
from bridge.model import type_json

PROJECT = Path(__file__).resolve().parents[3]
PLAIN = PROJECT / "tests" / "data" / "sandbox" / "plain.yaml"
"""As `open`, without conditional creates: no vendor offers them, and where they are nothing is there twice."""


@dataclass(frozen=True, slots=True)
class Held:
    """One resource that a client made in an EHR, as it stands; `born` is when, as the EHR says."""

    site: str
    type: str
    id: str
    references: tuple[str, ...]
    born: str
    resource: type_json
    copy_of: str = ""  # the id of what the EHR's own side filed again

    @classmethod
    def of(cls, site: str, resource: type_json, first: type_json, copy_of: str = "") -> Held:
        """From the latest version and the first; `site` is the address of the EHR."""
        found = (item for item in resource.get("identifier", []) if item.get("system") == SYSTEM)
        references = tuple(item["value"] for item in found)
        born = first["meta"]["lastUpdated"]
        return cls(site, resource["resourceType"], resource["id"], references, born, resource, copy_of)


@dataclass(frozen=True, slots=True)
class Site:
    """A sandbox EHR that answers."""

    name: str
    base: str

    @property
    def admin(self) -> str:
        return self.base.removesuffix("/fhir") + "/_sandbox"

    def clear(self) -> None:
        """It holds nothing, nothing was asked of it, and nothing goes wrong."""
        httpx.post(f"{self.admin}/reset").raise_for_status()
        self.faults("")

    def load(self, resources: Sequence[type_json]) -> None:
        """The practice put these in."""
        httpx.post(f"{self.admin}/load", json=list(resources), timeout=60).raise_for_status()

    def faults(self, plan: str) -> None:
        """From here on this schedule of faults; "" none."""
        httpx.patch(f"{self.admin}/settings", json={"faults": plan}).raise_for_status()

    def change(self, **settings: Any) -> None:
        """It behaves otherwise from here on."""
        httpx.patch(f"{self.admin}/settings", json=settings).raise_for_status()

    def logins(self) -> dict[str, Any]:
        """How often it gave and refused tokens."""
        found: dict[str, Any] = httpx.get(f"{self.admin}/logins").json()
        return found

    def merged(self) -> set[str]:
        """The identifiers of Patients into whom others were merged meanwhile."""
        found = httpx.get(f"{self.admin}/resources", params={"type": "Patient"}, timeout=60).json()["resources"]
        return {
            identifier["value"]
            for item in found
            if any(link["type"] == "replaces" for link in item["resource"].get("link", ()))
            for identifier in item["resource"].get("identifier", ())
        }

    def order(self, **fault: Any) -> None:
        """The next request that it concerns meets this fault."""
        httpx.post(f"{self.admin}/faults", json=fault).raise_for_status()

    def held(self) -> list[Held]:
        """Everything clients made, and what was filed again of it."""
        found = httpx.get(f"{self.admin}/resources", timeout=60).json()["resources"]
        return [
            Held.of(self.base, item["resource"], (item["history"] or [item["resource"]])[0], item["copy_of"])
            for item in found
            if not item["loaded"] or item["copy_of"]
        ]

    def asked(self) -> list[dict[str, Any]]:
        """Every request, without bodies."""
        parameters = {"limit": 100_000}
        requests: list[dict[str, Any]] = httpx.get(f"{self.admin}/audit", params=parameters, timeout=60).json()[
            "requests"
        ]
        return requests


@contextmanager
def sandboxes(names: Sequence[str], log: Path, shape: str = str(PLAIN), smart: str = "") -> Iterator[list[Site]]:
    """A sandbox a name, each a process, where the client of `smart` signs in, if given; all end with the block."""
    running: list[subprocess.Popen[str]] = []
    with log.open("w") as said:
        try:
            command = [sys.executable, "-m", "bridge.sandbox", shape, *(("--smart", smart) if smart else ())]
            for _ in names:
                running.append(
                    subprocess.Popen(
                        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ}
                    )
                )
            yield [Site(name, ready(process)) for name, process in zip(names, running, strict=True)]
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)
                if process.stdout is not None:
                    process.stdout.close()


def ready(process: subprocess.Popen[str]) -> str:
    """What stands after READY on the first line a process says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("READY "), f"the sandbox did not start (exit {process.poll()})"
    return line.removeprefix("READY ").strip()
