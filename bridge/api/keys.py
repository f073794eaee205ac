"""`/.well-known/jwks/…`: the public halves of our signing keys, for the EHRs that check our logins."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from bridge.fhir.keyset import MAX_AGE, key_set
from bridge.moves import signing
from bridge.moves.line import Line
from bridge.settings import Project

KINDS = ("test", "production")
PATH = "/.well-known/jwks/{kind}.json"


def address(project: Project, kind: str) -> str:
    """Where EHRs read the keys of this kind."""
    server = project.server
    return (server.url or f"http://{server.host}:{server.port}") + PATH.format(kind=kind)


def router(line: Line) -> APIRouter:
    """The key sets as the ledger has them now, so that every process shows the same."""
    routes = APIRouter()

    @routes.get(PATH)
    def keys(kind: str, if_none_match: Annotated[str, Header()] = "") -> Response:
        """The JWK Set of one kind; without keys an empty one."""
        if kind not in KINDS:
            return Response(status_code=404)
        body = key_set(signing.keys(line.ledger), kind)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"Cache-Control": f"public, max-age={MAX_AGE}", "ETag": tag}
        if tag in (given.strip().removeprefix("W/") for given in if_none_match.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/jwk-set+json")

    return routes
