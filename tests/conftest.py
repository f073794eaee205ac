"""What holds for every test: no settings from this machine's environment, a time zone that is not UTC, plain hooks."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

pytest.register_assert_rewrite("tests.postgres")  # some conftest imports it before it is a plugin


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("tests.postgres")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake with time zones shows, and a BRIDGE_… variable of whoever runs the tests changes nothing."""
    for name in list(os.environ):
        if name.startswith("BRIDGE_") and not name.startswith("BRIDGE_TESTS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "America/Denver")
    time.tzset()


@pytest.fixture(autouse=True)
def plain_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that sets logging up as a command does leaves what catches errors for the next as it was."""
    for module, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, getattr(module, name))
