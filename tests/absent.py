"""What a test says when a part it needs is not on this machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    """Skips with the reason; fails instead where BRIDGE_TESTS_LIVE=required says that every part was prepared."""
    if os.environ.get("BRIDGE_TESTS_LIVE") == "required":
        pytest.fail(f"required here, but absent: {reason}")
    pytest.skip(reason)
