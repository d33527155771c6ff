// "Dunia luar", the outside world: whoever tries the demo plays the payer, the supplier and the weather here.
// It acts on the control surface of the simulated suppliers and on nothing else; the shop's ledger it only reads.

import { actButton, ask, clockface, layOut, make, nameButton, rupiah, setText } from "/chat/drawing.js";
import { Ledger } from "/chat/ledger.js";
import { SLUGS, control, isOpen, lookOf, purchasesAt, rows } from "/chat/suppliers.js";
import { Supply } from "/chat/supply.js";
import { Troubles } from "/chat/troubles.js";

const PAYEE = "zultopup"; // where customers pay QRs
const BOOKS = "/chat/ledger";
const AT_MOST = 10;
const SEEN_EVERY = 1000;
const UNSEEN_EVERY = 4000; // only the number on the button needs it
const STIRRED = 5000; // for so long after the books have changed, something may happen at any supplier
const FRESH = 60000; // callbacks about an order come, and are repeated, for less than that

const TEXTS = {
  id: {
    "title": "Dunia luar",
    "about": "Anda memainkan semua yang di luar toko: pembayar, pemasok, dan gangguannya.",
    "orders": "QR dan pesanan",
    "empty": "Belum ada QR. Pesan sesuatu di chat.",
    "unreachable": "Dunia luar belum terjangkau. Dicoba lagi…",
    "close": "Tutup",
    "open": "Dunia luar",
    "open.pay": "Bayar QR",
    "target": "Tujuan",
    "invoice": "Faktur",
    "cost": "Modal toko",
    "sn": "SN",
    "left": "sisa",
    "unnamed": "Deposit ZulTopup",
    "deposit": "Deposit",
    "own": "QRIS toko",
    "arrived": "Masuk",
    "pay": "Bayar QR ini",
    "pay.about": "Pelanggan memindai QR dan membayar lunas.",
    "pay.late": "Bayar terlambat",
    "pay.late.about": "Uang datang sesudah QR habis masa berlakunya.",
    "pay.late.done": "Dibayar terlambat. Tekan “Sudah bayar” di chat, atau tunggu 5 menit.",
    "pay.done": "QR dibayar. Lihat kabarnya di chat.",
    "less": "Bayar kurang",
    "less.about": "Hanya setengahnya yang masuk: {amount}.",
    "less.done": "Dibayar kurang. Lihat kabarnya di chat.",
    "more": "Bayar lebih",
    "more.about": "Dua kali lipatnya yang masuk: {amount}.",
    "more.done": "Dibayar lebih. Lihat kabarnya di chat.",
    "again": "Bayar sekali lagi",
    "again.about": "Uangnya masuk lagi, {amount}. Toko tahu begitu pemilik mengetik /saldo.",
    "again.done": "Dibayar sekali lagi. Ketik /saldo di chat pemilik.",
    "own.waiting": "QRIS toko dibayar di luar, tanpa pemasok. Tekan “Sudah bayar” di chat pelanggan; pemilik yang memeriksa.",
    "own.claimed": "Pelanggan bilang sudah membayar. Pemilik memeriksa rekeningnya, lalu menjawab di chatnya.",
    "owner": "Buka chat pemilik",
    "owner.about": "Di sana pemilik ditanya dan memutuskan.",
    "expire": "Biarkan kedaluwarsa",
    "expire.about": "Tidak ada yang membayar sampai QR habis.",
    "expire.done": "QR habis masa berlakunya.",
    "ok": "Pemasok berhasil",
    "ok.about": "Top up terkirim, lengkap dengan nomor serinya.",
    "ok.done": "Pemasok melaporkan berhasil.",
    "fail": "Pemasok gagal",
    "fail.about": "Pemasok menyerah: status menjadi Error.",
    "fail.done": "Pemasok melaporkan gagal.",
    "hold": "Tahan / jawab nanti",
    "hold.about": "Pesanan menggantung: status tetap Pending.",
    "hold.done": "Pesanan ditahan di Pending.",
    "failed": "Tidak berhasil",
    "payment.pending": "Menunggu bayar",
    "payment.settlement": "Dibayar",
    "payment.expired": "QR habis",
    "payment.less": "Dibayar kurang",
    "payment.more": "Dibayar lebih",
    "payment.claimed": "Menunggu pemilik",
    "payment.cancelled": "Dibatalkan",
    "order.pending": "Pending",
    "order.success": "Berhasil",
    "order.error": "Gagal",
    "order.partly": "Sebagian",
    "mode.saldo": "Potong saldo",
    "mode.wallet": "Saldo pelanggan",
  },
  en: {
    "title": "Outside world",
    "about": "You play everything outside the shop: the payer, the supplier and its troubles.",
    "orders": "QRs and orders",
    "empty": "No QR yet. Order something in the chat.",
    "unreachable": "The outside world cannot be reached. Trying again…",
    "close": "Close",
    "open": "Outside world",
    "open.pay": "Pay the QR",
    "target": "Target",
    "invoice": "Invoice",
    "cost": "Shop's cost",
    "sn": "SN",
    "left": "left",
    "unnamed": "ZulTopup deposit",
    "deposit": "Deposit",
    "own": "Shop's QRIS",
    "arrived": "Arrived",
    "pay": "Pay this QR",
    "pay.about": "The customer scans the QR and pays in full.",
    "pay.late": "Pay too late",
    "pay.late.about": "The money arrives after the QR ran out.",
    "pay.late.done": "Paid too late. Say so in the chat, or wait for 5 minutes.",
    "pay.done": "The QR is paid. Watch the chat.",
    "less": "Pay too little",
    "less.about": "Only half of it arrives: {amount}.",
    "less.done": "Paid too little. Watch the chat.",
    "more": "Pay too much",
    "more.about": "Twice as much arrives: {amount}.",
    "more.done": "Paid too much. Watch the chat.",
    "again": "Pay once more",
    "again.about": "The money arrives again, {amount}. The shop learns of it once the owner types /saldo.",
    "again.done": "Paid once more. Type /saldo in the owner's chat.",
    "own.waiting": "The shop's own QRIS is paid outside, without a supplier. Press “Paid” in the customer's chat; the owner looks into it.",
    "own.claimed": "The customer says that it is paid. The owner looks into the account, then answers in the owner's chat.",
    "owner": "Open the owner's chat",
    "owner.about": "There the owner is asked, and decides.",
    "expire": "Let it expire",
    "expire.about": "Nobody pays until the QR runs out.",
    "expire.done": "The QR has run out.",
    "ok": "Supplier succeeds",
    "ok.about": "The top-up arrives, with its serial number.",
    "ok.done": "The supplier reports success.",
    "fail": "Supplier fails",
    "fail.about": "The supplier gives up: the status becomes Error.",
    "fail.done": "The supplier reports a failure.",
    "hold": "Hold / answer later",
    "hold.about": "The order hangs: the status stays Pending.",
    "hold.done": "The order is held at Pending.",
    "failed": "That did not work",
    "payment.pending": "Waiting for payment",
    "payment.settlement": "Paid",
    "payment.expired": "QR expired",
    "payment.less": "Paid too little",
    "payment.more": "Paid too much",
    "payment.claimed": "Waiting for the owner",
    "payment.cancelled": "Cancelled",
    "order.pending": "Pending",
    "order.success": "Success",
    "order.error": "Failed",
    "order.partly": "In part",
    "mode.saldo": "From balance",
    "mode.wallet": "Customer wallet",
  },
};

