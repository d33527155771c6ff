"""Which of the choices shown was typed, perhaps with a slip of the finger."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz, process

from bot.conversation.item_names import ALIKE, SHORTEST_GUESS
from bot.conversation.views import Choice
from shop import catalogue
from shop.text import plain

CLEARLY: Final = 5  # points of 100 by which the best guess must be better
NUMBERS: Final = re.compile(r"[0-9]+")  # a slip of the finger in a number is another number


def told_apart(choices: Sequence[Choice]) -> list[Choice]:
    """Return the choices whose labels no other has: of two games, neither is the first."""
    count = Counter(choice.label for choice in choices)
    return [choice for choice in choices if count[choice.label] == 1]


def named(text: str, choices: Sequence[Choice]) -> str | None:
    """Return the id of the one choice whose label was typed, perhaps with a slip of the finger.

    Accounts and earlier purchases are chosen by button only: their signs tell people apart.
    """
    nameable = [choice for choice in choices if not choice.id.startswith("@")]
    exact = next((c.id for c in nameable if plain(c.label) == plain(text)), None)
    wanted = catalogue.canonical(text)
    if exact is not None or not wanted:  # without a letter or digit it resembles any other name
        return exact
    # Of several that are called the same, the first.
    by_label = {catalogue.canonical(choice.label): choice.id for choice in reversed(nameable)}
    if wanted in by_label or len(wanted) < SHORTEST_GUESS:
        return by_label.get(wanted)
    numbers = NUMBERS.findall(wanted)
    alike = [
        label
        for label in by_label
        if NUMBERS.findall(label) == numbers and _word_by_word(wanted, label)
    ]
    close = process.extract(wanted, alike, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=2)
    if not close or (len(close) > 1 and close[0][1] - close[1][1] < CLEARLY):
        return None
    return by_label[close[0][0]]


def _word_by_word(typed: str, meant: str) -> bool:
    """Tell whether each word is the same but for a slip: one word more, as "not", is no slip."""
    words, others = typed.split(), meant.split()
    return len(words) == len(others) and all(
        one == other or (len(one) >= SHORTEST_GUESS and fuzz.ratio(one, other) >= ALIKE)
        for one, other in zip(words, others, strict=True)
    )
