"""The practices' EHRs: sandboxes, each a process of its own, asked and filled through their own address."""

from __future__ import annotations

import base64
import html
import http.client
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson

from bridge.errors import ConfigError, Problem
from bridge.model import type_json

PATIENCE = 30.0
"""Seconds to wait for a sandbox to start, and for each of its answers."""
NOT_STANDING = frozenset({"entered-in-error", "superseded"})


class Ehr:
    """One running sandbox; `base` is its FHIR address."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._at = urlsplit(base).netloc

    def load(self, resources: Sequence[type_json]) -> None:
        """The practice holds these."""
        if resources:
            self.ask("POST", "load", list(resources))

    def lose_answers(self, count: int) -> None:
        """So many of the next documents are stored, and the answer is lost."""
        match = {"method": "POST", "type": "DocumentReference"}
        self.ask("POST", "faults", {"fault": "drop-after", "count": count, "match": match})

    def faults_met(self) -> int:
        """How many requests met a fault."""
        return sum(self.ask("GET", "audit?limit=0")["counts"]["faults"].values())

    def received(self) -> list[type_json]:
        """What clients made here, as it stands now."""
        held = self.ask("GET", "resources")["resources"]
        return [item["resource"] for item in held if not item["loaded"]]

    def everything(self) -> str:
        """All that clients ever wrote here, earlier versions too, as text with every attachment in the clear."""
        held = self.ask("GET", "resources")["resources"]
        versions = [version for item in held if not item["loaded"] for version in (*item["history"], item["resource"])]
        return "\n".join(part for version in versions for part in (orjson.dumps(version).decode(), *documents(version)))

    def doubles(self) -> int:
        """Resources beyond one with the same delivery reference, in an identifier or in a document's title."""
        more: set[tuple[str, str]] = set()
        for by in ("identifier", "title"):
            for group in self.ask("GET", f"duplicates?by={by}")["groups"]:
                more |= {(group["type"], id) for id in group["ids"][1:]}
        return len(more)

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """The sandbox's own answer. Raises ConfigError where it is none; nothing of it is repeated."""
        connection = http.client.HTTPConnection(self._at, timeout=PATIENCE)
        try:
            body = None if content is None else orjson.dumps(content)
            connection.request(method, f"/_sandbox/{path}", body, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise not_running(f"answered {response.status}")
        return orjson.loads(answer)


def documents(resource: type_json) -> Iterator[str]:
    """The texts of a resource's attachments, escapes resolved."""
    for content in resource.get("content", ()):
        data = content.get("attachment", {}).get("data", "")
        yield html.unescape(base64.b64decode(data).decode("utf-8", "replace"))


def stands(resource: type_json) -> bool:
    """Whether this is what a reader of the chart is to believe."""
    return resource.get("status") not in NOT_STANDING


@contextmanager
def running(shapes: Mapping[str, str]) -> Iterator[dict[str, Ehr]]:
    """A sandbox of each shape, by name, until the end of the `with`. Raises ConfigError where one does not start."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, shape in shapes.items():
            processes[name] = sandbox(shape)
        yield {name: Ehr(base_of(process)) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            ended(process)


def sandbox(shape: str) -> subprocess.Popen[str]:
    """One sandbox's process, starting."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter, our own module, a shape from our own list
        [sys.executable, "-m", "bridge.sandbox", shape, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # the terminal's Ctrl-C is for the bridge, which then stops them
    )


def ended(process: subprocess.Popen[str]) -> None:
    """The process, told to stop, is gone."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def base_of(process: subprocess.Popen[str]) -> str:
    """The FHIR address that the process says it answers at."""
    ready = process.stdout is not None and select.select([process.stdout], [], [], PATIENCE)[0]
    said = process.stdout.readline().split() if ready and process.stdout is not None else []
    if len(said) != 2 or said[0] != "READY":
        raise not_running("did not start")
    return said[1]


def not_running(what: str) -> ConfigError:
    """The error of a sandbox that is not what it should be."""
    step = "`python -m bridge.sandbox SHAPE` shows why"
    return ConfigError(Problem("demo-sandbox", f"a sandbox EHR {what}", next_step=step))
