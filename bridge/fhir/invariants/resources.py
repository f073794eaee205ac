"""Invariants of FHIR R4's resources."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.fhir.invariants import checks
from bridge.fhir.invariants.shapes import (
    Rule,
    Schema,
    both,
    coded,
    every,
    excludes,
    has,
    implies,
    lacks,
    needs,
    no_choice,
    some_choice,
    where,
)

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
ERROR = "entered-in-error"
NAMED: Schema = {"properties": {"name": {"pattern": "^[A-Z][A-Za-z0-9_]{0,254}$"}}}


def _first(kind: str, resource: str) -> Schema:
    """In a Bundle of this kind the first entry is such a resource."""
    entry = {
        "required": ["resource"],
        "properties": {"resource": {"properties": {"resourceType": {"const": resource}}}},
    }
    return implies(where("type", kind), {"required": ["entry"], "properties": {"entry": {"prefixItems": [entry]}}})


def _exactly(name: str, *kinds: str) -> Schema:
    """Entries have `name` in Bundles of these kinds and in no other."""
    return {"if": where("type", *kinds), "then": every("entry", has(name)), "else": every("entry", lacks(name))}


RULES: Mapping[str, Rule] = {
    "ait-1": Rule(
        "an allergy not entered in error has a clinical status",
        {"anyOf": [coded("verificationStatus", ALLERGY, ERROR), has("clinicalStatus")]},
    ),
    "ait-2": Rule(
        "an allergy entered in error has no clinical status",
        implies(coded("verificationStatus", ALLERGY, ERROR), lacks("clinicalStatus")),
    ),
    "bdl-1": Rule(
        "only search results and histories have a total", implies(has("total"), where("type", "searchset", "history"))
    ),
    "bdl-2": Rule(
        "only search results have entry.search",
        {"anyOf": [where("type", "searchset"), every("entry", lacks("search"))]},
    ),
    "bdl-3": Rule(
        "entries have a request in a batch, transaction or history, and only there",
        _exactly("request", "batch", "transaction", "history"),
    ),
    "bdl-4": Rule(
        "entries have a response in a batch, transaction or history answer, and only there",
        _exactly("response", "batch-response", "transaction-response", "history"),
    ),
    "bdl-5": Rule("an entry has a resource, a request or a response", has("resource", "request", "response")),
    "bdl-7": Rule(
        "a full URL comes once for each version",
        {"if": {"not": where("type", "history")}, "then": {"calls": "bdl-7"}},
        checks.distinct_urls,
    ),
    "bdl-8": Rule("a full URL names no version", {"properties": {"fullUrl": {"not": {"pattern": "/_history/"}}}}),
    "bdl-9": Rule(
        "a document has an identifier with system and value",
        implies(
            where("type", "document"),
            {"required": ["identifier"], "properties": {"identifier": {"required": ["system", "value"]}}},
        ),
    ),
    "bdl-10": Rule("a document has a timestamp", implies(where("type", "document"), has("timestamp"))),
    "bdl-11": Rule("a document begins with its Composition", _first("document", "Composition")),
    "bdl-12": Rule("a message begins with its MessageHeader", _first("message", "MessageHeader")),
    "cmd-0": Rule("a name can be used by programs", NAMED),
    "cmd-1": Rule(
        "a narrower or inexact mapping has a comment",
        implies(where("equivalence", "narrower", "inexact"), has("comment")),
    ),
    "cmd-2": Rule("a fixed mapping names its code", implies(where("mode", "fixed"), has("code"))),
    "cmd-3": Rule("a mapping by another map names it", implies(where("mode", "other-map"), has("url"))),
    "cmp-1": Rule("a section has text, entries or sections", has("text", "entry", "section")),
    "cmp-2": Rule("a section with entries has no reason for being empty", excludes("emptyReason", "entry")),
    "con-1": Rule("a stage has a summary or an assessment", has("summary", "assessment")),
    "con-2": Rule("evidence has a code or a detail", has("code", "detail")),
    "con-3": Rule(
        "a problem-list item not entered in error has a clinical status",
        {
            "anyOf": [
                has("clinicalStatus"),
                coded("verificationStatus", VERIFICATION, ERROR),
                {
                    "not": {
                        "required": ["category"],
                        "properties": {
                            "category": {
                                "contains": {
                                    "required": ["coding"],
                                    "properties": {"coding": {"contains": where("code", "problem-list-item")}},
                                }
                            }
                        },
                    }
                },
            ]
        },
    ),
    "con-4": Rule(
        "an abated condition is inactive, in remission or resolved",
        {"anyOf": [no_choice("abatement"), coded("clinicalStatus", CLINICAL, "resolved", "remission", "inactive")]},
    ),
    "con-5": Rule(
        "a condition entered in error has no clinical status",
        implies(coded("verificationStatus", VERIFICATION, ERROR), lacks("clinicalStatus")),
    ),
    "cpb-0": Rule("a name can be used by programs", NAMED),
    "cpb-1": Rule("a statement has rest, messaging or document", has("rest", "messaging", "document")),
    "cpb-2": Rule(
        "a statement has a description, software or implementation", has("description", "software", "implementation")
    ),
    "cpb-3": Rule(
        "only an instance has messaging endpoints",
        {"anyOf": [where("kind", "instance"), every("messaging", lacks("endpoint"))]},
    ),
    "cpb-7": Rule("a document profile and mode come once", {"calls": "cpb-7"}, checks.distinct_documents),
    "cpb-9": Rule("a resource type comes once", {"calls": "cpb-9"}, checks.distinct_types),
    "cpb-12": Rule("a search parameter comes once", {"calls": "cpb-12"}, checks.distinct_parameters),
    "cpb-14": Rule("an instance has an implementation", implies(where("kind", "instance"), has("implementation"))),
    "cpb-15": Rule(
        "a capability has software and no implementation",
        implies(where("kind", "capability"), both(has("software"), lacks("implementation"))),
    ),
    "cpb-16": Rule(
        "requirements have neither software nor implementation",
        implies(where("kind", "requirements"), lacks("software", "implementation")),
    ),
    "cpl-3": Rule("an activity has a detail or a reference, not both", excludes("detail", "reference")),
    "ctm-1": Rule(
        "onBehalfOf is for a Practitioner",
        implies(
            has("onBehalfOf"),
            {"properties": {"member": {"properties": {"reference": {"pattern": "(?:(?:^|/)Practitioner/|^#|^urn:)"}}}}},
        ),
    ),
    "gol-1": Rule("a target with a detail has a measure", {"anyOf": [no_choice("detail"), has("measure")]}),
    "imm-1": Rule("education has a document type or a reference", has("documentType", "reference")),
    "inv-1@Parameters.parameter": Rule(
        "a parameter has a value, a resource or parts, and one of them only",
        {
            "oneOf": [
                both(has("part"), no_choice("value"), lacks("resource")),
                both(lacks("part", "resource"), some_choice("value")),
                both(lacks("part"), has("resource"), no_choice("value")),
            ]
        },
    ),
    "inv-1@Task": Rule(
        "a task is not modified before it is authored",
        {"if": {"required": ["authoredOn", "lastModified"]}, "then": {"calls": "inv-1@Task"}},
        checks.task_times,
    ),
    "lst-1": Rule("a list with entries has no reason for being empty", excludes("emptyReason", "entry")),
    "lst-2": Rule(
        "only a list of changes has deleted entries",
        {"anyOf": [where("mode", "changes"), every("entry", lacks("deleted"))]},
    ),
    "lst-3": Rule(
        "only a working list has dates of entries", {"anyOf": [where("mode", "working"), every("entry", lacks("date"))]}
    ),
    "mdd-1": Rule(
        "a medication is not handed over before it is prepared",
        {"if": {"required": ["whenPrepared", "whenHandedOver"]}, "then": {"calls": "mdd-1"}},
        checks.dispense_times,
    ),
    "obs-3": Rule("a reference range has a limit or text", has("low", "high", "text")),
    "obs-6": Rule(
        "an observation with a value has no reason for its absence",
        {"dependentSchemas": {"dataAbsentReason": no_choice("value")}},
    ),
    "obs-7": Rule(
        "no component repeats the code of an observation with a value",
        {"if": {"required": ["component"], **some_choice("value")}, "then": {"calls": "obs-7"}},
        checks.unlike_components,
    ),
    "org-1": Rule("an organization has an identifier or a name", has("identifier", "name")),
    "org-2": Rule("an organization's address is never a home", {"properties": {"use": {"not": {"const": "home"}}}}),
    "org-3": Rule("an organization's telecom is never a home's", {"properties": {"use": {"not": {"const": "home"}}}}),
    "pat-1": Rule(
        "a contact has a name, telecom, address or organization", has("name", "telecom", "address", "organization")
    ),
    "ppc-1": Rule("a consent has a policy or a policy rule", has("policy", "policyRule")),
    "prr-1": Rule("order details come with a code", needs("orderDetail", "code")),
    "qrs-1": Rule("an item has answers or items, not both", excludes("answer", "item")),
    "sev-1": Rule("an entity has a name or a query, not both", excludes("name", "query")),
    "vsd-0": Rule("a name can be used by programs", NAMED),
    "vsd-1": Rule("an include names a system or value sets", has("valueSet", "system")),
    "vsd-2": Rule("concepts and filters come with their system", implies(has("concept", "filter"), has("system"))),
    "vsd-3": Rule("an include has concepts or filters, not both", excludes("concept", "filter")),
    "vsd-6": Rule("an expansion item has a code or a display", has("code", "display")),
    "vsd-9": Rule(
        "an expansion item without a code is abstract",
        {"anyOf": [has("code"), {"required": ["abstract"], "properties": {"abstract": {"const": True}}}]},
    ),
    "vsd-10": Rule("a code comes with its system", needs("code", "system")),
}
