"""FHIR the standard: definitions, validation, the HTTP client and its sign-in. What one vendor does lives in `ehr`."""
