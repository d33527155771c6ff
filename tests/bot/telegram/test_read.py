"""What a person did, as the conversation hears it; who did it, if it was a person at all."""

import json
from typing import Any

import pytest
from telegram import Update

from bot.conversation.views import Acted, Command, Picked, Shared, Started, Typed, What
from bot.telegram.read import address_of, parse, read

BUDI = {"id": 7, "is_bot": False, "first_name": "Budi"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Budi"}
GROUP = {"id": -50, "type": "group", "title": "Grup"}
BASE: dict[str, Any] = {"message_id": 1, "date": 0, "chat": PRIVATE, "from": BUDI}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]

LARGE = {"file_id": "large", "file_unique_id": "v", "width": 800, "height": 800}


def update(**content: Any) -> Update:
    return parse(json.dumps({"update_id": 1} | content))


def message(**content: Any) -> Update:
    return update(message=BASE | content)


def tap(data: str, chat: dict[str, Any] | None = PRIVATE) -> Update:
    there = {"message_id": 1, "date": 0, "chat": chat}  # long gone
    query = {"id": "q", "from": BUDI, "chat_instance": "1", "data": data}
    query |= {"message": there} if chat else {"inline_message_id": "i"}
    return update(callback_query=query)


def document(mime_type: str) -> dict[str, Any]:
    return {"file_id": "f", "file_unique_id": "u", "mime_type": mime_type}


@pytest.mark.parametrize(
    ("it", "heard"),
    [
        (message(text="12345678 (2001)"), Typed("12345678 (2001)")),
        (message(text="/start"), Started()),
        (message(text="/start mobile-legends"), Started("mobile-legends")),
        (message(text="/start@lapak_bot ff"), Started("ff")),
        (message(text="/history 2"), Command("riwayat", "2")),
        (message(text="batal"), Command("batal", "")),
        (message(text="half \ud83d a smile"), Typed("half ? a smile")),
        (message(photo=PHOTO, caption="/kasus"), Shared(What.PICTURE, "f")),
        (message(photo=[*PHOTO, LARGE]), Shared(What.PICTURE, "large")),
        (message(document=document("image/png")), Shared(What.PICTURE)),
        (message(document=document("application/pdf")), Shared(What.OTHER)),
        (message(contact={"phone_number": "1", "first_name": "B"}), Shared(What.OTHER)),
        (message(voice=document("audio/ogg") | {"duration": 3}), Shared(What.OTHER)),
        (message(location={"latitude": 1.0, "longitude": 2.0}), Shared(What.OTHER)),
        (tap("s:3:yes"), Picked("yes", 3)),
        (tap("o:ABC:paid"), Acted("order", "ABC", "paid")),
        (tap("nonsense"), Picked("", -1)),
    ],
)
def test_a_person_is_understood(it: Update, heard: object) -> None:
    assert read(it) == heard
    assert address_of(it) == "telegram:7"


@pytest.mark.parametrize(
    "it",
    [
        message(text="/kasus", chat=GROUP),
        message(text="/kasus", chat={"id": -100, "type": "channel", "title": "Kanal"}),
        message(text="/kasus", sender_chat=GROUP),
        message(text="/kasus", chat=PRIVATE | {"id": 8}),
        message(text="/kasus", **{"from": BUDI | {"is_bot": True}}),
        tap("c:1:refund", GROUP),
        tap("c:1:refund", None),
        update(edited_message=BASE | {"text": "/kasus"}),
        update(channel_post=BASE | {"text": "/kasus", "chat": GROUP}),
        update(business_message=BASE | {"text": "/kasus"}),
        update(),
    ],
)
def test_nobody_else_can_act(it: Update) -> None:
    assert address_of(it) is None
    assert read(it) is None


@pytest.mark.parametrize(
    "borrowed",
    [
        {"forward_origin": {"type": "hidden_user", "date": 0, "sender_user_name": "X"}},
        {"via_bot": {"id": 5, "is_bot": True, "first_name": "Gif"}},
    ],
)
def test_a_forwarded_command_is_only_text(borrowed: dict[str, Any]) -> None:
    assert read(message(text="/kasus", **borrowed)) == Typed("/kasus")


def test_what_telegram_itself_says_in_a_chat_is_not_an_answer() -> None:
    assert read(message(pinned_message=BASE | {"text": "QR"})) is None
    assert read(message(message_auto_delete_timer_changed={"message_auto_delete_time": 9})) is None
