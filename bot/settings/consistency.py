"""What settings say about each other: unknown names, contradictions, secrets in the wrong place."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bot.settings.addresses import leads_to_loopback
from bot.settings.problems import line_about, meant, shown
from bot.settings.table import BY_NAME, DEMO_KEY, LATER, NEEDED_BY, SECRET_NAMES, Texts
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
    if "APIGAMES_MERCHANT_ID" in texts and "APIGAMES_PRODUCTS" not in texts:
        yield "APIGAMES_PRODUCTS is not set: Apigames has no product list, so nothing of it is sold"
    yield from _unwise_payments(texts)


def _dangerous_keys(texts: Texts) -> Iterator[str]:
    yield from _shared_secrets(texts)
    for names in NEEDED_BY.values():
        for name in SECRET_NAMES.intersection(names):
            home = f"{name.partition('_')[0]}_URL"
            url = texts.get(home, BY_NAME[home].default)
            if DEMO_KEY in listed(texts.get(name, "")) and not leads_to_loopback(url):
                yield line_about(name, "is the key of the demo")


def _shared_secrets(texts: Texts) -> Iterator[str]:
    """Name secrets that are the same text: whoever is told one could speak as the other."""
    seen: dict[str, str] = {}
    for name in (name for name in BY_NAME if name in SECRET_NAMES):
        for part in listed(texts.get(name, "")):
            first = seen.setdefault(part, name)
            if first != name and part != DEMO_KEY:
                yield line_about(first, f"is the same as {name}")


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
    yield from _half_known(texts)


def _half_known(texts: Texts) -> Iterator[str]:
    """Name what a supplier still needs that was chosen, or that has a part of what it needs."""
    named = listed(texts.get("LAPAK_SUPPLIERS", ""))
    for slug, names in NEEDED_BY.items():
        missing = [name for name in names if name not in texts]
        there = next((name for name in names if name in texts), "")
        for name in missing:
            if slug in named:
                yield line_about("LAPAK_SUPPLIERS", f"{slug} needs {name}, which is not set")
            elif there:
                yield line_about(name, f"is not set, and {there} is")


def _not_for_sale(texts: Texts) -> Iterator[str]:
    if "TELEGRAM_TOKEN" not in texts:
        yield line_about(
            "TELEGRAM_TOKEN", "is not set, and there is no other way to reach the shop"
        )
    if not any(all(name in texts for name in names) for names in NEEDED_BY.values()):
        yield line_about(
            "ZULTOPUP_API_KEY", "is not set, and there is no other supplier to buy from"
        )


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
    named = listed(texts.get("LAPAK_SUPPLIERS", ""))
    if PaymentMethod.DEPOSIT in payments and named and "zultopup" not in named:
        yield line_about(
            "LAPAK_SUPPLIERS", "is without zultopup, and LAPAK_PAYMENTS has deposit in it"
        )
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
