"""HL7's own validator, with US Core, is asked about the samples that our validator is tested with."""

from __future__ import annotations

import pytest

from tests.live.servers import PACKAGES, InstanceValidator
from tests.unit.fhir.probes import MORE, PROBES, Probe
from tests.unit.fhir.samples import ABSENT, bundle

pytestmark = [pytest.mark.live, pytest.mark.outside, pytest.mark.skipif(not PACKAGES.is_dir(), reason=ABSENT)]


@pytest.mark.parametrize("index", range(12))
def test_it_finds_no_error_in_the_family(index: int, validator: InstanceValidator) -> None:
    assert validator.errors(bundle()["entry"][index]["resource"]) == []


@pytest.mark.parametrize("kind", MORE)
def test_it_finds_no_error_in_the_other_samples(kind: str, validator: InstanceValidator) -> None:
    assert validator.errors(MORE[kind]) == []


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_it_refuses_what_we_refuse(probe: Probe, validator: InstanceValidator) -> None:
    """Where it does not, the probe says why; a reason that no longer holds fails too."""
    assert bool(validator.errors(probe.resource())) != bool(probe.hl7)
