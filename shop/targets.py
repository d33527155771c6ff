"""An account as one supplier wants it written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shop import catalogue
from shop.catalogue import Game
from shop.rules import Rules
from shop.shelf import Offer

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the goods go, in a supplier's words. ``server``: its own code; empty: none is sent."""

    text: str  # of a form: a JSON object by its keys
    server: str = ""


def asked(rules: Rules, offer: Offer) -> Game | None:
    """Return the game as an offer asks for it; ``None``: field by field, as its form stands."""
    game = rules.game(offer.game)
    if catalogue.is_undescribed(offer.game):
        if offer.form:
            return None
        return catalogue.undescribed(offer.game, has_server=offer.has_server)
    if catalogue.fits(game, offer.supplier, offer.form):
        return game
    return catalogue.as_asked(game, offer.form)


def can_be_written(rules: Rules, offer: Offer) -> bool:
    """Tell whether it is known how the offer's supplier wants an account written."""
    if offer.form or not rules.game(offer.game).has_server:
        return True
    return bool(_format(rules, offer))


def written(
    rules: Rules, offer: Offer, user_id: str, server: str, said: Mapping[str, str] = _NOTHING
) -> Target | None:
    """Return an account as the offer's supplier wants it; ``None``: it cannot be written so.

    ``said``: the answers to a form that is asked field by field, by the keys of its fields.
    """
    as_asked = asked(rules, offer)
    if not offer.form:
        return _plain(rules, offer, user_id, server)
    if as_asked is None:
        answers = tuple(said[field.key] for field in offer.form if field.key in said)
    else:
        there = catalogue.fitting_server(as_asked, rules.game(offer.game), server)
        answers = (user_id, _option(offer, there, rules)) if len(offer.form) > 1 else (user_id,)
    return _filled_in(offer, answers)


def _plain(rules: Rules, offer: Offer, user_id: str, server: str) -> Target | None:
    if not server:
        return Target(text=user_id)
    code = catalogue.server_code(rules.game(offer.game), offer.supplier, server)
    pattern = _format(rules, offer)
    if not pattern:
        return None
    return Target(text=pattern.format(user_id=user_id, server_id=code), server=code)


def _format(rules: Rules, offer: Offer) -> str:
    default = rules.targets.get(offer.supplier, "")
    return catalogue.target_format(rules.game(offer.game), offer.supplier, default)


def _option(offer: Offer, server: str, rules: Rules) -> str:
    """Return the name of the form's option that is a server of the game; typed, the server."""
    game, options = rules.game(offer.game), offer.form[1].options
    if not options:
        return catalogue.server_code(game, offer.supplier, server)
    known = catalogue.option_for(game, offer.supplier, server, options)
    return server if known is None else known.name


def _filled_in(offer: Offer, answers: tuple[str, ...]) -> Target | None:
    """Return a form filled in; ``None`` if an answer is missing, or is none of the options."""
    if len(answers) != len(offer.form) or not all(answers):
        return None
    codes = [{option.name: option.code for option in field.options} for field in offer.form]
    given = list(zip(offer.form, codes, answers, strict=True))
    if any(field.options and answer not in known for field, known, answer in given):
        return None
    filled = {field.key: known.get(answer, answer) for field, known, answer in given}
    return Target(text=json.dumps(filled, ensure_ascii=False, separators=(",", ":")))
