"""``lapak``: read the command line, do what it says, end with an honest exit code."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot import checking, running, syncing
from bot.bootstrap import now
from bot.logs import configure_logs
from bot.roles import EVERY_ROLE, Role
from bot.settings import Settings, SettingsError, read_settings
from storage.address import SqliteFile
from storage.audit import audit
from storage.backup import backup
from storage.database import Unwritable
from storage.opening import migrate
from storage.schema import Unusable
from webhook_server.app import CannotListen

DONE, WRONG_WORLD, WRONG_USAGE = 0, 1, 2
_NO_ROLE = "set LAPAK_DATABASE_URL to one, or leave --role away"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 the world, 2 usage or settings."""
    parsed = _parser().parse_args(arguments)
    try:
        return _COMMANDS[parsed.command](parsed)
    except SettingsError as error:
        for problem in error.problems:
            _complain(problem)
        return WRONG_USAGE
    except (Unusable, Unwritable, CannotListen) as error:
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
    run = commands.add_parser("run", help="bot, web server and workers in one process")
    run.add_argument(
        "--role", type=Role, choices=list(Role), help="one part only (several need PostgreSQL)"
    )
    simulate = commands.add_parser("simulate", help="only the supplier simulators")
    simulate.add_argument("--port", type=_port, default=8090, help="default: 8090")
    commands.add_parser("check", help="what works, what does not, what to do about it")
    commands.add_parser("sync", help="fetch the price lists now, and say what changed")
    commands.add_parser("migrate", help="bring the database schema up to date")
    copy = commands.add_parser("backup", help="copy the SQLite database while the shop runs")
    copy.add_argument("file", type=Path, metavar="FILE", help="the copy; must not exist yet")
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


def _run(parsed: argparse.Namespace) -> int:
    settings = _settings(selling=True)
    roles = EVERY_ROLE if parsed.role is None else frozenset({parsed.role})
    if parsed.role is not None and isinstance(settings.database, SqliteFile):
        _complain(f"--role {parsed.role}: a shop of several processes needs PostgreSQL; {_NO_ROLE}")
        return WRONG_USAGE
    running.run(settings, roles)
    return DONE


def _migrate(_: argparse.Namespace) -> int:
    database = _settings().database
    sys.stdout.write(f"{database}: schema {migrate(database)}, up to date.\n")
    return DONE


def _simulate(parsed: argparse.Namespace) -> int:
    configure_logs("INFO", "text", ())
    running.simulate(parsed.port)
    return DONE


def _check(_: argparse.Namespace) -> int:
    findings = checking.check(_settings())
    sys.stdout.write(f"{checking.table(findings)}\n")
    return DONE if checking.could_sell(findings) else WRONG_WORLD


def _sync(_: argparse.Namespace) -> int:
    settings = _settings()
    # What went wrong is said once, in our own words.
    configure_logs("ERROR", settings.log_format, settings.secrets())
    wrong = syncing.sync(settings, _say)
    for line in wrong:
        _complain(line)
    return WRONG_WORLD if wrong else DONE


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"  # a terminal may know fewer letters than suppliers
    sys.stdout.write(f"{text}\n".encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _backup(parsed: argparse.Namespace) -> int:
    database = _settings().database
    if not isinstance(database, SqliteFile):
        _complain(f"lapak backup copies SQLite files; {database} is saved with pg_dump")
        return WRONG_USAGE
    copy = backup(database.path, parsed.file, now())
    sys.stdout.write(f"{copy.path}: {copy.orders} orders, {copy.bytes} bytes, checked.\n")
    return DONE


def _audit(_: argparse.Namespace) -> int:
    broken = audit(_settings().database)
    sys.stdout.write("\n".join(broken or ["Everything holds."]) + "\n")
    return WRONG_WORLD if broken else DONE


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "run": _run,
    "simulate": _simulate,
    "check": _check,
    "sync": _sync,
    "migrate": _migrate,
    "backup": _backup,
    "audit": _audit,
}

if __name__ == "__main__":
    sys.exit(main())