const ACTIONS = {
  pay: { path: "pay", body: ({ id }) => ({ id }) },
  less: { path: "pay", body: ({ id, amount }) => ({ id, amount: half(amount) }) },
  more: { path: "pay", body: ({ id, amount }) => ({ id, amount: 2 * amount }) },
  again: { path: "pay", body: ({ id }) => ({ id }) },
  expire: { path: "expire", body: ({ id }) => ({ id }) },
  ok: { path: "finish", body: ({ id }) => ({ ref: id, status: "Success" }) },
  hold: { path: "finish", body: ({ id }) => ({ ref: id, status: "Pending" }) },
  fail: { path: "finish", body: ({ id }) => ({ ref: id, status: "Error" }) },
};
const AMOUNTS = { less: (amount) => half(amount), more: (amount) => 2 * amount, again: (amount) => amount };
// What can be done to a thing of which kind, at which stage of its life. The owner is beside that: asked or not.
const AT_THE_SUPPLIER = ["ok", "hold", "fail"];
const OFFERED = {
  order: {
    unpaid: ["pay", "expire", ...AT_THE_SUPPLIER],
    expired: ["pay", ...AT_THE_SUPPLIER],
    open: AT_THE_SUPPLIER,
    final: AT_THE_SUPPLIER,
  },
  deposit: { unpaid: ["pay", "less", "more", "expire"], expired: ["pay"], final: ["again"] },
  own: {},
  bought: {},
};
const wordFor = (name, { stage }) => (name === "pay" && stage === "expired" ? "pay.late" : name);
const MAIN = { unpaid: "pay", open: "ok" };
const LIVELY = new Set(["unpaid", "open", "claimed"]);
const PAYMENT_TONES = { pending: "wait", settlement: "good", expired: "off", less: "bad", more: "work", claimed: "work" };
const ORDER_TONES = { pending: "work", success: "good", error: "bad", partly: "wait", gagal: "bad", "error/gagal": "bad" };
const ORDER_WORDS = { gagal: "error", "error/gagal": "error" };

