"""The label classes: what content can be, and what a consent can let leave."""

from __future__ import annotations

ORDINARY = "ordinary"
NARRATIVE = "narrative"
CLASSES = frozenset(
    (
        ORDINARY,
        NARRATIVE,
        "caregiver-health",
        "substance-use",
        "violence-location",
        "child-welfare",
        "legal",
        "third-party",
        "supervision",
    )
)
GRANTABLE = frozenset((ORDINARY, NARRATIVE, "caregiver-health", "substance-use", "violence-location", "child-welfare"))
"""What a consent can let leave. The other classes stay with the agency whatever anybody signs."""
