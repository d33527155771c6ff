"""A shelf with everything on it that people confuse."""

from tests.bot.conversation.parlour import Shelf

NIKKE = "~goddess-of-victory-nikke"  # nobody described it

CONFUSING: Shelf = {
    "free-fire": [
        ("1", "70 Diamond", 10_000), ("2", "5 Diamond", 850), ("5", "140 Diamond", 19_900),
        ("9", "Membership Mingguan", 28_000), ("10", "Membership Bulanan", 86_000),
        ("11", "Level Up Pass", 15_000),
    ],
    "free-fire-max": [("24", "70 Diamond", 10_100), ("28", "Membership Mingguan", 29_200)],
    "mobile-legends": [
        ("44", "7 Diamonds", 2_000), ("45", "86 Diamond", 19_100), ("46", "172 Diamond", 38_000),
        ("47", "5 Diamond (5 + 1)", 1_500), ("48", "12 Diamonds (11+1)", 3_300),
        ("51", "Weekly Diamond Pass", 27_300), ("53", "Weekly Diamond Pass x2", 54_000),
        ("52", "Twilight Pass", 146_000), ("54", "Starlight Member", 150_000),
        ("55", "Starlight Member Plus", 300_000), ("56", "Weekly Elite Bundle", 15_000),
    ],
    "mobile-legends-brazil": [
        ("145", "86 Diamond", 17_100), ("151", "Weekly Diamond Pass", 24_300),
    ],
    "valorant": [("101", "475 VP", 52_800), ("102", "1000 VP", 100_800)],
    "genshin-impact": [
        ("121", "60 Genesis Crystals", 12_400), ("127", "Blessing of the Welkin Moon", 62_500),
    ],
    "higgs-domino": [("201", "1B Koin Emas", 65_000), ("202", "30M Koin Emas", 2_100)],
    "pubg-mobile": [
        ("301", "60 UC", 14_000), ("302", "Prime 1 Bulan", 14_000),
        ("303", "Weekly Deal Pack 1", 14_500), ("304", "Weekly Deal Pack 2", 40_000),
    ],
    "honor-of-kings": [("501", "80 Tokens", 14_000), ("502", "Weekly Card", 15_000),
                       ("503", "25 Kupon Undian", 9_000)],
    "magic-chess-go-go": [("601", "86 Diamonds", 19_000), ("602", "Weekly Card", 15_100)],
    "honkai-impact-3": [("701", "60 Crystals", 19_000)],
    "honkai-star-rail": [("801", "60 Oneiric Shard", 14_000)],
    NIKKE: [("401", "60 Gems", 14_000), ("402", "120 Gems", 28_000)],
}  # fmt: skip