let language = "id";
const t = (key) => TEXTS[language][key] ?? TEXTS.id[key] ?? "";

const half = (amount) => Math.max(1, Math.floor(amount / 2));
const lower = (word) => String(word ?? "").toLowerCase();

// ---------------------------------------------------------------- what stands in the list, whatever kind it is

function stageOfOrder(payment, status) {
  if (status === "success" || ORDER_TONES[status] === "bad") return "final";
  if (payment === "pending") return "unpaid";
  if (payment === "expired") return "expired";
  return "open";
}

function readOrder(order) {
  const payment = lower(order.payment_status);
  const status = lower(order.status);
  const stage = stageOfOrder(payment, status);
  const paidOrBought = stage === "open" || stage === "final";
  return {
    kind: "order",
    id: String(order.id),
    item: String(order.item || order.layanan || ""),
    target: String(order.target ?? ""),
    amount: order.amount ?? order.selling_price,
    payment,
    status: paidOrBought ? ORDER_WORDS[status] ?? status : "",
    stage,
    until: Number(order.expires_at),
    since: Number(order.created_at) || 0,
    facts: [["invoice", order.invoice], ["cost", optional(order.reseller_cost)], ["sn", order.sn]],
  };
}

const DEPOSIT_STAGES = { pending: "unpaid", expired: "expired" };

// ZulTopup does not know what a deposit is for; the shop does.
function readDeposit(deposit, invoice) {
  const due = deposit.amountToPay;
  const payments = Array.isArray(deposit.payments) ? deposit.payments : [];
  return {
    kind: "deposit",
    id: String(deposit.id),
    item: invoice?.item ?? t("unnamed"),
    order: invoice?.order,
    target: invoice ? `${t("deposit")} · ${invoice.order}` : t("deposit"),
    asksOwner: invoice?.asks_owner === true,
    amount: due,
    payment: payments.length > 0 ? settled(deposit.paid, due) : lower(deposit.status),
    status: "",
    stage: DEPOSIT_STAGES[lower(deposit.status)] ?? "final",
    until: Number(deposit.expires_at),
    since: Number(deposit.created_at) || 0,
    facts: [["", deposit.id], ["arrived", payments.map(({ amount }) => rupiah(amount)).join(" + ")]],
  };
}

function settled(paid, due) {
  if (paid === due) return "settlement";
  return paid < due ? "less" : "more";
}

const OWN_STAGES = { awaiting_payment: "unpaid", expired: "off", cancelled: "off" };
const OWN_PAYMENTS = { awaiting_payment: "pending", expired: "expired", cancelled: "cancelled" };

// Of the owner's own QRIS nothing is known but what the shop asks for, and what people say.
function readOwn(invoice) {
  const claimed = invoice.asks_owner && invoice.status === "awaiting_payment";
  return {
    kind: "own",
    id: invoice.order,
    order: invoice.order,
    item: invoice.item,
    target: `${t("own")} · ${invoice.order}`,
    asksOwner: invoice.asks_owner,
    amount: invoice.amount,
    payment: claimed ? "claimed" : OWN_PAYMENTS[invoice.status] ?? "settlement",
    status: "",
    stage: claimed ? "claimed" : OWN_STAGES[invoice.status] ?? "final",
    until: invoice.expires_at,
    since: invoice.created_at,
    facts: [],
  };
}

