"""What settings say about each other: unknown names, contradictions, secrets in the wrong place."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bot.settings.addresses import leads_to_loopback
from bot.settings.problems import line_about, meant, shown
from bot.settings.table import BY_NAME, DEMO_KEY, KEY_OF_SUPPLIER, LATER, SECRET_NAMES, Texts
from bot.settings.values import listed
from shop.payments import PaymentMethod, Refunds
from shop.qris import MOST_PER_PAYMENT

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
    yield from _unpayable(texts)
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
    yield from _unwise_payments(texts)


def _dangerous_keys(texts: Texts) -> Iterator[str]:
    tokens, keys = (listed(texts.get(n, "")) for n in ("TELEGRAM_TOKEN", "ZULTOPUP_API_KEY"))
    if set(tokens) & set(keys):
        yield line_about("TELEGRAM_TOKEN", "is the same as ZULTOPUP_API_KEY")
    url = texts.get("ZULTOPUP_URL", BY_NAME["ZULTOPUP_URL"].default)
    if DEMO_KEY in keys and not leads_to_loopback(url):
        yield line_about("ZULTOPUP_API_KEY", "is the key of the demo")


def _missing(texts: Texts) -> Iterator[str]:
    dropship = PaymentMethod.DROPSHIP in _payments(texts)
    if dropship and "ZULTOPUP_API_KEY" in texts and "ZULTOPUP_PHONE" not in texts:
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


# --- how customers pay ---


def _said(texts: Texts, name: str) -> str:
    return texts.get(name, BY_NAME[name].default)


def _payments(texts: Texts) -> frozenset[str]:
    return frozenset(word.lower() for word in listed(_said(texts, "LAPAK_PAYMENTS")))


_NEEDED_TO_BE_PAID: Final = (
    (PaymentMethod.QRIS, "LAPAK_QRIS_PAYLOAD"),
    (PaymentMethod.DEPOSIT, "ZULTOPUP_API_KEY"),
)


def _unpayable(texts: Texts) -> Iterator[str]:
    payments = _payments(texts)
    for method, name in _NEEDED_TO_BE_PAID:
        if method in payments and name not in texts:
            yield line_about(name, f"is not set, and LAPAK_PAYMENTS has {method} in it")
    least, most = (_said(texts, name) for name in ("LAPAK_WALLET_MIN", "LAPAK_WALLET_MAX"))
    if re.fullmatch(r"[0-9]{1,8} [0-9]{1,8}", f"{least} {most}") and (
        1 <= int(most) < int(least) <= MOST_PER_PAYMENT
    ):
        yield line_about("LAPAK_WALLET_MAX", f"{most} is below LAPAK_WALLET_MIN, which is {least}")


_NO_CASH: Final = (
    "LAPAK_PAYMENTS has deposit in it: what customers pay that way becomes your ZulTopup balance, "
    "which buys goods and is not paid out"
)
_NO_WALLET: Final = (
    "LAPAK_REFUNDS is wallet and LAPAK_PAYMENTS is without wallet: refunded customers cannot spend "
    "their credit; offer wallet, or set LAPAK_REFUNDS=manual"
)


def _unwise_payments(texts: Texts) -> Iterator[str]:
    payments = _payments(texts)
    if PaymentMethod.DEPOSIT in payments:
        yield _NO_CASH
    if "LAPAK_QRIS_PAYLOAD" in texts and PaymentMethod.QRIS not in payments:
        yield "LAPAK_QRIS_PAYLOAD has no effect: LAPAK_PAYMENTS is without qris"
    # Dropship alone is refunded by hand, so there is no credit to be spent.
    prepaid = payments & {PaymentMethod.DEPOSIT, PaymentMethod.QRIS}
    to_wallet = _said(texts, "LAPAK_REFUNDS").lower() == Refunds.WALLET
    if prepaid and to_wallet and PaymentMethod.WALLET not in payments:
        yield _NO_WALLET
