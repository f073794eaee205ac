"""The ledger's fixtures, registered once however the suite is started."""

from __future__ import annotations

import pytest

from tests import postgres


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin(postgres.__name__):
        config.pluginmanager.register(postgres, postgres.__name__)
