// "Buku besar", the ledger: every account with its balance, and the newest entries. It is only looked at here.

import { make, rupiah, setText } from "/chat/drawing.js";
import { nameOf } from "/chat/suppliers.js";

const AT_FIRST = 5;

const TEXTS = {
  id: {
    "title": "Buku besar",
    "about": "Plus: milik toko dan biaya. Minus: utang ke pelanggan dan pendapatan. Jumlahnya selalu nol.",
    "empty": "Belum ada uang yang tercatat.",
    "sum": "Jumlah",
    "balanced": "Seimbang",
    "unbalanced": "Tidak seimbang",
    "entries": "Catatan terbaru",
    "more": "Tampilkan {count} catatan lagi",
    "less": "Tampilkan lebih sedikit",
    "still": "Tidak ada uang yang berpindah.",
    "account.supplier": "Saldo di {who}",
    "account.qris": "QRIS toko",
    "account.dropship": "Uang pelanggan di {who}",
    "account.profit": "Laba di {who}",
    "account.held": "Titipan pelanggan",
    "account.wallet": "Saldo pelanggan {who}",
    "account.wallets": "Saldo semua pelanggan",
    "account.sales": "Penjualan",
    "account.cost": "Biaya {who}",
    "account.adjustment": "Penyesuaian pemilik",
    "event.opening": "Saldo awal",
    "event.entry": "Catatan pemilik",
    "event.adjust": "Pembukuan disamakan",
    "event.undo": "Koreksi",
    "event.paid": "Pelanggan membayar",
    "event.paid_late": "Dibayar terlambat",
    "event.paid_wrong": "Dibayar tidak pas",
    "event.settled": "Dibayar di pemasok",
    "event.payment_found": "Pembayaran ditemukan pemilik",
    "event.submission_started": "Dipesan ke pemasok",
    "event.accepted": "Diterima pemasok",
    "event.partly": "Terkirim sebagian",
    "event.delivered": "Terkirim",
    "event.arrived": "Terkirim, kata pemilik",
    "event.failed": "Gagal di pemasok",
    "event.cost_returned": "Modal kembali",
    "event.credited": "Dikembalikan ke saldo",
    "event.given_back": "Dikembalikan oleh pemilik",
    "event.refund_made": "Dikembalikan di luar toko",
    "event.loss_recorded": "Dicatat rugi",
    "event.proceeded": "Diproses lagi",
  },
  en: {
    "title": "Ledger",
    "about": "Plus: what the shop owns, and costs. Minus: what it owes customers, and income. The sum is always zero.",
    "empty": "No money has been recorded yet.",
    "sum": "Sum",
    "balanced": "Balanced",
    "unbalanced": "Not balanced",
    "entries": "Newest entries",
    "more": "Show {count} more entries",
    "less": "Show fewer",
    "still": "No money moved.",
    "account.supplier": "Balance at {who}",
    "account.qris": "Shop's own QRIS",
    "account.dropship": "Customers' money at {who}",
    "account.profit": "Profit at {who}",
    "account.held": "Held for customers",
    "account.wallet": "Customer wallet {who}",
    "account.wallets": "All customers' wallets",
    "account.sales": "Sales",
    "account.cost": "Costs at {who}",
    "account.adjustment": "Owner's adjustments",
    "event.opening": "Opening balance",
    "event.entry": "Owner's entry",
    "event.adjust": "Books adjusted",
    "event.undo": "Correction",
    "event.paid": "The customer paid",
    "event.paid_late": "Paid too late",
    "event.paid_wrong": "Paid a wrong amount",
    "event.settled": "Paid at the supplier",
    "event.payment_found": "Payment found by the owner",
    "event.submission_started": "Ordered from the supplier",
    "event.accepted": "Accepted by the supplier",
    "event.partly": "Delivered in part",
    "event.delivered": "Delivered",
    "event.arrived": "Delivered, says the owner",
    "event.failed": "Failed at the supplier",
    "event.cost_returned": "Cost returned",
    "event.credited": "Returned to the wallet",
    "event.given_back": "Given back by the owner",
    "event.refund_made": "Returned outside the shop",
    "event.loss_recorded": "Recorded as a loss",
    "event.proceeded": "Tried again",
  },
};
// What the shop owns, what it owes, what came of it: as far apart as that in the list.
const ACCOUNTS = ["supplier", "qris", "dropship", "profit", "held", "wallet", "sales", "cost", "adjustment"];
const GROUP_ENDS = new Set(["profit", "wallet"]);

