"""A supplier's own form: what it asks, and the answers as it wants them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.conversation.views import Draft
from shop import catalogue
from shop.suppliers import FormField
from shop.text import visible

LONGEST: Final = 60  # characters of one answer


def answers(draft: Draft) -> tuple[str, ...]:
    """Return what was answered so far, field by field, as people read it."""
    if draft.fields:
        return tuple(json.loads(draft.fields))
    return (draft.user_id, draft.server) if draft.server else (draft.user_id,)


def with_answer(draft: Draft, answer: str) -> Draft:
    """Return the draft with one more answer; account and server are how people read them all."""
    given = (*(answers(draft) if draft.fields else ()), answer)
    return replace(
        draft,
        fields=json.dumps(given, ensure_ascii=False),
        user_id=given[0],
        server=", ".join(given[1:]),
    )


def read_answer(field: FormField, text: str) -> str:
    """Return the answer to one field, or of a choice its name; empty if it is none."""
    if not field.options:
        typed = visible(text, LONGEST + 1)
        return typed if len(typed) <= LONGEST else ""
    wanted = catalogue.canonical(text)
    names = (
        o.name for o in field.options if catalogue.canonical(o.name) == wanted or o.code == text
    )
    return next(names, "")


def is_complete(form: Sequence[FormField], draft: Draft) -> bool:
    """Tell whether every field has an answer, and every choice is one of the present ones."""
    given = answers(draft)
    return len(given) == len(form) and all(
        answer and (not field.options or answer in {option.name for option in field.options})
        for field, answer in zip(form, given, strict=True)
    )


def written(form: Sequence[FormField], given: Sequence[str]) -> str:
    """Return the answers as the supplier wants them: a JSON object by its keys, choices by code."""
    codes = [{option.name: option.code for option in field.options} for field in form]
    return json.dumps(
        {
            field.key: known.get(answer, answer)
            for field, known, answer in zip(form, codes, given, strict=True)
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
