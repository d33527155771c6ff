"""Every sentence of the shop: there in both languages, used, complete, and kind."""

import ast
import re
import string
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from bot.conversation.commands import MENU
from bot.conversation.texts import LANGUAGES
from bot.conversation.views import Command, Started, read_text
from bot.owner.desk import OwnersDesk
from shop.cases import Answer, CaseKind
from shop.orders import CASH, CREDIT, Status
from shop.suppliers import Why
from tests.bot.conversation.parlour import TEXTS

ROOT = Path(__file__).parents[3]
IDS = frozenset(TEXTS["id"].catalogue)
NAMESPACES = frozenset(text_id.partition(".")[0] for text_id in IDS if "." in text_id)
_TEXT_ID = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_FILES = (".js", ".css")  # names of files may look like text ids
# Whoever is called so and given a text id says that text.
_SAYERS = frozenset({"texts", "_texts", "say", "_plain", "_with_again"})
NEVER_SAID = frozenset({f"qr.pay.{CASH}"})  # cash is paid from the wallet
# What ``Letter.say`` puts in by itself.
_OF_A_LETTER = frozenset(
    [
        "order",
        "game",
        "item",
        "account",
        "price",
        "amount",
        "ends",
        "asked",
        "at",
        "until",
        "serial",
        "support",
    ]
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def sources() -> list[tuple[Path, ast.Module]]:
    files = [path for folder in ("bot", "shop") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert files
    return [(path, ast.parse(path.read_text("utf-8"))) for path in files]


SOURCES = sources()


def calls() -> Iterator[ast.Call]:
    trees = chain.from_iterable(ast.walk(tree) for _, tree in SOURCES)
    return (node for node in trees if isinstance(node, ast.Call))


def name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def logged() -> set[int]:
    """The string constants that are names of log events, by identity."""
    events = [
        call.args[0]
        for call in calls()
        if isinstance(call.func, ast.Attribute)
        and name_of(call.func.value) in {"log", "_log", "_LOG", "logger"}
        and call.args
    ]
    return {id(event) for event in events}


def constants() -> set[str]:
    """Every string constant in the sources that is no log event."""
    events = logged()
    return {
        node.value
        for _, tree in SOURCES
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in events
    }


def named() -> set[str]:
    """Every string constant in the sources that looks like a text id, or is one."""
    return {
        text
        for text in constants()
        if text in IDS or (_TEXT_ID.fullmatch(text) and not text.endswith(_FILES))
    }


def families() -> set[str]:
    """The patterns of ids put together at run time: ``word.{…}`` is ``word\\.[a-z_]+``."""
    found = set()
    for _, tree in SOURCES:
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr) or not isinstance(node.values[0], ast.Constant):
                continue
            head = str(node.values[0].value)
            if head.endswith(".") and head[:-1] in NAMESPACES:
                parts = [
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z_]+"
                    for part in node.values
                ]
                found.add("".join(parts))
    return found


def put_together() -> set[str]:
    """The ids of a family whose second half stands in the sources, dot and all."""
    heads = {family.partition("\\.")[0] for family in families()}
    return {f"{head}.{text}" for head in heads for text in constants() if "." in text}


def sold_by_the_shop() -> set[str]:
    """What ``about`` may say of credit and cash, where that differs from goods: ``id.credit``."""
    said = {
        call.args[0].value
        for call in calls()
        if name_of(call.func) == "about" and call.args and isinstance(call.args[0], ast.Constant)
    }
    return {f"{text_id}.{sku}" for text_id in said for sku in (CREDIT, CASH)}


def alerts() -> set[str]:
    """The values of ``"alert": …`` in the facts of notices, and what ``alert`` is called with.

    ``shop.health`` tells that a supplier is away, for every reason there is, and that it is back.
    """
    called = {
        call.args[0].value
        for call in calls()
        if name_of(call.func) == "alert" and call.args and isinstance(call.args[0], ast.Constant)
    }
    away = {f"away_{why}" for why in Why} | {"back"}
    return (
        called
        | away
        | {
            value.value
            for _, tree in SOURCES
            for node in ast.walk(tree)
            if isinstance(node, ast.Dict)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
            and key.value == "alert"
            and isinstance(value, ast.Constant)
        }
    )