const kindOf = (account) => account.split(":", 1)[0];
const rest = (account) => account.slice(kindOf(account).length + 1);
const places = (lines) => [...lines].sort((a, b) => place(a.account) - place(b.account));
const place = (account) => ACCOUNTS.indexOf(kindOf(account)) + (account.startsWith("wallet:") ? 0.5 : 0);

export class Ledger {
  constructor() {
    this.language = "id";
    this.told = "";
    this.all = false;
    this.books = null;
    this.title = make("h3");
    this.about = make("p", "ledger-about");
    this.empty = make("p", "empty");
    this.accounts = make("div", "accounts");
    this.accounts.dataset.testid = "accounts";
    this.newest = make("h4");
    this.entries = make("ol", "entries");
    this.more = make("button", "more");
    this.more.type = "button";
    this.more.dataset.testid = "entries-more";
    this.more.addEventListener("click", () => {
      this.all = !this.all;
      this.redraw();
    });
    this.element = make("section", "ledger", this.title, this.about, this.empty, this.accounts, this.newest, this.entries, this.more);
    this.element.dataset.testid = "ledger";
    this.redraw();
  }

  t(key) {
    return TEXTS[this.language][key] ?? "";
  }

  setLanguage(next) {
    this.language = next in TEXTS ? next : "id";
    this.redraw();
  }

  // What did not change is left alone: it may be being read, or selected.
  draw(books) {
    const told = JSON.stringify([books.accounts, books.entries]);
    if (told === this.told) return;
    this.told = told;
    this.books = books;
    this.redraw();
  }

  redraw() {
    const accounts = this.books?.accounts ?? [];
    const entries = this.books?.entries ?? [];
    setText(this.title, this.t("title"));
    setText(this.about, this.t("about"));
    setText(this.empty, this.t("empty"));
    setText(this.newest, this.t("entries"));
    this.empty.hidden = entries.length > 0;
    this.accounts.hidden = this.newest.hidden = entries.length === 0;
    this.accounts.replaceChildren(...places(accounts).map((one) => this.account(one)), this.sum(accounts));
    this.entries.replaceChildren(...entries.slice(0, this.all ? entries.length : AT_FIRST).map((one) => this.entry(one)));
    this.more.hidden = entries.length <= AT_FIRST;
    setText(this.more, this.t(this.all ? "less" : "more").replace("{count}", entries.length - AT_FIRST));
  }

  name(account) {
    const kind = account === "wallet" ? "wallets" : kindOf(account);
    const who = rest(account);
    return this.t(`account.${kind}`).replace("{who}", nameOf(who)) || account;
  }

  account({ account, balance }) {
    const row = this.line(account, balance);
    row.dataset.account = account;
    row.classList.toggle("none", balance === 0);
    row.classList.toggle("apart", GROUP_ENDS.has(kindOf(account)));
    return row;
  }

  line(account, amount) {
    const name = make("span", "", this.name(account));
    const row = make("div", "account", name, make("span", "amount", rupiah(amount)));
    row.title = account;
    return row;
  }

  sum(accounts) {
    const sum = accounts.reduce((total, { balance }) => total + balance, 0);
    const even = sum === 0;
    const chip = make("span", "chip", this.t(even ? "balanced" : "unbalanced"));
    chip.dataset.tone = even ? "good" : "bad";
    const row = make("div", "account sum", make("span", "", this.t("sum"), " ", chip), make("span", "amount", rupiah(sum)));
    row.dataset.testid = "sum";
    row.dataset.balanced = String(even);
    return row;
  }

  entry(entry) {
    const lines = places(entry.lines).map(({ account, amount }) => this.line(account, amount));
    if (lines.length === 0) lines.push(make("p", "still", this.t("still")));
    const time = make("time", "", this.when(entry.at));
    time.dateTime = new Date(entry.at).toISOString();
    const about = [entry.item, entry.order, this.note(entry)].filter(Boolean).join(" · ");
    const head = make("div", "entry-head", make("strong", "", this.what(entry)), time);
    const item = make("li", "entry", head);
    if (about) item.append(make("p", "entry-about", about));
    item.append(...lines);
    item.dataset.testid = "entry";
    item.dataset.event = entry.event;
    return item;
  }

  // An entry that no order made is named by the first part of its id.
  what(entry) {
    const kind = entry.event || kindOf(entry.id);
    return this.t(`event.${kind}`) || kind.replaceAll("_", " ");
  }

  note(entry) {
    return ["opening", "undone"].includes(entry.reason) ? "" : entry.reason;
  }

  when(at) {
    const today = new Date(at).toDateString() === new Date().toDateString();
    const day = today ? {} : { day: "numeric", month: "short" };
    const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    return new Intl.DateTimeFormat(this.language, { ...day, ...time }).format(at);
  }
}
