"""What the owner decides once, in the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shop.catalogue import Game, undescribed
from shop.goods import NO_WORDS, Words
from shop.payments import PaymentMethod, Refunds
from shop.pricing import PriceRule
from shop.suppliers import NO_ABILITIES, Abilities
from shop.time import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The owner's rules, as the use cases need them."""

    prices: PriceRule
    poll: Millis  # shortest time between two questions about one order
    holds_for: Millis  # how long a quoted price is kept
    methods: Sequence[PaymentMethod] = (PaymentMethod.DROPSHIP, PaymentMethod.WALLET)
    refunds: Refunds = Refunds.WALLET
    credit_min: int = 10_000  # of one top-up of a wallet, in whole rupiah
    credit_max: int = 2_000_000
    qris: str = ""  # the owner's own static QRIS
    deposits_at: str = ""  # the supplier whose deposits customers may pay
    abilities: Mapping[str, Abilities] = field(default_factory=dict)  # of each supplier by its slug
    suppliers: Sequence[str] = ()  # the preferred one first
    targets: Mapping[str, str] = field(default_factory=dict)  # supplier -> its target format
    games: Mapping[str, Game] = field(default_factory=dict)
    words: Mapping[str, Words] = field(default_factory=dict)  # of each game by its slug

    def game(self, slug: str) -> Game:
        """Return the game called so; one that nobody described is made up from its slug."""
        return self.games.get(slug) or undescribed(slug)

    def words_of(self, game: str) -> Words:
        """Return how a game's goods are named."""
        return self.words.get(game, NO_WORDS)

    def abilities_of(self, supplier: str) -> Abilities:
        """Return what a supplier can do; nothing, if it is none of the configured ones."""
        return self.abilities.get(supplier, NO_ABILITIES)

    @property
    def sells_from_balance(self) -> bool:
        """Whether customers' money can come to be spent from our balances at suppliers."""
        return bool({PaymentMethod.DEPOSIT, PaymentMethod.QRIS} & set(self.methods))
