"""The `bridge` command. One module a theme; `run` puts them together and decides the exit code."""

from bridge.cli.run import main

__all__ = ["main"]
