"""P3: how many things people do in their chats a second, each until they see the next view.

A hundred and fifty people browse: they start, look at a game, go back, look at another one. Each
acts again as soon as the answer is there. The shop is a whole ``lapak run`` on a SQLite file, every
commit synced; only Telegram's flood limits are lifted, which the baseline does not know either.

The baseline is python-telegram-bot's echo bot, fed with the very same updates by the same Bot API:
it stores nothing and answers each with one message, so it shows what the library takes, whatever a
bot has to say. Either has one core to itself; the Bot API and the people are on another one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import shop
from benchmarks.children import Child, child, cpu_seconds, two_cores
from benchmarks.measuring import Measured, Say, ratio_at_least
from tests.fakes.process import answers, free_port

CHATS = 150
UPDATES = 4  # of each chat in a round
_WARMING_UP = 20  # chats
_WITHIN = 150.0
_ECHO_TOKEN = "654321:echo-token-AAAAAAAAAAAAAAAAA"
_TOO_BUSY = 0.85  # of its core: from here on the load might be what is measured
_WAYS = {"by buttons": (), "by typing": ("mobile legends", "/start", "free fire", "/start")}


class LoadTooSlow(Exception):
    """The process that plays Telegram was as busy as what it measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Street:
    """The world outside, and the two bots that are served by it."""

    outside: Child
    shop: Child
    echo: Child


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Updates a second; how busy the bot was, and the process that played Telegram."""

    rate: float
    bot: float
    outside: float


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Let people browse by buttons and by typing, with the shop and with the echo bot."""
    rows: list[Measured] = []
    async with _opened_street() as street:
        for way, words in _WAYS.items():
            await _pair(street, words, chats=_WARMING_UP)
            pairs = [await _pair(street, words, chats=CHATS) for _ in range(rounds)]
            _judge_load(pairs, way, say)
            rows += _rows(pairs, f"chat update to next view, browsing {way}")
    return rows


def _rows(pairs: Sequence[tuple[_Round, _Round]], what: str) -> Sequence[Measured]:
    """Return a row by the clock, and one by processor time, which neighbours disturb less."""
    beside = f"python-telegram-bot {version('python-telegram-bot')}"
    return [
        Measured(
            what=what,
            unit="updates/s",
            figures=[ours.rate for ours, _ in pairs],
            baselines=[echo.rate for _, echo in pairs],
            goals=(ratio_at_least(0.5),),
            beside=beside,
        ),
        Measured(
            what=f"{what}, a second of processor time",
            unit="updates/s",
            figures=[ours.rate / ours.bot for ours, _ in pairs],
            baselines=[echo.rate / echo.bot for _, echo in pairs],
            goals=(ratio_at_least(0.5),),
            beside=beside,
        ),
    ]


def _judge_load(pairs: Sequence[tuple[_Round, _Round]], way: str, say: Say) -> None:
    """Say what the cores did. Raises ``LoadTooSlow``."""
    busiest = max(each.outside for pair in pairs for each in pair)
    ours, echo = (sum(pair[nth].bot for pair in pairs) / len(pairs) for nth in (0, 1))
    say(f"{way}: the shop used {ours:.0%} of its core, the echo bot {echo:.0%}")
    say(f"{way}: Telegram and the people used at most {busiest:.0%} of theirs")
    if busiest > _TOO_BUSY:
        raise LoadTooSlow(f"{busiest:.0%} of a core")


@asynccontextmanager
async def _opened_street() -> AsyncIterator[_Street]:
    ours, others = two_cores()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        outside = await stack.enter_async_context(child("benchmarks.outside", cores=others))
        port, http = (await outside.said(_WITHIN))["port"], free_port()
        settings = shop.environment(
            outside=port, database=f"sqlite:///{Path(folder, 'lapak.db')}", port=http
        )
        selling = await stack.enter_async_context(
            child("benchmarks.shop", cores=ours, environment=settings)
        )
        echo = await stack.enter_async_context(
            child("benchmarks.echo_bot", _ECHO_TOKEN, f"http://127.0.0.1:{port}", cores=ours)
        )
        await answers(f"http://127.0.0.1:{http}/readyz")
        yield _Street(outside=outside, shop=selling, echo=echo)


async def _pair(street: _Street, words: Sequence[str], *, chats: int) -> tuple[_Round, _Round]:
    """Return what the shop does, and what the echo bot does with the same updates."""
    play = {"play": shop.TOKEN, "chats": chats, "updates": UPDATES, "words": words}
    ours = await _round(street, street.shop, play)
    return ours, await _round(street, street.echo, {"repeat": _ECHO_TOKEN})


async def _round(street: _Street, bot: Child, question: Mapping[str, Any]) -> _Round:
    used = cpu_seconds(bot.pid)
    found = await street.outside.asked(question, _WITHIN)
    used = cpu_seconds(bot.pid) - used
    return _Round(
        rate=found["updates"] / found["seconds"],
        bot=used / found["seconds"],
        outside=found["busy"],
    )
