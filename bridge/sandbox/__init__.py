"""EHRs shaped like the vendors', to try and to test against: FHIR R4 servers in memory, on 127.0.0.1, invented data.

    with sandbox.start("epic") as ehr:
        httpx.get(f"{ehr.base_url}/metadata")

What a vendor does is data (`shapes/`, each fact with its source and date). Nothing here knows who its clients are.
"""

from bridge.sandbox.clients import parse_client
from bridge.sandbox.ehr import Settings
from bridge.sandbox.faults import Plan, parse_plan
from bridge.sandbox.loading import ShapeError, names
from bridge.sandbox.server import Running, Sandbox, serve, start

__all__ = [
    "Plan",
    "Running",
    "Sandbox",
    "Settings",
    "ShapeError",
    "names",
    "parse_client",
    "parse_plan",
    "serve",
    "start",
]
