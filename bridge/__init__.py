"""Dyad Bridge: community agencies' records into primary-care charts as FHIR, and answers back."""

__version__ = "0.1.0"