def test_both_languages_say_the_same_things() -> None:
    assert set(TEXTS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(TEXTS[language].catalogue) == IDS


@pytest.mark.parametrize("text_id", sorted(IDS))
def test_both_languages_name_the_same_values(text_id: str) -> None:
    said = {language: TEXTS[language].catalogue[text_id] for language in LANGUAGES}
    assert all(text.strip() for text in said.values())
    assert placeholders(said["id"]) == placeholders(said["en"])


def test_a_catalogue_says_nothing_twice() -> None:
    for language in LANGUAGES:
        po = (ROOT / "bot/conversation/locales" / f"{language}.po").read_text("utf-8")
        ids = re.findall(r'^msgid "(.+)"$', po, re.MULTILINE)
        assert len(ids) == len(set(ids)) == len(IDS)


def test_every_text_that_the_code_names_exists() -> None:
    spoken = {
        argument.value
        for call in calls()
        if name_of(call.func) in _SAYERS
        for argument in call.args
        if isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and ("." in argument.value or argument is call.args[0])
    }
    assert len(spoken) > 60
    assert spoken <= IDS
    in_tables = {name for name in named() if name.partition(".")[0] in NAMESPACES}
    assert in_tables <= IDS


def test_every_family_of_texts_is_complete() -> None:
    wanted = {f"word.{status}" for status in Status}
    wanted |= {f"case.{kind}" for kind in CaseKind} | {f"case.{kind}.short" for kind in CaseKind}
    wanted |= {f"answer.{answer}" for answer in Answer}
    decisions = set(Answer) - {Answer.SEEN}  # nothing moves, so nothing is asked twice
    wanted |= {f"sure.{answer}" for answer in decisions}
    wanted |= {f"decided.{answer}" for answer in decisions} | {f"item.{CREDIT}", f"item.{CASH}"}
    wanted |= sold_by_the_shop() - NEVER_SAID
    assert alerts() >= {"accepted_unread", "away_key", "list_kept", "list_unread", "unknown_order"}
    wanted |= {f"alert.{name}" for name in {*alerts(), "unknown_word"}}
    assert wanted <= IDS
    heads = {family.partition("\\.")[0] for family in families()}
    assert heads == {
        "word", "case", "answer", "sure", "decided", "alert", "item", "match", "route",
    }  # fmt: skip


def test_every_text_is_said_somewhere() -> None:
    known, patterns = named() | sold_by_the_shop() | put_together(), families()
    unused = {i for i in IDS - known if not any(re.fullmatch(p, i) for p in patterns)}
    assert unused == set()


def test_every_direct_call_brings_the_values_its_text_wants() -> None:
    checked = 0
    for call in calls():
        if name_of(call.func) not in {"texts", "_texts", "say"} or not call.args:
            continue
        first, given = call.args[0], {keyword.arg for keyword in call.keywords}
        if not isinstance(first, ast.Constant) or None in given:
            continue
        if name_of(call.func) == "say":
            given |= _OF_A_LETTER
        wanted = placeholders(TEXTS["id"].catalogue[first.value])
        assert wanted <= given, (first.value, wanted - given)
        checked += 1
    assert checked > 60


_BLAMING = {
    "id": r"\bsalah\b(?! satu)|kesalahan|keliru|kamu lupa|tidak valid|invalid|error|gagal paham"
    r"|dilarang|harus benar|bodoh",
    "en": r"your (fault|mistake|error)|you (made|typed|entered|gave|forgot|failed|must)\b"
    r"|\binvalid\b|\berror\b|\billegal\b|forbidden|\bwrong\b(?! on our side)|incorrect",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_blames_anybody(language: str) -> None:
    blaming = re.compile(_BLAMING[language], re.IGNORECASE)
    found = {i: t for i, t in TEXTS[language].catalogue.items() if blaming.search(t)}
    assert found == {}


TROUBLE = (
    "not_opened.refused",
    "not_opened.unknown",
    "not_opened.loss",
    "not_opened.given_up",
    "claim.delayed",
    "paid_late",
    "slow",
    "refund_due",
    "refunded",
    "game.nothing",
    "qr.no_picture",
    "sorry.unexpected",
    "help",
)


@pytest.mark.parametrize("text_id", TROUBLE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_about_trouble_names_somebody_to_turn_to(language: str, text_id: str) -> None:
    assert "support" in placeholders(TEXTS[language].catalogue[text_id])


OWNERS = set(OwnersDesk(())._commands)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_that_a_text_mentions_is_understood(language: str) -> None:
    known = {*MENU["id"], *OWNERS}
    for text_id, text in TEXTS[language].catalogue.items():
        for command in re.findall(r"(?<![\w/])/([a-z]+)", text):
            match read_text(f"/{command}"):
                case Command(name):
                    assert name in known, (text_id, command)
                case other:
                    assert isinstance(other, Started), (text_id, command)