// Paid from the customer's wallet, or nobody here knows from what: there is no QR.
function readBought(purchases, books) {
  const first = purchases[0];
  const paid = books.entries.find(({ order, event }) => order !== "" && order === first.order && event === "paid");
  const held = paid?.lines.find(({ account }) => account === "held");
  const fromWallet = paid?.lines.some(({ account }) => account.startsWith("wallet")) === true;
  return {
    kind: "bought",
    id: first.order || `${first.slug}:${first.id}`,
    item: paid?.item || first.item,
    target: [first.target, first.order].filter(Boolean).join(" · "),
    amount: held ? -held.amount : first.cost,
    payment: fromWallet ? "wallet" : "saldo",
    status: "",
    stage: "final",
    until: 0,
    since: first.since,
    facts: [],
  };
}

// With what the shop has bought for it; that decides how the whole stands.
function withSupplies(thing, supplies) {
  const last = supplies.at(-1);
  if (last === undefined) return { ...thing, supplies, busy: false };
  return { ...thing, supplies, busy: isOpen(last), status: lookOf(last.slug, last.word).status || "pending" };
}

const optional = (amount) => (amount === null || amount === undefined ? "" : rupiah(amount));

// Everything there is, the newest first.
function readAll(journals, books) {
  const journal = journals[PAYEE];
  const invoices = books.invoices;
  const named = new Map(invoices.map((invoice) => [invoice.ref, invoice]));
  const purchases = SLUGS.flatMap((slug) => purchasesAt(slug, journals[slug]));
  const bought = groupBy(purchases, (one) => one.order || invoices.find((invoice) => isBoughtFor(invoice, one))?.order || `${one.slug}:${one.id}`);
  const paid = [
    ...rows(journal?.orders).filter((order) => order.payment_status !== null).map(readOrder),
    ...rows(journal?.deposits).map((deposit) => readDeposit(deposit, named.get(String(deposit.id)))),
    ...invoices.filter(({ method }) => method === "qris").map(readOwn),
  ].map((thing) => withSupplies(thing, taken(bought, thing.order)));
  const things = [...paid, ...[...bought.values()].map((list) => withSupplies(readBought(list, books), list))];
  return things.map((thing, index) => ({ thing, index }))
    .sort((a, b) => b.thing.since - a.thing.since || b.index - a.index)
    .map(({ thing }) => thing);
}

const isBoughtFor = (invoice, { slug, id }) => invoice.ordered_at === slug && invoice.ordered_as === id;

