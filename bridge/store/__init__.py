"""The ledger: what was accepted, what should stand in which chart, what stands there, and every step between."""
