"""The label classes: what content can be, and what a consent can let leave."""

from __future__ import annotations

ORDINARY = "ordinary"
NARRATIVE = "narrative"
LOCATION = "violence-location"
SUBSTANCE_USE = "substance-use"
SCREENING_DONE = "screening-done"
"""That a caregiver's screening was done, its result discussed and a referral made: all that a child's chart may carry
of it, and only where the practice's `caregiver_screening` asks for it (R25)."""
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
        "counselling-notes",
        "screening-done",
    )
)
GRANTABLE = frozenset((ORDINARY, NARRATIVE, "caregiver-health", "substance-use", "violence-location", "child-welfare"))
"""What a consent can let leave. The other classes stay with the agency whatever anybody signs."""
SUPPRESSED = "suppressed"
"""What a safety flag adds to whatever tells where somebody is, and a child's chart to what is a caregiver's: no mapping
names it and nothing opens it."""
