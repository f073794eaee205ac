"""A site's own package: taken in, used, and refused with a plain reason when it is something else."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import DefinitionError
from bridge.fhir import packages
from bridge.fhir.definitions import load
from bridge.fhir.packages import add_package
from bridge.fhir.validate import Validator
from tests.unit.fhir.samples import changed, sample

OWN = "https://agency.example/fhir/StructureDefinition/"
MANIFEST = {"name": "example.agency.contacts", "version": "0.3.0", "fhirVersions": ["4.0.1"]}


def element(path: str, **more: Any) -> dict[str, Any]:
    """One element of a snapshot; the id is the path where none is given."""
    return {"id": path, "path": path, "min": 0, "max": "1", **more}


PROFILE: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "id": "family-contact",
    "url": OWN + "family-contact",
    "type": "Encounter",
    "kind": "resource",
    "derivation": "constraint",
    "snapshot": {
        "element": [
            element(
                "Encounter",
                max="*",
                constraint=[
                    {"key": "agency-1", "severity": "error", "expression": "length.exists()"},
                    {"key": "dom-2", "severity": "error", "expression": "contained.contained.empty()"},
                ],
            ),
            element(
                "Encounter.status",
                min=1,
                type=[{"code": "code"}],
                binding={"strength": "required", "valueSet": "https://agency.example/fhir/ValueSet/done"},
            ),
            element(
                "Encounter.type",
                min=1,
                max="*",
                type=[{"code": "CodeableConcept"}],
                slicing={"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "closed"},
            ),
            element(
                "Encounter.type",
                id="Encounter.type:home",
                min=1,
                max="1",
                type=[{"code": "CodeableConcept"}],
                patternCodeableConcept={"coding": [{"code": "home"}]},
            ),
            element("Encounter.length", type=[{"code": "Duration"}], mustSupport=True),
            element("Encounter.length.unit", type=[{"code": "string"}], maxLength=3),
            element("Encounter.length.value", type=[{"code": "decimal"}], maxValueDecimal=600, minValueQuantity={}),
            element("Encounter.account", max="0", type=[{"code": "Reference", "targetProfile": [OWN + "nowhere"]}]),
            element(
                "Encounter.extension",
                id="Encounter.extension:interpreter",
                min=1,
                type=[{"code": "Extension", "profile": [OWN + "interpreter"]}],
            ),
        ]
    },
}
EXTENSION: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "id": "interpreter",
    "url": OWN + "interpreter",
    "type": "Extension",
    "kind": "complex-type",
    "derivation": "constraint",
    "snapshot": {
        "element": [
            element("Extension", max="*"),
            element("Extension.url", min=1, type=[{"code": "uri"}], fixedUri=OWN + "interpreter"),
            element("Extension.value[x]", min=1, type=[{"code": "boolean"}]),
        ]
    },
}
STATES: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": "https://agency.example/fhir/states",
    "content": "complete",
    "concept": [{"code": "all", "concept": [{"code": "finished"}, {"code": "cancelled"}]}, {"code": "planned"}],
}
DONE: dict[str, Any] = {
    "resourceType": "ValueSet",
    "url": "https://agency.example/fhir/ValueSet/done",
    "compose": {
        "include": [
            {"system": STATES["url"], "filter": [{"property": "concept", "op": "descendent-of", "value": "all"}]}
        ],
        "exclude": [{"system": STATES["url"], "concept": [{"code": "cancelled"}]}],
    },
}
UNUSABLE = [
    {**PROFILE, "id": "account", "url": OWN + "account", "type": "Account"},
    {name: value for name, value in {**PROFILE, "id": "flat", "url": OWN + "flat"}.items() if name != "snapshot"},
]

Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Makes a package of files: name → JSON value or bytes."""

    def make(files: dict[str, Any], *more: tarfile.TarInfo) -> Path:
        path = tmp_path / "own.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            for member in more:
                archive.addfile(member)
        return path

    return make


def whole(**manifest: Any) -> dict[str, Any]:
    """The files of a package that can be used."""
    definitions = [PROFILE, EXTENSION, STATES, DONE, *UNUSABLE]
    named = {f"package/{item['resourceType']}-{index}.json": item for index, item in enumerate(definitions)}
    return {
        "package/package.json": {**MANIFEST, **manifest},
        **named,
        "package/other/x.json": b"{",
        "readme.txt": b"hi",
    }


def contact() -> dict[str, Any]:
    """An Encounter that holds to the package's profile."""
    return changed(
        sample("Encounter"),
        {
            "meta.profile": [OWN + "family-contact"],
            "type": [{"coding": [{"system": "https://agency.example/fhir/places", "code": "home"}]}],
            "extension": [{"url": OWN + "interpreter", "valueBoolean": True}],
        },
    )


def test_a_package_is_added_as_one_small_file(pack: Pack, tmp_path: Path) -> None:
    added = add_package(pack(whole()), tmp_path / "definitions")
    assert added.package == "example.agency.contacts#0.3.0"
    assert added.file == tmp_path / "definitions" / "example.agency.contacts-0.3.0.json"
    assert added.file.stat().st_size < 3_000
    assert added.profiles == (OWN + "family-contact", OWN + "interpreter")
    assert added.value_sets == ("https://agency.example/fhir/ValueSet/done",)
    assert {(skipped.name, skipped.reason) for skipped in added.skipped} == {
        ("account", "the bridge has no definition of Account"),
        ("flat", "it has no snapshot"),
        ("Encounter.length.value", "minValueQuantity is not checked"),
    }
    assert added.uncovered == ("agency-1",)
    assert sorted(path.name for path in added.file.parent.iterdir()) == [added.file.name, "terminology"]
    assert (added.codes.name, added.listed, added.open) == (added.file.name, added.value_sets, ())
    assert added.codes.stat().st_size < 1_000


