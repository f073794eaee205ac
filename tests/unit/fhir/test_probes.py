"""R13: what is wrong is found, by its own code, at its own place."""

from __future__ import annotations

import pytest

from tests.unit.fhir.probes import MORE, PROBES, Probe
from tests.unit.fhir.samples import bundle, changed, errors, validator


def test_the_family_is_valid_part_by_part_and_as_a_bundle() -> None:
    resources = [entry["resource"] for entry in bundle()["entry"]]
    assert len(resources) == 12
    assert [errors(resource) for resource in (*resources, bundle())] == [{}] * 13


@pytest.mark.parametrize("kind", MORE)
def test_the_other_samples_are_valid(kind: str) -> None:
    assert set(errors(MORE[kind])) <= {"fhir-no-definition"}  # Basic, in the transaction


def test_there_are_enough_probes() -> None:
    assert len(PROBES) >= 110
    assert len({probe.name for probe in PROBES}) == len(PROBES)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_probe_is_caught(probe: Probe) -> None:
    assert probe.path in errors(probe.resource()).get(probe.code, set())


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_probe_is_caught_inside_a_bundle(probe: Probe) -> None:
    whole = changed(bundle(), {"entry.0.resource": probe.resource()})
    inside = {finding.path for finding in validator().check(whole, advise=False) if finding.code == probe.code}
    tail = probe.path.partition(".")[2]
    assert f"Bundle.entry[0].resource{'.' + tail if tail else ''}" in inside
