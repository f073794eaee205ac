"""The doors over HTTP, over a real ledger."""
