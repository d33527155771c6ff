"""``lapak``: read the command line, do what it says, end with an honest exit code."""

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot import checking, running
from bot.logs import configure_logs
from bot.settings import Settings, SettingsError, read_settings
from storage.audit import audit
from storage.schema import Unusable
from webhook_server.app import CannotListen

DONE, WRONG_WORLD, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 the world, 2 usage or settings."""
    parsed = _parser().parse_args(arguments)
    try:
        return _COMMANDS[parsed.command](parsed)
    except SettingsError as error:
        for problem in error.problems:
            _complain(problem)
        return WRONG_USAGE
    except (Unusable, CannotListen) as error:
        _complain(str(error))
        return WRONG_WORLD
    except KeyboardInterrupt:
        return DONE


def _complain(line: str) -> None:
    sys.stderr.write(f"lapak: {line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lapak", description="A self-hosted chat shop for game top-ups."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="the whole shop on simulated suppliers, in the browser")
    demo.add_argument("--port", type=_port, help="default: 8080, or a free one if that is taken")
    demo.add_argument("--data", type=Path, help="keep the data here (default: forget it)")
    commands.add_parser("run", help="bot, web server and workers in one process")
    simulate = commands.add_parser("simulate", help="only the supplier simulators")
    simulate.add_argument("--port", type=_port, default=8090, help="default: 8090")
    commands.add_parser("check", help="what works, what does not, what to do about it")
    commands.add_parser("audit", help="check every invariant of the database")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)


def _settings(*, selling: bool = False) -> Settings:
    settings = read_settings(os.environ, Path(".env"), selling=selling)
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    return settings


def _demo(parsed: argparse.Namespace) -> int:
    running.demo(parsed.port, parsed.data)
    return DONE


def _run(_: argparse.Namespace) -> int:
    running.run(_settings(selling=True))
    return DONE


def _simulate(parsed: argparse.Namespace) -> int:
    configure_logs("INFO", "text", ())
    running.simulate(parsed.port)
    return DONE


def _check(_: argparse.Namespace) -> int:
    findings = checking.check(_settings())
    sys.stdout.write(f"{checking.table(findings)}\n")
    return DONE if checking.could_sell(findings) else WRONG_WORLD


def _audit(_: argparse.Namespace) -> int:
    path = _settings().database_path
    if not path.is_file():
        raise Unusable(f"{path}: there is no such database; set LAPAK_DATABASE_URL, or start once")
    try:
        broken = audit(path)
    except sqlite3.Error as error:
        raise Unusable(f"{path}: {error}") from error
    sys.stdout.write("\n".join(broken or ["Everything holds."]) + "\n")
    return WRONG_WORLD if broken else DONE


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "run": _run,
    "simulate": _simulate,
    "check": _check,
    "audit": _audit,
}

if __name__ == "__main__":
    sys.exit(main())
