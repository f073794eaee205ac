"""The pages, over a real ledger."""
