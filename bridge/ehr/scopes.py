"""The scopes a connection's login asks for: the smallest set that what the line does there needs.

Only settings and the vendor's facts decide, not the server's statement: what an EHR's team registered for us must not
change with it. Source: SMART App Launch 2.2, scopes-and-launch-context.md (repository HL7/smart-app-launch, seen
2024-05): letters in the order c r u d s; `.read` is r and s, `.write` is c, u and d.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.ehr.facts import VendorFacts
from bridge.model import Interaction
from bridge.settings import Practice

LETTERS = {Interaction.CREATE: "c", Interaction.READ: "r", Interaction.UPDATE: "u", Interaction.SEARCH: "s"}
ORDER = "cruds"
DOCUMENT, PATIENT = "DocumentReference", "Patient"


def needed(practices: Iterable[Practice], vendor: VendorFacts) -> dict[str, str]:
    """FHIR type → letters, in order: a patient is looked for, documents and what a site enabled are written, looked
    for after a lost answer, and read before they are corrected or taken back.
    """
    enabled = {type for practice in practices for type in practice.asked}
    written = {DOCUMENT, *enabled}
    found = {PATIENT: "rs"}
    for type in sorted(written):
        letters = _writing(type, vendor, type in enabled)
        if letters:
            found[type] = letters
    return found


def _writing(type: str, vendor: VendorFacts, enabled: bool) -> str:
    forbidden = vendor.forbidden.value.get(type, {})
    documented = vendor.documented.value.get(type)
    if documented is not None and not enabled:
        return ""  # open only where the site says so
    wanted = {Interaction.CREATE, Interaction.SEARCH}
    if "update" in (vendor.correction.value, vendor.retraction.value):
        wanted |= {Interaction.UPDATE, Interaction.READ}
    wanted -= set(forbidden)
    if not wanted & {Interaction.CREATE, Interaction.UPDATE}:
        return ""
    return "".join(sorted((LETTERS[one] for one in wanted), key=ORDER.index))


def written(needs: dict[str, str], version: str) -> str:
    """The scopes in words, as version `v1` or `v2` of SMART writes them, in order of type."""
    tokens = []
    for type, letters in sorted(needs.items()):
        if version == "v2":
            tokens.append(f"system/{type}.{letters}")
            continue
        tokens += [f"system/{type}.read"] if set("rs") & set(letters) else []
        tokens += [f"system/{type}.write"] if set("cud") & set(letters) else []
    return " ".join(tokens)


def asked(practices: Iterable[Practice], vendor: VendorFacts) -> tuple[str, str]:
    """What is asked for of a server that reads v1, and of one that reads v2; "" where this vendor needs none."""
    if vendor.login.scope.value == "optional":
        return "", ""
    needs, form = needed(practices, vendor), vendor.login.scopes.value
    v1, v2 = written(needs, "v1"), written(needs, "v2")
    return {"stated": (v1, v2), "v1": (v1, v1), "v2": (v2, v2)}[form]
