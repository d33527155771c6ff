"""What people do to a chat that nobody asked for: typed junk, old buttons, made-up ones."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.conversation.views import Incoming, Shared, View, What, read_button, read_text
from shop.payments import PaymentMethod

JUNK = (
    "", " ", "\t\n", "?", "!!!", "abc", "12345678a", "ID: abc", "1", "2", "3", "0", "-1", "99999",
    "12345678", "12345678 2001", "12345678 (2001)", "12345678/2001/7", "1 2 3 4 5", "12",
    "123456782001", "12345678200112", "9" * 40, "x" * 5_000, "1" * 5_000, "🙂" * 400,
    "<b>tebal</b>", "<script>alert(1)</script>", "&amp;", "\u202eterbalik", "\u2066\u2069",
    "a\0b", "\0", "\ufeff", "é" * 50, "م" * 20, "١٢٣٤٥٦٧٨", "Budi#ID1", "#", "Budi#", "#ID1",
    "@", "@budi", "@@@", "<", "+", "-", "pay", "yes", "no", "account", "zultopup/1", "zultopup/",
    "{price}", "{}", "%s", "'; DROP TABLE orders; --", "null", "None", "/0", "ya", "tidak", "ok",
    "ff", "ml", "free", "valorant", "genshin", "mobil legend", "roblox", "70 diamond", "86 diamond",
    "asia", "os_asia", "bayar", "batal", "menu", "halo", "help", "riwayat", "bahasa", "kembali",
    "berikutnya", "sudah bayar", "berapa?", "kok lama", "terima kasih", "123 " * 60,
    "10.000", "10rb", "1,5jt", "-5", "1e9", "Rp50.000,-", "BCA 1234567890 Budi", "dropship",
    "deposit", "qris", "wallet",
)  # fmt: skip
ACCOUNTS = (
    "12345678 (2001)",
    "87654321 3002",
    "123456789",
    "812345678",
    "1234",
    "Budi#ID1",
    "2001",
)
COMMANDS = (
    "/start", "/start ff", "/start free-fire", "/start " + "z" * 300, "/pesan", "/riwayat",
    "/riwayat 2", "/riwayat 99999", "/riwayat -1", "/riwayat x", "/status", "/status ABC",
    "/status " + "9" * 200, "/bahasa", "/bahasa en", "/bahasa id", "/bahasa xx", "/bantuan",
    "/batal", "/saldo", "/kasus", "/akun", "/privasi", "/nonsense", "/", "//", "/@bot",
    "/start@bot", "/RIWAYAT", "/order", "/history", "/language", "/help", "/cancel", "/balance",
    "/cases", "/\u202estart", "/status\nABC", "/saldo 2", "/buku", "/ledger", "/catat",
    "/catat qris +10rb setor", "/catat zultopup -5", "/urung entry:web:budi:1", "/isi", "/tarik",
)  # fmt: skip
MADE_UP = (
    "", ":", "::", "s", "s:", "s:0:", "s:1:pay", "s:-1:pay", "s:1e3:pay", "s:999999999:pay",
    "s:9999999999999:pay", "s:٣:pay", "o:", "o::paid", "o:X:paid", "c:", "c:X:open",
    "c:X:yes-refunded", "p:", "p:start:", "p:bahasa:en", "p:bahasa:xx", "p:batal:", "p:riwayat:2",
    "p:kasus:", "p:saldo:", "p:saldo:2", "p:isi:", "p:tarik:", "p:catat:qris +1", "p:buku:",
    "p:urung:entry:web:owner:1", "c:zultopup-1:adjust", "c:zultopup-1:yes-adjust", "x:1:2",
    "\0", "🙂:🙂:🙂", "s:1:" + "y" * 2_000,
    "o:" + "Z" * 500 + ":paid",
)  # fmt: skip


@dataclass
class Mischief:
    """Someone who does anything at all, the same for the same seed."""

    random: random.Random

    def next_doing(self, views: Sequence[View], screen: int, orders: Sequence[str]) -> Incoming:
        """Choose what to do next, given all that was ever shown, and every order there is."""
        kind = self.random.choices(
            ("sensible", "button", "old button", "junk", "command", "made up", "half", "shared"),
            (60, 10, 8, 10, 4, 2, 4, 2),
        )[0]
        match kind:
            case "sensible":
                return self._sensible(views)
            case "button":
                return self._button(views[-6:])
            case "old button":
                return self._button(views)
            case "junk":
                return read_text(self.random.choice(JUNK))
            case "command":
                return read_text(self.random.choice(COMMANDS))
            case "made up":
                return read_button(self.random.choice(MADE_UP))
            case "half":
                return read_button(self._half_made_up(screen, orders))
            case _:
                return Shared(self.random.choice(list(What)))

    def _sensible(self, views: Sequence[View]) -> Incoming:
        """Answer the newest question as somebody who wants to buy would."""
        onward = [choice for choice in views[-1].choices if choice.id not in "<+-"] if views else []
        if onward and self.random.random() < 0.8:
            wanted = [choice for choice in onward if choice.id in set(PaymentMethod)] or onward
            return read_button(self.random.choice(wanted).data)
        return read_text(self.random.choice(ACCOUNTS))

    def _button(self, views: Sequence[View]) -> Incoming:
        data = [choice.data for view in views for choice in view.choices]
        return read_button(self.random.choice(data)) if data else read_text("/start")

    def _half_made_up(self, screen: int, orders: Sequence[str]) -> str:
        order = self.random.choice([*orders, "ZZZZZZZZZZ"])
        action = self.random.choice(
            [
                "paid",
                "cancel",
                "show",
                "again",
                "payout",
                "open",
                "refunded",
                "yes-refunded",
                "credit",
                "yes-credit",
                "proceed",
                "seen",
                "x",
                "",
            ]
        )
        choice = self.random.choice([*JUNK, f"@{order}", "pay", *PaymentMethod, "account"])
        return self.random.choice(
            [f"o:{order}:{action}", f"c:{order}-5:{action}", f"s:{screen}:{choice}"]
        )


SENTENCES = (
    "mau top up ff 70 dong kak", "udah bayar ya kak", "kok belum masuk??", "bisa dicicil?",
    "how much are 86 diamonds for mobile legends?", "I want my money back", "cancel it please",
    "tuku diamond ml piro regane?", "wis tak bayar lho mas", "ora sida",
    "أريد شراء 70 جوهرة", "لقد دفعت", "充值 86 钻石", "もう払いました", "ขอยกเลิก", "ยกเลิก 70",
)  # fmt: skip
"""In the shop's two languages, and in some that it does not speak."""


def slip(text: str, at: int, how: int) -> str:
    """The same word typed in a hurry: a letter lost, doubled, swapped, missed, or in capitals."""
    at %= max(len(text), 1)
    before, letter, after = text[:at], text[at : at + 1], text[at + 1 :]
    return (
        before + after,
        before + 2 * letter + after,
        before + after[:1] + letter + after[1:],
        before + "x" + after,
        text.upper(),
    )[how % 5]


CHANGES: Mapping[str, Callable[[str, int], str]] = {
    "as it is": lambda data, n: data,
    "cut": lambda data, n: data[: n % max(len(data), 1)],
    "longer": lambda data, n: f"{data}{n}",
    "of another kind": lambda data, n: f"{'socpx'[n % 5]}{data[1:]}",
    "of another number": lambda data, n: data.replace(":", f":{n}", 1),
    "in other letters": lambda data, n: data.swapcase(),
}
"""What somebody may do to a button's data who writes a client of their own."""
