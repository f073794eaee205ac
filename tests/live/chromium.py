"""A real Chromium, driven by its own protocol over a pipe: no other package, no port, nothing fetched.

Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/ (`--remote-debugging-pipe`: messages are
JSON ended by a zero byte, the browser reads from descriptor 3 and writes to 4; seen 2026-11-22).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0


def binary() -> str | None:
    """The browser's program, where there is one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab. Every navigation is waited for."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self.session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What the protocol answers."""
        return self.browser.call(method, params, self.session)

    def open(self, url: str) -> None:
        """The page of this address is loaded."""
        self._loading(lambda: self.call("Page.navigate", url=url))

    def click(self, selector: str) -> None:
        """The element was clicked, and the page it leads to is loaded."""
        self._loading(lambda: self.run(f"document.querySelector({json.dumps(selector)}).click()"))

    def press(self, text: str) -> None:
        """The button or link that reads so was clicked, and the page it leads to is loaded."""
        operated = "[...document.querySelectorAll('button, a')]"
        finder = f"{operated}.find(e => e.textContent.trim().startsWith({json.dumps(text)}))"
        assert self.run(f"!!{finder}"), f"no button reads {text!r}"
        self._loading(lambda: self.run(f"{finder}.click()"))

    def fill(self, values: Mapping[str, str]) -> None:
        """The named fields hold these values; of radios and boxes the one with the value is chosen."""
        for name, value in values.items():
            done = self.run(
                f"""(() => {{
                const all = [...document.getElementsByName({json.dumps(name)})].filter(e => e.type !== 'hidden');
                if (!all.length) return false;
                if (['radio', 'checkbox'].includes(all[0].type)) {{
                    const one = all.find(e => e.value === {json.dumps(value)});
                    if (!one) return false; one.checked = true; return true;
                }}
                all[0].value = {json.dumps(value)}; return all[0].value === {json.dumps(value)};
                }})()"""
            )
            assert done, f"no field takes {name}={value!r}"

    def upload(self, selector: str, path: Path) -> None:
        """The file field holds this file."""
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def run(self, expression: str) -> Any:
        """The value of a script's expression (the pages themselves have none)."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    @property
    def text(self) -> str:
        """What a reader sees."""
        return str(self.run("document.body.innerText"))

    @property
    def html(self) -> str:
        """The document as the browser has it."""
        return str(self.run("document.documentElement.outerHTML"))

    @property
    def url(self) -> str:
        """Where we are."""
        return str(self.run("location.href"))

    def nameless(self) -> list[str]:
        """The roles of what can be operated and has no name for a screen reader."""
        self.call("Accessibility.enable")
        operated = {"textbox", "combobox", "checkbox", "radio", "button", "link", "Date", "searchbox", "spinbutton"}
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        found = [
            node["role"]["value"]
            for node in nodes
            if not node.get("ignored")
            and node.get("role", {}).get("value") in operated
            and not node.get("name", {}).get("value")
        ]
        self.call("Accessibility.disable")
        return found

    def complaints(self) -> list[str]:
        """What the browser complained of since the page was opened: blocked by policy, not found, errors."""
        return [
            event["params"]["entry"]["text"]
            for event in self.browser.events
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning")
        ]

    def hosts(self) -> set[str]:
        """The hosts that were asked for anything."""
        urls = [
            event["params"]["request"]["url"]
            for event in self.browser.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return {url.split("/")[2] for url in urls if "://" in url}

    def picture(self, path: Path, width: int = 1100) -> None:
        """The whole page as an image."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        self.call("Emulation.clearDeviceMetricsOverride")

    def _loading(self, start: Any) -> None:
        before = self._loads()
        start()
        deadline = time.monotonic() + PATIENCE
        while self._loads() == before:
            assert time.monotonic() < deadline, "the page did not load"
            self.browser.receive(0.2)

    def _loads(self) -> int:
        return sum(
            event["method"] == "Page.loadEventFired" and event.get("sessionId") == self.session
            for event in self.browser.events
        )


class Browser:
    """A browser with a profile of its own, until `close`."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, ours = os.pipe()
        theirs, from_browser = os.pipe()
        reads, writes = (fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (to_browser, from_browser))

        def as_3_and_4() -> None:
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}"],
            preexec_fn=as_3_and_4,
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (to_browser, from_browser, reads, writes):
            os.close(one)
        self._to, self._from = ours, theirs
        self._rest = b""
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    def page(self) -> Page:
        """A new tab in a context of its own: no cookies of another."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        return Page(self, self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"])

    def call(self, method: str, params: Mapping[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        """What the protocol answers to one message."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": dict(params or {})}
        os.write(self._to, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while self._number not in self._answers:
            assert time.monotonic() < deadline, f"{method} was not answered"
            self.receive(0.5)
        answer = self._answers.pop(self._number)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def receive(self, seconds: float) -> None:
        """What the browser said by now, or within so many seconds, is known."""
        if not select.select([self._from], [], [], seconds)[0]:
            return
        read = os.read(self._from, 1 << 20)
        assert read, "the browser ended"
        *whole, self._rest = (self._rest + read).split(b"\0")
        for message in map(json.loads, whole):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self.events.append(message)

    def close(self) -> None:
        """The process has ended."""
        os.write(self._to, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._to)
        os.close(self._from)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser for a test. The caller has looked for `binary()` before."""
    program = binary()
    assert program is not None
    browser = Browser(program, profile)
    try:
        yield browser
    finally:
        browser.close()
