"""What every section of `bridge.yaml` is: closed, frozen, and naming secrets instead of holding them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.settings.forms import NotLiteral, wrong


class Section(BaseModel):
    """Unknown keys are refused and inputs are never echoed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SecretRef(Section):
    """Where a secret is kept: one place."""

    env: str | None = Field(default=None, min_length=1, description="the name of an environment variable")
    file: str | None = Field(default=None, min_length=1, description="a path, relative to the project folder")

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if (self.env is None) == (self.file is None):
            raise wrong("secret-form", "must name one place", "write either { file: secrets/NAME } or { env: NAME }")
        return self


SecretField = Annotated[SecretRef, NotLiteral]
