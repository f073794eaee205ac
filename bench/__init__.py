"""Measurements: what the README's figures come from. Each prints a table and says when it measured something else."""
