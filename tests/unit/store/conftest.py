"""The ledger's fixtures, registered once however the suite is started."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("tests.postgres")
