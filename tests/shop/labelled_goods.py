"""The labelled rows, read: what suppliers list, and what a careful reseller says of it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from shop.goods import Good, Kind
from shop.shelf import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. ``amount`` is 0 where it is another thing, or nobody can say what."""

    supplier: str
    sku: str
    category: str
    game: str
    region: str
    name: str
    price: int
    kind: Kind | None
    unit: str
    amount: int
    certain: bool
    odd_price: bool

    @property
    def is_sure(self) -> bool:
        """Whether a person would put it on the shelf without a question."""
        return self.certain and not self.odd_price

    @property
    def key(self) -> str:
        return f"{self.game}/{self.unit}/{self.amount}"

    @property
    def offer(self) -> Offer:
        return Offer(
            supplier=self.supplier,
            sku=self.sku,
            game=self.game,
            item=self.name,
            listed=self.price,
        )

    def is_said_by(self, good: Good | None) -> bool:
        """Whether a reading says what the person says."""
        if good is None:
            return self.kind is None
        said = (good.kind, good.unit, good.amount, good.certain)
        return said == (self.kind, self.unit, self.amount, self.certain)


def _rows() -> tuple[Row, ...]:
    text = Path(__file__).with_name("labelled_goods.toml").read_text("utf-8")
    return tuple(
        _row(f"{place}-{nth}", listed, *row)
        for place, listed in enumerate(tomllib.loads(text)["list"])
        for nth, row in enumerate(listed["rows"])
    )


def _row(sku: str, listed: dict[str, str], name: str, price: int, says: str, odd: str = "") -> Row:
    assert odd in {"", "price"}
    words = says.removesuffix(" ?").split()
    is_pass = words[0] == "pass"
    amount, unit = (0, "") if says == "none" else (int(words[-2]), words[-1])
    assert says in {"none", f"{'pass ' * is_pass}{amount} {unit}{' ?' * says.endswith('?')}"}
    kind = None if says == "none" else Kind.PASS if is_pass else Kind.AMOUNT
    return Row(
        supplier=listed["supplier"],
        sku=sku,
        category=listed["category"],
        game=listed["game"],
        region=listed["region"],
        name=name,
        price=price,
        kind=kind,
        unit=unit,
        amount=amount,
        certain=kind is not None and not says.endswith("?"),
        odd_price=bool(odd),
    )


ROWS = _rows()
OF_GAMES = tuple(row for row in ROWS if row.game)
