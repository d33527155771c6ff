"""A supplier's own form: what it asks, and the answers as it wants them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from zlib import crc32

from bot.conversation.views import Choice, Draft
from shop import catalogue
from shop.suppliers import FormField, FormOption
from shop.text import plain, visible

LONGEST: Final = 60  # characters of one answer


def answers(draft: Draft) -> Mapping[str, str]:
    """Return the answers so far by the keys of their fields, as people read them."""
    return json.loads(draft.fields) if draft.fields else {}


def next_field(form: Sequence[FormField], draft: Draft) -> FormField | None:
    """Return the field to be asked now; answers to another form count for nothing."""
    said = list(answers(draft))
    keys = [field.key for field in form]
    given = len(said) if said == keys[: len(said)] else 0
    return form[given] if given < len(form) else None


def with_answer(form: Sequence[FormField], draft: Draft, answer: str) -> Draft:
    """Return the draft with one more answer; as an account, people read them all."""
    field = next_field(form, draft)
    if field is None:
        return draft
    before = answers(draft) if field is not form[0] else {}
    said = {**before, field.key: answer}
    fields = json.dumps(said, ensure_ascii=False)
    return replace(draft, fields=fields, user_id=", ".join(said.values()), server="")


def choices(field: FormField) -> tuple[Choice, ...]:
    """Return a field's choices; a supplier's own codes may be too long for a button."""
    return tuple(Choice(_mark(option), option.name) for option in field.options)


def _mark(option: FormOption) -> str:
    return f"#{crc32(option.name.encode()):08x}"


def read_answer(field: FormField, text: str) -> str:
    """Return the answer to one field, or of a choice its name; empty if it is none."""
    if not field.options:
        typed = visible(text, LONGEST + 1)
        return typed if len(typed) <= LONGEST else ""
    names = [option.name for option in field.options]
    known = ((name, o.name) for o in field.options for name in (o.name, _mark(o)))
    return catalogue.meant(text, known) or _at_place(names, text)


def _at_place(names: Sequence[str], text: str) -> str:
    place = plain(text)
    known = place.isascii() and place.isdigit() and len(place) < 4 and 0 < int(place) <= len(names)
    return names[int(place) - 1] if known else ""


def is_complete(form: Sequence[FormField], draft: Draft) -> bool:
    """Tell whether every field has an answer, and every choice is one of the present ones."""
    said = answers(draft)
    return list(said) == [field.key for field in form] and all(
        not field.options or said[field.key] in {option.name for option in field.options}
        for field in form
    )
