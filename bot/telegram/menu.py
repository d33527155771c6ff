"""The commands Telegram offers beside the text field, in each language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from telegram import BotCommand, BotCommandScope, BotCommandScopeChat, BotCommandScopeDefault

from bot.conversation.commands import MENU
from bot.conversation.texts import Texts

_OWNERS: Mapping[str, Mapping[str, str]] = {
    "id": {
        "saldo": "menu.balance",
        "kasus": "menu.cases",
        "daftar": "menu.lists",
        "rute": "menu.routes",
        "cocok": "menu.matches",
        "harga": "menu.prices",
        "tautan": "menu.links",
        "buku": "menu.ledger",
        "catat": "menu.entry",
    },
    "en": {
        "balance": "menu.balance",
        "cases": "menu.cases",
        "lists": "menu.lists",
        "route": "menu.routes",
        "match": "menu.matches",
        "price": "menu.prices",
        "link": "menu.links",
        "ledger": "menu.ledger",
        "catat": "menu.entry",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """One list of commands; an empty ``language`` is every language without a list of its own."""

    commands: Sequence[BotCommand]
    scope: BotCommandScope
    language: str


def menus(texts: Mapping[str, Texts], language: str, owners: Sequence[str]) -> Iterator[Menu]:
    """Give the lists for everybody and, longer ones, for each owner on Telegram.

    ``language`` is the shop's own: its list is shown where there is no better one. Telegram prefers
    a chat's list in any language to everybody's, so owners get every language too.
    """
    for name in MENU:
        code = "" if name == language else name
        customers = _commands(texts[name], MENU[name])
        yield Menu(commands=customers, scope=BotCommandScopeDefault(), language=code)
        for owner in owners:
            channel, _, number = owner.partition(":")
            if channel == "telegram" and number.isdigit():
                scope = BotCommandScopeChat(int(number))
                commands = _commands(texts[name], {**MENU[name], **_OWNERS[name]})
                yield Menu(commands=commands, scope=scope, language=code)


def _commands(texts: Texts, names: Mapping[str, str]) -> list[BotCommand]:
    return [BotCommand(name, texts(text_id)) for name, text_id in names.items()]
