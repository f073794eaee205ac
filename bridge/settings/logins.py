"""What `login` and `tls` of a connection may say."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bridge.settings.forms import Endpoint, NotLiteral, wrong
from bridge.settings.login import Algorithm
from bridge.settings.section import SecretField, Section

PLACE = "{ file: secrets/NAME } or { env: NAME }"
KINDS = ("bearer", "smart", "client_secret", "basic")
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # scope-token of RFC 6749 §3.3
_SYSTEM = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|(?=[cruds])c?r?u?d?s?)(\?\S+)?")
_PERSONAL = ("patient/", "user/", "launch", "openid", "fhirUser", "offline_access", "online_access")


def _scope(value: str) -> str:
    if value == "omit":
        return ""
    tokens = value.split()
    if not tokens:
        raise wrong("scope-form", "may not be empty", "leave it out to have it computed, or write omit to send none")
    for token in tokens:
        if token.startswith(_PERSONAL) or not _TOKEN.fullmatch(token):
            raise wrong(
                "scope-form",
                "asks for what a system that nobody signs in to cannot have",
                "write scopes like system/DocumentReference.crus, with a blank between them",
            )
        if token.startswith("system/") and not _SYSTEM.fullmatch(token):
            raise wrong(
                "scope-form",
                "is not a SMART scope",
                "write the letters in the order c r u d s (system/DocumentReference.crus), or .read and .write",
            )
    return " ".join(tokens)


Scope = Annotated[str, AfterValidator(_scope)]
ClientId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]
Path = Annotated[str, Field(min_length=1)]


class SmartIn(Section):
    """SMART Backend Services: our key signs, the EHR reads our published key set."""

    client_id: ClientId = Field(description="the id the EHR gave this client, in quotes where it is a number")
    scope: Scope | None = Field(default=None, description="scopes with a blank between them, or omit")
    token_url: Endpoint | None = Field(default=None, description="the token endpoint, where the EHR does not state it")
    algorithm: Algorithm | None = Field(default=None, description="ES384 or RS384")


class ClientSecretIn(Section):
    """OAuth 2.0 client credentials with a shared secret."""

    client_id: ClientId = Field(description="the id the EHR gave this client, in quotes where it is a number")
    secret: SecretField = Field(description=PLACE)
    method: Literal["basic", "post"] = Field(default="basic", description="basic or post")
    scope: Scope | None = Field(default=None, description="scopes with a blank between them, or omit")
    token_url: Endpoint | None = Field(default=None, description="the token endpoint, where the EHR does not state it")


class BasicIn(Section):
    """HTTP Basic (RFC 7617)."""

    user: str = Field(min_length=1, pattern=r"^[^:\x00-\x1f]+$", description="the user's name, without a colon")
    password: SecretField = Field(description=PLACE)


class LoginIn(Section):
    """How a connection signs in: one of these."""

    bearer: SecretField | None = Field(default=None, description=PLACE)
    smart: SmartIn | None = Field(default=None, description="{ client_id: … }")
    client_secret: ClientSecretIn | None = Field(default=None, description=f"{{ client_id: …, secret: {PLACE} }}")
    basic: BasicIn | None = Field(default=None, description=f"{{ user: …, password: {PLACE} }}")

    @model_validator(mode="after")
    def _one(self) -> LoginIn:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise wrong("login-form", "must be one kind of login", f"write none, or one of {', '.join(KINDS)}")
        return self


class KeyFile(Section):
    """A private key for TLS: a file, because that is what TLS libraries read."""

    file: Path = Field(description="a path, relative to the project folder")


def _file_alone(value: object) -> object:
    if isinstance(value, dict) and "env" in value:
        raise wrong("tls-form", "must be a file", "write { file: secrets/NAME }")
    return value


class TlsIn(Section):
    """Certificates of a connection beyond what the machine trusts."""

    ca: Path | None = Field(default=None, description="a PEM file, relative to the project folder")
    certificate: Path | None = Field(default=None, description="a PEM file, relative to the project folder")
    key: Annotated[KeyFile | None, BeforeValidator(_file_alone), NotLiteral] = Field(
        default=None, description="{ file: secrets/NAME }"
    )

    @model_validator(mode="after")
    def _pair(self) -> TlsIn:
        if (self.certificate is None) != (self.key is None):
            raise wrong("tls-form", "needs certificate and key together", "write both, or leave both out")
        if self.ca is None and self.certificate is None:
            raise wrong("tls-form", "says nothing", "write ca, or certificate and key, or leave tls out")
        return self
