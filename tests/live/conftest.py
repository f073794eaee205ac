"""The real servers of the live tests: started once for the suite, stopped by their process ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.absent import absent
from tests.live.servers import HERE, PACKAGES, InstanceValidator, hapi_server, missing


@pytest.fixture(scope="session")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a HAPI FHIR JPA server (R4, in memory)."""
    if reason := missing():
        absent(reason)
    with hapi_server(tmp_path_factory.mktemp("hapi") / "server.log") as base:
        yield base


@pytest.fixture(scope="session")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstanceValidator]:
    """HL7's validator, with US Core 6.1.0 where the package lies beside the project."""
    if reason := missing():
        absent(reason)
    us_core = PACKAGES / "us_core_610.tgz"
    definitions = [us_core, HERE / "supplement.json"] if us_core.is_file() else []
    instance_validator = InstanceValidator(tmp_path_factory.mktemp("validator") / "validator.log", *definitions)
    yield instance_validator
    instance_validator.stop()
