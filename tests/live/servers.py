"""Starting and stopping the Java side of the live tests: HAPI's FHIR server and HL7's validator."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "hapi"
PACKAGES = Path(__file__).resolve().parents[2] / "../shared/data/fhir-packages"
OPTIONS = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
START = 180.0  # seconds a loaded machine may take


class Unready(Exception):
    """The Java program ended or said nothing in time."""


def missing() -> str:
    """Why the Java programs cannot be started here; empty when they can."""
    if shutil.which("java") is None:
        return "java is not installed (Debian: default-jre-headless)"
    if not (HERE / "target" / "built").is_file():
        return "the FHIR test server is not built: bash tests/live/hapi/build.sh"
    return ""


class Java:
    """One Java program whose lines are read as they come; ended by its process id."""

    def __init__(self, program: str, arguments: Sequence[str], log: Path) -> None:
        command = ["java", *OPTIONS, "-cp", f"{HERE}/target/classes:{HERE}/target/lib/*", f"testserver.{program}"]
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.decode())
        self._lines.put("")  # ended

    def line(self, timeout: float) -> str:
        """The next line; raises Unready when the program ended or `timeout` seconds passed."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            line = ""
        if not line:
            raise Unready(f"no answer within {timeout:.0f} s; the program's log is {self._log.name}")
        return line.rstrip("\n")

    def ready(self) -> str:
        """What stands after READY on the line that says so."""
        while True:
            line = self.line(START)
            if line.startswith("READY"):
                return line.removeprefix("READY").strip()

    def say(self, line: str) -> None:
        """One line to the program."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """The program has ended."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()


@contextmanager
def hapi_server(log: Path, *definitions: Path) -> Iterator[str]:
    """The base URL of a HAPI FHIR server on a free port; with definitions it enforces what resources declare."""
    server = Java("JpaTestServer", ["0", *map(str, definitions)], log)
    try:
        yield server.ready().split()[0]
    finally:
        server.stop()


class InstanceValidator:
    """HL7's validator: call it with a resource, it answers with an OperationOutcome."""

    def __init__(self, log: Path, *definitions: Path) -> None:
        self._java = Java("Validate", [str(path) for path in definitions], log)
        self._java.ready()

    def __call__(self, resource: dict[str, Any]) -> dict[str, Any]:
        self._java.say(json.dumps(resource, ensure_ascii=False))
        outcome: dict[str, Any] = json.loads(self._java.line(60))
        return outcome

    def errors(self, resource: dict[str, Any]) -> list[dict[str, Any]]:
        """The issues of severity error or fatal."""
        return [issue for issue in self(resource).get("issue", []) if issue["severity"] in ("error", "fatal")]

    def stop(self) -> None:
        """The validator's process has ended."""
        self._java.stop()
