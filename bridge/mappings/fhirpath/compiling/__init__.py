"""Expressions to Python source."""
