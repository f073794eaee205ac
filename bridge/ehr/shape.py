"""Canonical parts as one EHR takes them, and what it would miss, found before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.documents.words import Words
from bridge.ehr.context import PROTECTED, ShapeContext, Shaped, digest, finding, identifiers, profiles
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.facts import VendorFacts
from bridge.ehr.fitting import fitted
from bridge.ehr.flowsheet import in_flowsheet
from bridge.ehr.note import choose_mime, document, roll_up
from bridge.ehr.references import person_of, rewrite
from bridge.ehr.requirements import missing
from bridge.model import Part, type_json

__all__ = ["ShapeContext", "Shaped", "choose_mime", "digest", "discrete", "document", "roll_up"]

OURS = "urn:dyad-bridge:"
NOTED = frozenset(
    {"CarePlan", "CareTeam", "Communication", "Condition", "Goal", "Observation", "ServiceRequest", "Task"}
)
"""Types with a `note`: there a notice stands with the resource itself."""
SINGLE_IDENTIFIER = ("QuestionnaireResponse",)
"""Types whose identifier is one, not a list: the delivery reference takes its place, for looking needs it."""


def discrete(part: Part, context: ShapeContext, siblings: Sequence[Part] = ()) -> Shaped:
    """One part as this EHR takes it: its patient, its references, our identifiers, without what is ours alone.

    `siblings` are the parts of the same record: what of them does not stand in the chart is named by its identifier.
    """
    source = part.resource
    dropped = {"id", "meta", *context.vendor.drops.value.get(part.type, ())}
    kept = {key: value for key, value in source.items() if key not in dropped}
    named = {
        f"{sibling.type}/{sibling.resource.get('id')}": next(iter(identifiers(sibling.resource)), None)
        for sibling in siblings
    }
    own = {key: value for key, value in named.items() if value}
    resource = rewrite(kept, f"Patient/{context.patient_id}", context.standing, own)
    delivery = {"system": SYSTEM, "value": context.reference}
    single = part.type in SINGLE_IDENTIFIER
    resource["identifier"] = delivery if single else [*identifiers(source), delivery]
    meta = _meta(source.get("meta", {}), context.vendor, part.type)
    if context.disclosure is not None:
        meta["security"] = [*meta.get("security", []), *PROTECTED]
        resource["note"] = [*resource.get("note", []), {"text": context.disclosure.note(Words(context.language))}]
    resource, fits = fitted(resource, part, context.vendor, update=context.update)
    resource, filed = in_flowsheet(resource, part, context)
    shaped = {"resourceType": part.type, **({"meta": meta} if meta else {}), **resource}
    findings = [*fits, *filed, *missing(shaped, context.vendor, part.name)]
    if context.disclosure is not None and (part.type not in NOTED or "note" in dropped):
        rule = "42 CFR §2.32 wants a notice with this, and this type has no place for it: send it as a document"
        findings.append(finding("ehr-part2", f"{part.type}.note", rule, part))
    if not person_of(source):
        findings.append(finding("ehr-subject", f"{part.type}.subject", "the part names no patient", part))
    return Shaped(shaped, tuple(findings))


def _meta(meta: type_json, vendor: VendorFacts, type: str) -> type_json:
    """Of our meta only what this vendor is sent; our labels never leave: a label can say what was withheld."""
    found = {key: meta[key] for key in vendor.meta.value if key in meta and key != "security"}
    if "profile" in found:
        found["profile"] = profiles(found["profile"], vendor)
    foreign = [label for label in meta.get("security", []) if not str(label.get("system", "")).startswith(OURS)]
    foreign += [dict(mark) for mark in vendor.marks.value.get(type, ())]
    return {**found, "security": foreign} if foreign else found
