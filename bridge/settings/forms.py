"""The forms single values must have, as types that pydantic checks; each error says what to write instead."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

DURATION = re.compile(r"(\d{1,6})(s|m|h)")
LONGEST_HOLD_BACK = 3 * 86_400
EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")


def wrong(code: str, rule: str, next_step: str) -> PydanticCustomError:
    """An error of ours inside pydantic; `words.problem` makes it a Problem."""
    return PydanticCustomError(code, "{rule}", {"rule": rule, "next_step": next_step})


def _email(value: str) -> str:
    if not EMAIL.fullmatch(value):
        raise wrong("email-form", "is not an e-mail address", "write it as name@site.example")
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise wrong("timezone-unknown", "is not a time zone", "use a name like America/New_York") from None
    return value


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong(
            "address-form", "is not an http(s) address", "write it in full, for example https://ehr.example/fhir/r4"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise wrong(
            "address-form", "carries a login, query or fragment", "write the address alone; a login goes under `login`"
        )
    return value


def _address(value: str) -> str:
    return _endpoint(value).rstrip("/")


def _no_literal(value: Any) -> Any:
    if isinstance(value, str | int | float):
        raise wrong(
            "secret-literal", "a secret may not stand in this file", "write { file: secrets/NAME } or { env: NAME }"
        )
    return value


def _login(value: Any) -> Any:
    if value == "none":
        return None
    if value is None or isinstance(value, str):
        raise wrong(
            "login-unknown",
            "is not a kind of login",
            "write none, or { bearer: … }, { smart: … }, { client_secret: … } or { basic: … }",
        )
    return value


def _hold_back(value: Any) -> Any:
    """One length for every kind, or one for each: seconds by kind, "" for the others."""
    found = {str(kind): _seconds(length) for kind, length in value.items()} if isinstance(value, dict) else None
    if found is None:
        return {"": _seconds(value)}
    return {("" if kind == "other" else kind): seconds for kind, seconds in found.items()}


def _seconds(value: Any) -> int:
    said = DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = int(said[1]) * {"s": 1, "m": 60, "h": 3600}[said[2]] if said is not None else -1
    if not 0 <= seconds <= LONGEST_HOLD_BACK:
        raise wrong("duration-form", "is not a length of time up to three days", "write it like 10m, 45s or 2h")
    return seconds


def _store(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("sqlite", "postgresql"):
        raise wrong(
            "store-form", "is not a ledger address", "write sqlite:///ledger.sqlite or postgresql://host/database"
        )
    if parts.password:
        raise wrong(
            "secret-literal", "an address with a password is a secret", "write { file: secrets/NAME } or { env: NAME }"
        )
    return {"url": value}


Email = Annotated[
    str, AfterValidator(_email), Field(description="an address somebody reads, for example lee@practice.example")
]
Timezone = Annotated[
    str, AfterValidator(_timezone), Field(description="the zone its days are in, for example America/New_York")
]
Language = Annotated[
    str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="a language tag, for example en or es")
]
QuietHours = Annotated[
    str,
    Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="from and until, for example '12:00-13:00' or '22:00-06:00'",
    ),
]
"""Hours of a practice's day in which nothing is sent, the end exclusive."""

Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""An address that is used letter by letter, a slash at its end too."""

Address = Annotated[str, AfterValidator(_address)]
Name = Annotated[str, Field(min_length=1, max_length=200, description="the name people see")]
NotLiteral = BeforeValidator(_no_literal)
HoldBack = Annotated[dict[str, int], BeforeValidator(_hold_back)]
LoginForm = BeforeValidator(_login)
StoreForm = BeforeValidator(_store)
