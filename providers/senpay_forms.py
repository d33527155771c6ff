"""SenPay's providers: what each asks of the buyer, and what the buyer filled in.

Source: SenPay's "Integrasi API Top-Up Game", ``data.forms`` of GET provider.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from providers.reading import read_flag, read_plain_id, read_rows, read_text, read_word
from shop.suppliers import FormField, FormOption, NotSent
from shop.text import visible

# Beside these two, a form's keys stand at the root of an order (POST transaction/create).
_RESERVED = frozenset({"target_product_code", "partner_reference"})
_TYPES = frozenset({"text", "dropdown"})  # of a field; only the second has options

Hiding: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Returns fields without our secrets, as ``HttpSupplier`` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One shelf of theirs: its products are asked for by its code, and share its form."""

    code: str
    is_open: bool
    form: tuple[FormField, ...]


def read_provider(row: object, hidden: Hiding) -> Provider | None:
    """Return one provider; ``None`` if it makes no sense, or its form cannot be filled in."""
    if not isinstance(row, dict):
        return None
    said = hidden(row)
    try:
        return Provider(
            code=read_text(said.get("code")),
            is_open=read_flag(said.get("active")),
            form=_form(said.get("forms"), hidden),
        )
    except (TypeError, ValueError):
        return None


def _form(forms: object, hidden: Hiding) -> tuple[FormField, ...]:
    """Return the fields. Raise ``TypeError`` or ``ValueError`` if not every one can be filled in.

    All of them are mandatory ("wajib diisi"), so one that is not understood spoils the form.
    """
    fields = tuple(_field(row, hidden) for row in read_rows(forms))
    keys = {field.key for field in fields}
    if not fields or len(keys) < len(fields) or keys & _RESERVED:
        raise ValueError("not a form")
    return fields


def _field(row: object, hidden: Hiding) -> FormField:
    said = hidden(row) if isinstance(row, dict) else {}
    kind, rows = read_word(said.get("type")), read_rows(said.get("options"))
    options = tuple(_option(each, hidden) for each in rows)
    # Two choices that read alike could not be told apart.
    alike = len({option.name for option in options}) < len(options)
    if kind not in _TYPES or bool(options) != (kind == "dropdown") or alike:
        raise ValueError("not a field")
    key = read_text(read_plain_id(said.get("key")))
    return FormField(key=key, label=_label(said.get("label")), options=options)


def _option(row: object, hidden: Hiding) -> FormOption:
    said = hidden(row) if isinstance(row, dict) else {}
    return FormOption(name=_label(said.get("name")), code=read_text(said.get("code")))


def _label(value: object) -> str:
    label = visible(value, 60) if isinstance(value, str) else ""
    if not label or "<" in label:
        raise ValueError("nothing to show")
    return label


def filled_in(target: str) -> dict[str, str]:
    """Return the values by their keys, from a JSON object of texts. Raise ``NotSent`` otherwise."""
    try:
        values = json.loads(target)
    except (ValueError, RecursionError) as error:
        raise NotSent("senpay: the form's values are no JSON") from error
    if not isinstance(values, dict) or not values or values.keys() & _RESERVED:
        raise NotSent("senpay: these are no values of a form")
    if not all(_is_typed(text) for pair in values.items() for text in pair):
        raise NotSent("senpay: a value of the form is no text")
    return values


def _is_typed(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