function groupBy(list, key) {
  const groups = new Map();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

function taken(groups, key) {
  const list = groups.get(key) ?? [];
  groups.delete(key);
  return list.sort((a, b) => a.since - b.since);
}

// ---------------------------------------------------------------- one of them

const TESTIDS = { order: "order", deposit: "deposit", own: "own-qris", bought: "bought" };
const GROUPS = { order: [["pay", "expire"], AT_THE_SUPPLIER], deposit: [["pay", "less", "more", "again", "expire"], ["owner"]], own: [["owner"]], bought: [] };

class Card {
  // `act` is told (button, name, thing) when a button is pressed, `finish` as a `Supply` tells it.
  constructor(kind, id, { act, finish }) {
    this.act = act;
    this.finish = finish;
    this.supplies = new Map();
    this.kind = kind;
    this.touched = false;
    this.text = {};
    this.buttons = {};
    this.element = make("details", "order");
    this.element.dataset.testid = TESTIDS[kind];
    this.element.dataset.id = id;
    this.element.append(this.summary(), this.body());
  }

  part(tag, name, className = name) {
    const element = make(tag, className);
    element.dataset.part = name;
    this.text[name] = element;
    return element;
  }

  summary() {
    const first = make("span", "row", this.part("strong", "item"), this.part("span", "amount"));
    const chips = make("span", "chips", this.part("span", "left"), this.part("span", "payment", "chip"), this.part("span", "status", "chip"));
    const second = make("span", "row", this.part("span", "target"), chips);
    const summary = make("summary", "", first, second);
    summary.addEventListener("click", () => {
      this.touched = true;
    });
    return summary;
  }

  body() {
    this.groups = GROUPS[this.kind].map((names) => make("div", "acts", ...names.map((name) => this.button(name))));
    this.bought = make("div", "supplies");
    return make("div", "order-body", this.part("p", "hint"), this.bought, ...this.groups, this.part("p", "facts"));
  }

  button(name) {
    const button = actButton(name);
    button.addEventListener("click", () => this.act(button, name, this.thing));
    this.buttons[name] = button;
    return button;
  }

  update(thing) {
    this.thing = thing;
    this.element.dataset.stage = thing.stage;
    setText(this.text.item, thing.item || t("unnamed"));
    setText(this.text.target, thing.target);
    setText(this.text.amount, rupiah(thing.amount));
    this.chip("payment", `${thing.kind === "bought" ? "mode" : "payment"}.${thing.payment}`, thing.payment, PAYMENT_TONES);
    this.chip("status", `order.${thing.status}`, thing.status, ORDER_TONES);
    this.countdown(thing);
    this.hint(thing);
    this.facts(thing);
    this.offer(thing);
    this.supply(thing.supplies);
  }

  supply(purchases) {
    this.bought.hidden = purchases.length === 0;
    for (const purchase of purchases) {
      const name = `${purchase.slug}:${purchase.id}`;
      const supply = this.supplies.get(name) ?? new Supply(purchase, this.finish);
      if (!this.supplies.has(name)) this.bought.append(supply.element);
      this.supplies.set(name, supply);
      supply.update(purchase, language);
    }
  }

  offer(thing) {
    const { kind, stage, amount, asksOwner } = thing;
    const offered = OFFERED[kind][stage] ?? [];
    for (const [name, button] of Object.entries(this.buttons)) {
      button.hidden = name === "owner" ? !asksOwner : !offered.includes(name);
      button.classList.toggle("main", name === "owner" || MAIN[stage] === name);
      const word = wordFor(name, thing);
      nameButton(button, t(word), t(`${word}.about`).replace("{amount}", rupiah(AMOUNTS[name]?.(amount))));
    }
    for (const group of this.groups) layOut(group);
  }

  chip(part, key, word, tones) {
    setText(this.text[part], t(key) || word);
    this.text[part].dataset.tone = tones[word] ?? "off";
    this.text[part].hidden = word === "";
  }

  countdown({ until, stage }) {
    const remaining = until - Date.now();
    const shown = stage === "unpaid" && until > 0 && remaining > 0;
    this.text.left.hidden = !shown;
    if (!shown) return;
    setText(this.text.left, clockface(remaining));
    this.text.left.title = `${t("left")} ${clockface(remaining)}`;
    this.text.left.classList.toggle("soon", remaining < 60000);
  }

  hint({ kind, stage }) {
    const said = kind === "own" ? t({ unpaid: "own.waiting", claimed: "own.claimed" }[stage] ?? "") : "";
    setText(this.text.hint, said);
    this.text.hint.hidden = said === "";
  }

  facts({ facts }) {
    const text = facts.filter(([, value]) => value).map(([name, value]) => `${t(name)} ${value}`.trim());
    setText(this.text.facts, text.join(" · "));
    this.text.facts.hidden = text.length === 0;
  }
}

// ---------------------------------------------------------------- the panel

class World {
  constructor({ panel, veil, opener, phone, toOwner }) {
    Object.assign(this, { panel, veil, opener, phone, toOwner });
    this.cards = new Map();
    this.answers = { act: (...what) => this.act(...what), finish: (...what) => this.finish(...what) };
    this.journals = {};
    this.turn = 0;
    this.stirred = 0;
    this.narrow = window.matchMedia("(max-width: 899px)");
    this.open = false;
    this.timer = 0;
    this.asking = false;
    this.build();
    this.listen();
    this.fold();
    this.refresh();
  }

  // ---- building

  build() {
    this.title = make("h2");
    this.title.id = "world-title";
    this.about = make("p", "about");
    this.closer = make("button", "round close");
    this.closer.type = "button";
    this.closer.dataset.testid = "panel-close";
    this.closer.append(cross());
    this.grip = make("div", "grip", make("i"));
    this.head = make("header", "outside-head", this.grip, make("div", "outside-title", this.title, this.about), this.closer);
    this.ordersTitle = make("h3");
    this.empty = make("p", "empty");
    this.empty.dataset.testid = "empty";
    this.list = make("div", "orders");
    this.trouble = make("p", "unreachable");
    this.trouble.hidden = true;
    this.troubles = new Troubles((...what) => this.do(...what));
    this.ledger = new Ledger();
    this.toasts = make("div", "toasts");
    this.toasts.setAttribute("role", "status");
    this.toasts.setAttribute("aria-live", "polite");
    this.toasts.dataset.testid = "panel-toasts";
    const scroll = make("div", "outside-scroll", this.ordersTitle, this.trouble, this.empty, this.list, this.troubles.element, this.ledger.element);
    scroll.tabIndex = -1;
    this.scroll = scroll;
    this.panel.append(this.head, scroll, this.toasts);
    this.setLanguage(language);
  }

  setLanguage(next) {
    language = next in TEXTS ? next : "id";
    setText(this.title, t("title"));
    setText(this.about, t("about"));
    setText(this.ordersTitle, t("orders"));
    setText(this.empty, t("empty"));
    setText(this.trouble, t("unreachable"));
    this.closer.setAttribute("aria-label", t("close"));
    this.troubles.setLanguage(language);
    this.ledger.setLanguage(language);
    if (this.books) this.draw();
  }

  // ---- the sheet of narrow screens

  listen() {
    this.opener.addEventListener("click", () => this.show());
    this.closer.addEventListener("click", () => this.hide());
    this.veil.addEventListener("click", () => this.hide());
    this.narrow.addEventListener("change", () => this.fold());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.narrow.matches) this.hide();
      if (event.key === "Tab") this.keepFocus(event);
    });
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    this.swipe();
  }

  fold() {
    const sheet = this.narrow.matches;
    this.panel.inert = sheet && !this.open;
    this.panel.classList.toggle("open", sheet && this.open);
    this.veil.hidden = !(sheet && this.open);
    this.phone.inert = sheet && this.open;
    if (sheet) this.panel.setAttribute("role", "dialog");
    else this.panel.removeAttribute("role");
    this.panel.toggleAttribute("data-sheet", sheet);
    this.opener.setAttribute("aria-expanded", String(sheet && this.open));
  }

  show() {
    this.open = true;
    this.fold();
    this.refresh();
    if (!this.narrow.matches) this.beckon();
    else this.panel.focus({ preventScroll: true });
    this.scroll.scrollTo({ top: 0 });
  }

  hide() {
    if (!this.open) return;
    this.open = false;
    this.panel.style.removeProperty("transform");
    this.fold();
    if (this.narrow.matches) this.opener.focus({ preventScroll: true });
  }

  // On wide screens the panel is there already: point at the newest order.
  beckon() {
    const card = this.list.firstElementChild;
    if (card === null) return;
    card.open = true;
    card.classList.remove("beckon");
    void card.offsetWidth;
    card.classList.add("beckon");
    card.querySelector(".act")?.focus({ preventScroll: true });
  }

  keepFocus(event) {
    if (!this.narrow.matches) return;
    const stops = [...this.panel.querySelectorAll("button, summary")].filter((one) => one.offsetParent !== null);
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    const inside = document.activeElement !== edge && document.activeElement !== this.panel;
    if (inside || stops.length === 0) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }

  swipe() {
    let from = null;
    this.head.addEventListener("pointerdown", (event) => {
      if (!this.narrow.matches || event.target.closest("button") !== null) return;
      from = event.clientY;
      this.head.setPointerCapture(event.pointerId);
      this.panel.classList.add("dragging");
    });
    this.head.addEventListener("pointermove", (event) => {
      if (from === null) return;
      this.panel.style.transform = `translateY(${Math.max(0, event.clientY - from)}px)`;
    });
    const release = (event) => {
      if (from === null) return;
      const far = event.type === "pointerup" && event.clientY - from > 90;
      from = null;
      this.panel.classList.remove("dragging");
      this.panel.style.removeProperty("transform");
      if (far) this.hide();
    };
    this.head.addEventListener("pointerup", release);
    this.head.addEventListener("pointercancel", release);
  }

  // ---- the journal

  get seen() {
    return !document.hidden && (this.open || !this.narrow.matches);
  }

  // One round of questions at a time; the next one follows the answers.
  async refresh() {
    clearTimeout(this.timer);
    if (document.hidden || this.asking) return;
    this.asking = true;
    try {
      const books = await ask(BOOKS);
      if (books.entries[0]?.id !== this.books?.entries[0]?.id) this.stirred = Date.now();
      await Promise.all(this.toAsk().map((slug) => this.read(slug)));
      this.books = books;
      this.draw();
      this.trouble.hidden = true;
      await this.hold();
    } catch {
      this.trouble.hidden = false;
    } finally {
      this.asking = false;
      this.timer = setTimeout(() => this.refresh(), this.seen || this.troubles.held.size > 0 ? SEEN_EVERY : UNSEEN_EVERY);
    }
  }

  // Those where something goes on or may have begun; of the others one at a time, in turn.
  toAsk() {
    if (Date.now() - this.stirred < STIRRED) return SLUGS;
    this.turn = (this.turn + 1) % SLUGS.length;
    const goesOn = (one) => isOpen(one) || Date.now() - one.changed < FRESH;
    const isBusy = (slug) => this.troubles.held.has(slug) || purchasesAt(slug, this.journals[slug]).some(goesOn);
    return SLUGS.filter((slug, place) => slug === PAYEE || place === this.turn || isBusy(slug));
  }

  async read(slug) {
    this.journals[slug] = (await ask(control(slug, "journal"))) ?? {};
  }

  async hold() {
    for (const [slug, action, body] of this.troubles.toHold()) await ask(control(slug, action), body);
  }

  draw() {
    const newest = readAll(this.journals, this.books).slice(0, AT_MOST);
    this.empty.hidden = newest.length > 0;
    const keys = newest.map(keyOf);
    for (const [key, card] of this.cards) if (!keys.includes(key)) this.remove(key, card);
    newest.forEach((thing, index) => this.drawOne(thing, index));
    this.announce(newest.filter(({ stage }) => stage === "unpaid").length);
    this.troubles.draw(this.journals, this.books);
    this.ledger.draw(this.books);
  }

  drawOne(thing, index) {
    const key = keyOf(thing);
    const card = this.cards.get(key) ?? new Card(thing.kind, thing.id, this.answers);
    this.cards.set(key, card);
    card.update(thing);
    if (!card.touched) card.element.open = index === 0 || thing.asksOwner || thing.busy || LIVELY.has(thing.stage);
    const there = this.list.children[index] ?? null;
    if (there !== card.element) this.list.insertBefore(card.element, there);
  }

  remove(key, card) {
    card.element.remove();
    this.cards.delete(key);
  }

  announce(unpaid) {
    const badge = this.opener.querySelector(".badge");
    badge.hidden = unpaid === 0;
    setText(badge, unpaid > 9 ? "9+" : String(unpaid));
    this.opener.classList.toggle("calls", unpaid > 0);
    this.opener.setAttribute("aria-label", unpaid > 0 ? `${t("open.pay")} (${unpaid})` : t("open"));
    this.opener.title = t(unpaid > 0 ? "open.pay" : "open");
  }

  // ---- acting

  act(button, name, thing) {
    if (name === "owner") return this.leaveFor(this.toOwner);
    const { path, body } = ACTIONS[name];
    return this.do(button, [[PAYEE, path, body(thing)]], t(`${wordFor(name, thing)}.done`));
  }

  finish(button, slug, body, said) {
    return this.do(button, [[slug, "finish", body]], said);
  }

  leaveFor(elsewhere) {
    this.hide();
    elsewhere();
  }

  // `wishes`: what is done, each as [slug, action, body].
  async do(button, wishes, said) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      for (const [slug, action, body] of wishes) {
        await ask(control(slug, action), body);
        await this.read(slug);
      }
      this.say(said, "good");
    } catch (error) {
      this.say(`${t("failed")}: ${error.message}`, "bad");
    } finally {
      button.removeAttribute("aria-busy");
      this.refresh();
    }
  }

  say(text, tone) {
    const note = make("p", "toast");
    note.dataset.testid = "panel-toast";
    note.dataset.tone = tone;
    note.textContent = text;
    this.toasts.replaceChildren(note);
    setTimeout(() => note.remove(), 4200);
  }
}

const keyOf = ({ kind, id }) => `${kind}:${id}`;

function cross() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  for (const [name, value] of [["width", 22], ["height", 22], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  use.setAttribute("href", "#i-close");
  svg.append(use);
  return svg;
}

/** Build the panel and keep it fresh; answers an object with `setLanguage(code)`, `refresh()` and `show()`. */
export function mountWorld(elements) {
  return new World(elements);
}
