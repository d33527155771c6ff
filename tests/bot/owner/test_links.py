"""``/tautan``: links that an owner shares, for each channel that is on."""

from collections.abc import Iterator

import pytest

from bot.conversation.engine import Conversation
from bot.conversation.room import Face
from bot.owner.desk import OwnersDesk
from bot.owner.links import Entrances, links
from tests.bot.conversation.finding_samples import CONFUSING, NIKKE
from tests.bot.conversation.parlour import OWNER, TEXTS, Guest, Parlour, whole

SHOP = "Lapak Top Up"
EVERYWHERE = Entrances(telegram=lambda: "lapak_bot", web="http://127.0.0.1:8080/chat")
TELEGRAM = Entrances(telegram=lambda: "lapak_bot")


class Desked(Parlour):
    """A parlour whose owner knows where people come in."""

    def open(self, face: Face) -> None:
        self.face = face
        desk = OwnersDesk(self.owners, EVERYWHERE)
        self.conversation = Conversation(face=face, texts=TEXTS, language=self.language, desk=desk)


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Desked()
    opened.stock(CONFUSING)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


@pytest.mark.parametrize("command", ["/tautan", "/link"])
@pytest.mark.parametrize(
    ("args", "title", "payload"),
    [
        ("ml 86", "Mobile Legends · 86 Diamond", "mobile-legends_diamond_86"),
        ("wdp ml", "Mobile Legends · Weekly Diamond Pass", "mobile-legends_weekly-diamond-pass_1"),
        (
            "mobile-legends_diamond_172",
            "Mobile Legends · 172 Diamond",
            "mobile-legends_diamond_172",
        ),
        ("ff", "Free Fire", "free-fire"),
        ("nikke", "Goddess Of Victory Nikke", "_goddess-of-victory-nikke"),
    ],
)
def test_every_channel_that_is_on_has_a_link(
    owner: Guest, command: str, args: str, title: str, payload: str
) -> None:
    view = owner.says(f"{command} {args}")
    telegram = f"https://t.me/lapak_bot?start={payload}"
    assert title in view.title
    assert telegram in view.text
    assert f"http://127.0.0.1:8080/chat?start={payload}" in view.text
    assert f"mulai {payload}" in view.text
    assert view.copy == f"Top up {title} di {SHOP}: {telegram}"


def test_without_a_name_it_is_the_link_to_the_shop(owner: Guest) -> None:
    view = owner.says("/tautan")
    assert "https://t.me/lapak_bot\n" in view.text
    assert "http://127.0.0.1:8080/chat\n" in view.text
    assert view.copy == f"Top up game di {SHOP}: https://t.me/lapak_bot"


def test_what_is_shared_leads_where_it_says(owner: Guest, siti: Guest) -> None:
    copied = owner.says("/tautan genshin welkin").copy
    view = siti.says(f"/start {copied.partition('?start=')[2]}")
    assert view.title == "Genshin Impact · Blessing of the Welkin Moon"


def test_what_may_mean_several_is_offered_and_each_has_its_link(owner: Guest) -> None:
    view = owner.says("/tautan wdp")
    assert "tidak ada" in view.text.lower()
    assert [choice.label for choice in view.choices] == ["Weekly Diamond Pass"] * 2
    brazil = next(choice for choice in view.choices if choice.hint == "Mobile Legends Brazil")
    chosen = owner.presses(brazil.data)
    assert chosen is not None
    assert "?start=mobile-legends-brazil_weekly-diamond-pass_1" in chosen.text


@pytest.mark.parametrize("args", ["roblox", "🔥", "x" * 299, "free"])
def test_what_is_not_on_the_shelf_has_no_link(owner: Guest, args: str) -> None:
    view = owner.says(f"/tautan {args}")
    assert "Contoh: /tautan ml 86" in view.text
    assert "t.me" not in whole(view)


def test_a_number_is_not_rounded_for_the_owner_either(owner: Guest) -> None:
    view = owner.says("/tautan ml 85")
    assert view.copy == ""
    assert [choice.label for choice in view.choices] == ["86 Diamond"]


def test_the_link_of_an_offer_that_stands_alone_leads_to_it(owner: Guest, siti: Guest) -> None:
    payload = owner.says("/tautan goddess of victory nikke 60").copy.partition("?start=")[2]
    assert payload.startswith("_goddess-of-victory-nikke_i_")
    siti.says(f"mulai {payload}")
    assert (siti.draft.game, siti.draft.item) == (NIKKE, "60 Gems")


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_where_no_channel_has_links_there_are_words_to_type(
    parlour: Parlour, language: str
) -> None:
    room = parlour.room(OWNER, language)
    view = links(Entrances(), room, "ml 86")
    words = "mulai mobile-legends_diamond_86"
    assert (view.copy, "http" in view.text) == (words, False)
    assert TEXTS[language]("link.typed", words=words) in view.text


def test_only_channels_that_are_on_have_a_link(parlour: Parlour) -> None:
    view = links(TELEGRAM, parlour.room(OWNER), "ff")
    assert "https://t.me/lapak_bot?start=free-fire" in view.text
    assert "/chat" not in view.text


def test_a_customer_has_no_such_command(siti: Guest) -> None:
    assert "t.me" not in whole(siti.says("/tautan ml 86"))
