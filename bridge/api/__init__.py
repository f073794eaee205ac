"""The doors over HTTP: agencies' records in, health and metrics out."""
