"""Names that the package knows: packs, vendors, and the FHIR types a site can enable."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.resources import files

from bridge.errors import Problem
from bridge.settings.tree import Tree, texts
from bridge.settings.words import nearest

DISCRETE = (
    "CarePlan",
    "CareTeam",
    "Communication",
    "Condition",
    "DocumentReference",  # where the vendor documents it and a site must switch it on (eClinicalWorks)
    "Encounter",
    "Goal",
    "Observation",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Task",
)
"""Types a site may ask for beside documents. Patient is not among them: the bridge never creates one."""


def known_vendors() -> frozenset[str]:
    """The vendors whose facts the package carries."""
    folder = files("bridge").joinpath("ehr", "vendors")
    return frozenset(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def known_packs() -> frozenset[str]:
    """The mapping packs the package carries."""
    folder = files("bridge").joinpath("mappings", "packs")
    return frozenset(item.name for item in folder.iterdir() if item.joinpath("pack.yaml").is_file())


def names(tree: Tree, own: Collection[str]) -> Iterator[Problem]:
    """Packs, vendors (the project's `own` among them) and FHIR types that are named are known."""
    packs, vendors = known_packs(), known_vendors().union(own)
    for index, pack in texts(tree.root, "packs"):
        if pack not in packs:
            yield tree.problem("unknown-name", ("packs", index), "no mapping pack has this name", nearest(pack, packs))
    for connection, item in tree.items("connections").items():
        path = ("connections", connection, "vendor")
        vendor = item.get("vendor")
        if isinstance(vendor, str) and vendor not in vendors:
            yield tree.problem("unknown-name", path, "no vendor has this name", nearest(vendor, vendors))
    for practice, item in tree.items("practices").items():
        for index, name in texts(item, "enable"):
            place = ("practices", practice, "enable", index)
            if name not in DISCRETE:
                yield tree.problem("unknown-name", place, "is not a type a site can enable", nearest(name, DISCRETE))
