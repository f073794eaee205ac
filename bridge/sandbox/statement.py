"""What the server says of itself: a CapabilityStatement and a SMART configuration, generated from the shape."""

from __future__ import annotations

from bridge.sandbox.ehr import Ehr
from bridge.sandbox.paths import Json
from bridge.sandbox.smart import PATH

KINDS = {"_id": "token"}


def capability_statement(ehr: Ehr, base: str) -> Json:
    """The CapabilityStatement (FHIR 4.0.1): only what the vendor's own states, not what it merely documents."""
    shape = ehr.shape
    resources = [_resource(ehr, kind) for kind, row in shape.resources.items() if row.interactions]
    security: Json = {"description": "No login."}
    if ehr.desk is not None:
        coding = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}
        security = {"service": [{"coding": [coding]}], "description": "SMART Backend Services."}
    elif ehr.bearer is not None:
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


def smart_configuration(ehr: Ehr, base: str) -> Json:
    """The SMART configuration; without registered clients there is no token endpoint, and nothing is claimed."""
    if ehr.desk is None:
        return {"capabilities": [], "grant_types_supported": [], "token_endpoint_auth_methods_supported": []}
    login = ehr.shape.login
    return {
        "token_endpoint": PATH if login.endpoint == "relative" else f"{base}/{PATH}",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": list(login.algorithms),
        "scopes_supported": ["openid", "fhirUser"],
        "capabilities": ["client-confidential-asymmetric", *login.permissions],
    }
