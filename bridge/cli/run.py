"""The command put together, and what its ways to end mean: 0 done, 1 findings, 2 wrong use or configuration."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bridge import __version__, log
from bridge.cli import (
    access,
    capabilities,
    check,
    consents,
    demo,
    doctor,
    drafting,
    handoffs,
    held,
    init,
    keys,
    mappings,
    operate,
    practices,
    recalling,
    records,
    referrals,
    sandbox,
    sharing,
    show,
    tables,
    trying,
)
from bridge.errors import AccessError, BridgeError, ConfigError, DefinitionError

WRONG_USE = (ConfigError, AccessError, DefinitionError)
FAILED = 70
"""An error of the bridge itself (EX_SOFTWARE of sysexits.h); the three others are the command's own answers."""


def build() -> typer.Typer:
    """The command with its subcommands, in the order of a first day's work."""
    app = typer.Typer(
        help="Brings community agencies' records into primary-care charts, and the answers back.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they print local variables, and those hold people's data
        rich_markup_mode=None,
    )
    app.callback(result_callback=finish)(root)
    app.command("demo")(demo.demo)
    app.command("init")(init.init)
    app.command("draft")(drafting.drafted)
    app.command("try")(trying.attempt)
    app.command("check")(check.check)
    app.add_typer(mappings.app, name="mappings")
    app.add_typer(tables.app, name="tables")
    app.add_typer(mappings.definitions, name="definitions")
    app.command("capabilities")(capabilities.capabilities)
    app.command("doctor")(doctor.doctor)
    app.command("accept")(records.accept)
    app.add_typer(sharing.links, name="links")
    app.add_typer(consents.consents, name="consents")
    app.add_typer(referrals.referrals, name="referrals")
    app.command("serve")(operate.serve)
    app.command("work")(operate.work)
    app.command("status")(operate.status)
    app.command("record")(records.record)
    app.add_typer(held.app, name="held")
    app.add_typer(handoffs.app, name="handoffs")
    app.add_typer(practices.app, name="practices")
    app.add_typer(keys.app, name="keys")
    app.add_typer(access.app, name="access")
    app.command("recall")(recalling.recall)
    app.command("restored")(operate.restored)
    app.command("sandbox")(sandbox.sandbox)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    log.configure()
    try:
        build()(args=arguments, prog_name="bridge")
    except SystemExit as end:  # how the command line library ends, also where the words were wrong (2)
        return end.code if isinstance(end.code, int) else show.DONE
    except BridgeError as error:
        if "--json" in arguments:
            show.as_json({"problems": [problem.as_dict() for problem in error.problems]})
        show.problems(error.problems)
        return show.WRONG_USE if isinstance(error, WRONG_USE) else show.FINDINGS
    except Exception as error:  # noqa: BLE001 - the last place: whatever it is, its message may quote a record
        log.failure("command.failed", error)
        return FAILED
    return show.DONE


def finish(code: int | None, **options: object) -> None:
    """What a command returns is the exit code."""
    raise typer.Exit(code or show.DONE)


def show_version(asked: bool) -> None:
    """The version, and nothing else is done."""
    if asked:
        show.say(f"bridge {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=show_version)
    ] = False,
    log_form: Annotated[str, typer.Option("--log", envvar="BRIDGE_LOG", help="console or json.")] = "console",
    log_level: Annotated[str, typer.Option(envvar="BRIDGE_LOG_LEVEL", help="debug, info, warning, error.")] = "info",
) -> None:
    """What every command begins with: logging."""
    levels = logging.getLevelNamesMapping()
    if log_form not in ("console", "json") or log_level.upper() not in levels:
        raise typer.BadParameter("--log is console or json; --log-level is debug, info, warning or error")
    log.configure("json" if log_form == "json" else "console", levels[log_level.upper()])
