"""The diagram of an order's life, drawn from the table of moves.

``python -m tests.repo.order_life`` writes it into ``docs/order-life.md``; a test compares.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from shop.orders import BY_THE_OWNER, ENDED, FIRST, HOLDS_MONEY, MOVES, UNPAID, Event, Status
from tests.repo.tree import ROOT

DOCUMENT: Final = ROOT / "docs/order-life.md"
BEGIN: Final = "<!-- diagram: begin (drawn from shop/orders.py, by make docs) -->"
END: Final = "<!-- diagram: end -->"
_BETWEEN: Final = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", flags=re.DOTALL)

GROUPS: Final[Mapping[str, tuple[Collection[Status], str]]] = MappingProxyType(
    {
        "unpaid": (UNPAID, "fill:#eef2f7,stroke:#64748b,color:#111"),
        "money": (HOLDS_MONEY, "fill:#fde9b8,stroke:#b45309,color:#111,stroke-width:3px"),
        "ended": (ENDED, "fill:#d9f2e1,stroke:#15803d,color:#111"),
    }
)
"""Name of a group, the statuses in it, and how they look."""


def diagram() -> str:
    """Return the whole diagram as Markdown: every move, grouped by where it leads."""
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {FIRST}: {Event.PLACED}",
        *(f"    {was} --> {to}: {', '.join(labels)}" for (was, to), labels in _arrows().items()),
        *(line for name, (members, look) in GROUPS.items() for line in _group(name, members, look)),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _arrows() -> Mapping[tuple[Status, Status], list[str]]:
    """Return one arrow for each pair of statuses, with all its events: more nobody can read."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (was, event), to in MOVES.items():
        label = f"{event} (owner)" if event in BY_THE_OWNER else str(event)
        arrows.setdefault((was, to), []).append(label)
    return arrows


def _group(name: str, members: Collection[Status], look: str) -> list[str]:
    listed = ", ".join(status for status in Status if status in members)
    return [f"    classDef {name} {look}", f"    class {listed} {name}"]


def drawn_into(markdown: str) -> str:
    """Return the document with the present diagram between its two marks.

    Raises ``ValueError`` if the marks are not there exactly once.
    """
    drawn, times = _BETWEEN.subn(lambda _: f"{BEGIN}\n{diagram()}{END}\n", markdown)
    if times != 1:
        raise ValueError(f"{DOCUMENT.name}: the marks of the diagram are there {times} times")
    return drawn


if __name__ == "__main__":
    DOCUMENT.write_text(drawn_into(DOCUMENT.read_text("utf-8")), "utf-8")
