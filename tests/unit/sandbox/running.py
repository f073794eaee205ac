"""A sandbox and a plain HTTP client on it."""

from __future__ import annotations

from typing import Any, Self

import httpx

from bridge.sandbox import Running
from tests.unit.sandbox.synthetic import FHIR, PRACTICE, Json


class Clinic:
    """A running sandbox that holds a practice's own resources, with the client that talks to it."""

    def __init__(self, running: Running, headers: dict[str, str] | None = None) -> None:
        self.running = running
        self.http = httpx.Client(timeout=10, headers=headers)
        self.reset()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Client closed, sandbox stopped."""
        self.http.close()
        self.running.stop()

    def reset(self) -> None:
        """Only what the practice holds is left."""
        self.admin("POST", "reset")
        self.admin("PATCH", "settings", json={"visibility_delay": 0, "faults": ""})
        self.admin("POST", "load", json=PRACTICE)

    def fhir(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """One FHIR request; bodies given as `json` go as application/fhir+json."""
        headers = {**(FHIR if "json" in arguments else {}), **arguments.pop("headers", {})}
        return self.http.request(method, f"{self.running.base_url}/{path}", headers=headers, **arguments)

    def create(self, resource: Json, **headers: str) -> httpx.Response:
        """One create; keywords are headers, underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.fhir("POST", resource["resourceType"], json=resource, headers=named)

    def order(self, fault: str, **arguments: Any) -> None:
        """A fault waits for the requests it is for."""
        self.admin("POST", "faults", json={"fault": fault, **arguments})

    def admin(self, method: str, path: str, **arguments: Any) -> Any:
        """What the sandbox's own address answers."""
        response = self.http.request(method, f"{self.running.admin_url}/{path}".rstrip("/"), **arguments)
        response.raise_for_status()
        return response.json()

    def held(self, kind: str) -> int:
        """How many resources of the type are stored."""
        count: int = self.admin("GET", "counts")["counts"].get(kind, 0)
        return count

    def audit(self) -> dict[str, Any]:
        """The audit's counts."""
        counts: dict[str, Any] = self.admin("GET", "audit")["counts"]
        return counts


def identity(response: httpx.Response) -> str:
    """The id of what was created, from the Location header."""
    parts = response.headers["location"].split("/_history/")[0].split("/")
    return str(parts[-1])


def coded(response: httpx.Response) -> list[str]:
    """The vendor's own codes in an OperationOutcome."""
    issues = response.json()["issue"]
    return [coding["code"] for issue in issues for coding in issue["details"].get("coding", [])]
