"""The few operational settings that the environment may override, so that one project folder runs anywhere."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.errors import Problem
from bridge.settings.forms import Address
from bridge.settings.secret import CONTAINER_SECRETS


class Overrides(BaseSettings):
    """`BRIDGE_STORE`, `BRIDGE_HOST`, …; in a container also the file /run/secrets/bridge_store and its like."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", hide_input_in_errors=True, extra="ignore")

    store: str | None = None  # may carry a password: it is not in a file under version control
    host: str | None = None
    port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    url: Address | None = None
    workers: Annotated[int, Field(ge=1, le=64)] | None = None


class ContainerOverrides(Overrides):
    """The same where a container engine mounts secrets."""

    model_config = SettingsConfigDict(secrets_dir=CONTAINER_SECRETS)


def read_overrides(problems: list[Problem]) -> Overrides:
    """The overrides in force; `problems` grows by one for each that cannot be used."""
    try:
        return ContainerOverrides() if CONTAINER_SECRETS.is_dir() else Overrides()
    except ValidationError as error:
        problems += [
            Problem(
                "override-form", "does not have the right form", "environment", f"BRIDGE_{detail['loc'][0]}".upper()
            )
            for detail in error.errors(include_input=False, include_url=False)
        ]
        return Overrides.model_construct()