def test_an_added_profile_is_checked(pack: Pack, tmp_path: Path) -> None:
    checker = Validator(load(add_package(pack(whole()), tmp_path / "definitions").file.parent))
    assert "agency-1" in checker.uncovered()

    def codes(changes: dict[str, Any]) -> list[tuple[str, str]]:
        found = checker.check(changed(contact(), changes), advise=False)
        return sorted((finding.code, finding.path) for finding in found)

    assert codes({}) == []
    assert codes({"status": "cancelled"}) == [("fhir-binding", "Encounter.status")]
    assert codes({"type.0.coding.0.code": "street"}) == [
        ("fhir-not-allowed", "Encounter.type[0]"),
        ("fhir-slice", "Encounter.type"),
    ]
    assert codes({"account": [{"display": "x"}]}) == [("fhir-not-allowed", "Encounter.account")]
    assert codes({"extension.0": {"url": "https://other.example/x", "valueCode": "x"}}) == [
        ("fhir-slice", "Encounter.extension")
    ]
    assert ("fhir-not-allowed", "Encounter.extension[0].valueString") in codes(
        {"extension.0": {"url": OWN + "interpreter", "valueString": "x"}}
    )
    long = {"value": 700, "unit": "minutes", "system": "http://unitsofmeasure.org", "code": "min"}
    assert codes({"length": long}) == [
        ("fhir-limit", "Encounter.length.unit"),
        ("fhir-limit", "Encounter.length.value"),
    ]
    advice = {finding.path for finding in checker.check(contact())}
    assert advice == {"Encounter.length"}


def test_two_guides_may_give_one_id_to_two_profiles(pack: Pack, tmp_path: Path) -> None:
    other = {**PROFILE, "url": "https://other.example/fhir/family-contact"}
    other["snapshot"] = {"element": [element("Encounter", max="*"), element("Encounter.length", min=1)]}
    files = {f"package/StructureDefinition-{index}.json": item for index, item in enumerate((PROFILE, other))}
    added = add_package(pack({"package/package.json": MANIFEST, **files}), tmp_path / "definitions")
    checker = Validator(load(added.file.parent))
    for url, code in ((OWN + "family-contact", "fhir-slice"), (other["url"], "fhir-required")):
        found = checker.check(changed(sample("Encounter"), {"meta.profile": [url]}), advise=False)
        assert code in {finding.code for finding in found}


def test_adding_again_replaces_and_the_shipped_profiles_stay(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    add_package(pack(whole()), folder)
    first = load(folder).digest
    add_package(pack(whole()), folder)
    assert load(folder).digest == first
    assert load(folder).profiles.keys() > load().profiles.keys()
    assert load(folder).digest != load().digest


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"package/x.json": {}}, "definitions-no-manifest"),
        ({"package/package.json": []}, "definitions-no-manifest"),
        ({"package/package.json": b"{"}, "definitions-bad-json"),
        ({**whole(), "package/ValueSet-9.json": b"{"}, "definitions-bad-json"),
        (whole(name="../../etc/own"), "definitions-bad-manifest"),
        (whole(version="../1"), "definitions-bad-manifest"),
        (whole(fhirVersions=["4.3.0"]), "definitions-wrong-release"),
        (whole(fhirVersions=["5.0.0"]), "definitions-wrong-release"),
        (whole(fhirVersions=None), "definitions-wrong-release"),
        ({**whole(), "../outside.json": {}}, "definitions-unsafe-member"),
        ({**whole(), "/etc/outside.json": {}}, "definitions-unsafe-member"),
        ({"package/package.json": MANIFEST}, "definitions-nothing-usable"),
    ],
)
def test_what_is_no_usable_package(files: dict[str, Any], code: str, pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        add_package(pack(files), tmp_path / "definitions")
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.where.startswith("own.tgz")
    assert not (tmp_path / "definitions").exists()


def test_links_are_refused(pack: Pack, tmp_path: Path) -> None:
    link = tarfile.TarInfo("package/package.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(DefinitionError, match="definitions-unsafe-member"):
        add_package(pack({}, link), tmp_path / "definitions")


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b\x08\x00garbage", b"PK\x03\x04zip"])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "own.tgz"
    path.write_bytes(content)
    with pytest.raises(DefinitionError, match="definitions-not-a-package"):
        add_package(path, tmp_path / "definitions")


def test_an_archive_cut_short_or_absent(pack: Pack, tmp_path: Path) -> None:
    path = pack(whole())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DefinitionError, match="definitions-not-a-package"):
        add_package(path, tmp_path / "definitions")
    with pytest.raises(DefinitionError, match="definitions-not-a-package"):
        add_package(tmp_path / "nowhere.tgz", tmp_path / "definitions")


@pytest.mark.parametrize("limit", ["MOST_ARCHIVE", "MOST_UNPACKED", "MOST_MEMBER", "MOST_MEMBERS"])
def test_what_is_too_large(limit: str, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, limit, 3)
    with pytest.raises(DefinitionError, match="definitions-too-large"):
        add_package(pack(whole()), tmp_path / "definitions")
