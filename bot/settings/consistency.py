"""What settings say about each other: unknown names, contradictions, secrets in the wrong place."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bot.settings.addresses import leads_to_loopback
from bot.settings.problems import line_about, meant, shown
from bot.settings.table import BY_NAME, DEMO_KEY, KEY_OF_SUPPLIER, LATER, SECRET_NAMES, Texts
from bot.settings.values import listed

_KNOWN: Final = (*BY_NAME, *LATER)
_PREFIXES: Final = tuple({f"{name.partition('_')[0]}_" for name in _KNOWN})


def unknown_names(environment: Iterable[str], written: Iterable[str]) -> list[str]:
    """Name what looks like a setting and is none; other programs' variables stay out of it."""
    candidates = {name for name in environment if name.startswith("LAPAK_")}
    candidates |= {name for name in written if name.upper().startswith(_PREFIXES)}
    return [
        f"{name if re.fullmatch('[A-Za-z0-9_]+', name) else shown(name)}: is not a setting"
        + (meant(name.upper(), _KNOWN) or "; .env.example lists every one")
        for name in sorted(candidates.difference(_KNOWN))
    ]


def holding_secrets(texts: Texts, *, at_least: int) -> frozenset[str]:
    """Name the settings that show the text of a secret one, if that is ``at_least`` so long."""
    secrets = {
        part
        for name in SECRET_NAMES & texts.keys()
        for part in listed(texts[name])
        if len(part) >= at_least
    }
    open_names = (BY_NAME.keys() & texts.keys()) - SECRET_NAMES
    return frozenset(
        name for name in open_names if any(secret in texts[name] for secret in secrets)
    )


def contradictions(texts: Texts, *, selling: bool) -> Iterator[str]:
    """Say what is missing or dangerous between settings, even if some of them are wrong."""
    yield from _dangerous_keys(texts)
    yield from _missing(texts)
    if selling:
        yield from _not_for_sale(texts)


def omissions(texts: Texts) -> Iterator[str]:
    """Say what is unwise, and no reason not to start."""
    owners = listed(texts.get("LAPAK_OWNERS", ""))
    if not owners:
        yield "LAPAK_OWNERS is not set: cases that need a person reach nobody"
    elif not any(owner.startswith("telegram:") for owner in owners):
        yield "LAPAK_OWNERS names no telegram: owner: cases that need a person reach nobody"
    if "LAPAK_SUPPORT" not in texts:
        yield "LAPAK_SUPPORT is not set: messages about trouble name nobody to turn to"
    if any(len(text) < 16 for text in listed(texts.get("TELEGRAM_WEBHOOK_SECRET", ""))):
        yield "TELEGRAM_WEBHOOK_SECRET is shorter than 16 characters: it may be guessed"
    own = {f"telegram:{t.partition(':')[0]}" for t in listed(texts.get("TELEGRAM_TOKEN", ""))}
    if own & set(owners):
        yield "LAPAK_OWNERS names the bot itself: write to the bot and use your own id"


def _dangerous_keys(texts: Texts) -> Iterator[str]:
    tokens, keys = (listed(texts.get(n, "")) for n in ("TELEGRAM_TOKEN", "ZULTOPUP_API_KEY"))
    if set(tokens) & set(keys):
        yield line_about("TELEGRAM_TOKEN", "is the same as ZULTOPUP_API_KEY")
    url = texts.get("ZULTOPUP_URL", BY_NAME["ZULTOPUP_URL"].default)
    if DEMO_KEY in keys and not leads_to_loopback(url):
        yield line_about("ZULTOPUP_API_KEY", "is the key of the demo")


def _missing(texts: Texts) -> Iterator[str]:
    if "ZULTOPUP_API_KEY" in texts and "ZULTOPUP_PHONE" not in texts:
        yield line_about(
            "ZULTOPUP_PHONE", "is not set, and ZulTopup takes no dropship order without it"
        )
    if texts.get("TELEGRAM_MODE", "").lower() == "webhook":
        for name in ("LAPAK_PUBLIC_URL", "TELEGRAM_WEBHOOK_SECRET"):
            if name not in texts:
                yield line_about(name, "is not set, and TELEGRAM_MODE=webhook needs it")
    for slug in listed(texts.get("LAPAK_SUPPLIERS", "")):
        key = KEY_OF_SUPPLIER.get(slug)
        if key and key not in texts:
            yield line_about("LAPAK_SUPPLIERS", f"{slug} needs {key}, which is not set")


_NEEDED_TO_SELL: Final = {
    "TELEGRAM_TOKEN": "is not set, and there is no other way to reach the shop",
    "ZULTOPUP_API_KEY": "is not set, and there is no other supplier to buy from",
}


def _not_for_sale(texts: Texts) -> Iterator[str]:
    for name, missing in _NEEDED_TO_SELL.items():
        if name not in texts:
            yield line_about(name, missing)
