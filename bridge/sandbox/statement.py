"""What the server says of itself: a CapabilityStatement and a SMART configuration, generated from the shape."""

from __future__ import annotations

from bridge.sandbox.ehr import Ehr
from bridge.sandbox.paths import Json

KINDS = {"_id": "token"}


def capability_statement(ehr: Ehr, base: str) -> Json:
    """The CapabilityStatement (FHIR 4.0.1): only what the vendor's own states, not what it merely documents."""
    shape = ehr.shape
    resources = [_resource(ehr, kind) for kind, row in shape.resources.items() if row.interactions]
    security: Json = {"description": "No login."}
    if ehr.bearer is not None:
        security = {"service": [{"text": "Static bearer token"}], "description": "A static bearer token is required."}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": shape.facts[shape.fact].seen.isoformat(),
        "publisher": "EHR sandbox",
        "kind": "instance",
        "software": dict(shape.software),
        "implementation": {
            "description": f"{shape.title} sandbox with invented data; not the vendor's product.",
            "url": base,
        },
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [{"mode": "server", "security": security, "resource": resources}],
        **({"instantiates": list(shape.instantiates)} if shape.instantiates else {}),
    }


def _resource(ehr: Ehr, kind: str) -> Json:
    row = ehr.shape.resources[kind]
    stated: Json = {"type": kind, "interaction": [{"code": code} for code in row.interactions]}
    if ehr.shape.conduct.versions.code:
        stated["versioning"] = ehr.shape.conduct.versions.code
    for name, value in (
        ("conditionalCreate", row.conditional_create),
        ("conditionalUpdate", row.conditional_update),
        ("updateCreate", row.update_create),
    ):
        if value is not None:
            stated[name] = value
    offered = ehr.searches[kind] if "search-type" in row.interactions else {}
    kinds = {name: parameter.kind if parameter else KINDS.get(name, "number") for name, parameter in offered.items()}
    if kinds:
        stated["searchParam"] = [{"name": name, "type": kinds[name]} for name in kinds]
    return stated


def smart_configuration() -> Json:
    """No token endpoint is here, so nothing of SMART is claimed."""
    return {"capabilities": [], "grant_types_supported": [], "token_endpoint_auth_methods_supported": []}
