"""The simulated suppliers that ``lapak demo`` and ``lapak simulate`` serve."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bot.settings.table import DEMO_KEY
from providers.simulators.apigames import ApigamesSimulator
from providers.simulators.control import Simulator
from providers.simulators.kiosgame import KiosgameSimulator
from providers.simulators.senpay import SenPaySimulator
from providers.simulators.zonegame import ZoneGameSimulator
from providers.simulators.zultopup import ZulTopupSimulator
from shop.time import Millis

BALANCE: Final = 2_000_000  # in whole rupiah, at each: every way to pay can be offered


def simulators_of(
    clock: Callable[[], Millis], folder: Path | None = None, callbacks: str = ""
) -> Sequence[Simulator]:
    """Return the five, with what they know from before.

    ``folder``: where they remember it; without one they forget. ``callbacks``: the address under
    which those who have one address for all callbacks bring them; each adds its name.
    """
    state = {slug: folder / f"{slug}.json" if folder else None for slug in _SLUGS}

    def address(slug: str) -> str:
        return f"{callbacks}/{slug}" if callbacks else ""

    return [
        ZulTopupSimulator(clock=clock, state=state["zultopup"], balance=BALANCE),
        ZoneGameSimulator(clock=clock, state=state["zonegame"], balance=BALANCE),
        SenPaySimulator(
            clock=clock,
            state=state["senpay"],
            balance=BALANCE,
            callback_url=address("senpay"),
            secret_key=DEMO_KEY,
        ),
        KiosgameSimulator(clock=clock, state=state["kiosgame"], balance=BALANCE),
        ApigamesSimulator(
            clock=clock,
            state=state["apigames"],
            balance=BALANCE,
            callback_url=address("apigames"),
            secret_key=DEMO_KEY,
        ),
    ]


_SLUGS: Final = ("zultopup", "zonegame", "senpay", "kiosgame", "apigames")


def products_csv() -> str:
    """Return the product list of the simulated Apigames, as its reseller would keep it."""
    return ApigamesSimulator(clock=lambda: 0, secret_key=DEMO_KEY).products_csv()
