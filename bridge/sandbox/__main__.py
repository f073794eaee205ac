"""`python -m bridge.sandbox SHAPE [--port N]`: one sandbox in the foreground, until SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from bridge.sandbox import Plan, Running, ShapeError, names, parse_client, parse_plan, serve


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 stopped as asked, 2 wrong use. Prints `READY` and the FHIR base once it answers."""
    parser = argparse.ArgumentParser(
        prog="python -m bridge.sandbox", description="An EHR to try against, with invented data."
    )
    parser.add_argument("shape", help=f"{', '.join(names())}, or a file")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--bearer-env", metavar="NAME", help="environment variable with the token clients must send")
    parser.add_argument(
        "--visibility-delay", type=float, default=0.0, metavar="SECONDS", help="until searches see a write"
    )
    parser.add_argument(
        "--faults", type=_plan, metavar="SEED:RATE[:FAULT=WEIGHT[/SECONDS],...]", help="a seeded schedule of faults"
    )
    parser.add_argument(
        "--site", type=_site, action="append", default=[], metavar="NAME=JSON", help="a value the site decides"
    )
    parser.add_argument(
        "--smart", type=_client, action="append", default=[], metavar="CLIENT=JWKS_URL", help="a client that signs in"
    )
    chosen = parser.parse_args(arguments)
    bearer = os.environ.get(chosen.bearer_env) if chosen.bearer_env else None
    if chosen.bearer_env and not bearer:
        parser.error(f"the environment variable {chosen.bearer_env} is empty")
    try:
        serve(
            chosen.shape,
            chosen.port,
            bearer=bearer,
            visibility_delay=chosen.visibility_delay,
            site=dict(chosen.site),
            faults=chosen.faults,
            smart=dict(chosen.smart),
            ready=_announce,
        )
    except (ShapeError, OSError) as error:
        parser.error(str(error))
    return 0


def _announce(running: Running) -> None:
    sys.stdout.write(f"READY {running.base_url}\n")
    sys.stdout.flush()


def _plan(text: str) -> Plan:
    try:
        return parse_plan(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be seed:rate or seed:rate:fault=weight,...") from None


def _client(text: str) -> tuple[str, str]:
    try:
        return parse_client(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be client=URL") from None


def _site(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError("must be name=JSON") from None


if __name__ == "__main__":
    sys.exit(main())
