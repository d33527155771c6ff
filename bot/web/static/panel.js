// "Dunia luar", the outside world: whoever tries the demo plays the payer, the supplier and the weather here.
// It talks to the control surface of the simulated supplier and to nothing else.

const CONTROL = "/control/zultopup";
const AT_MOST = 10;
const SEEN_EVERY = 1000;
const UNSEEN_EVERY = 4000; // only the number on the button needs it
const PATIENCE = 8000;

const TEXTS = {
  id: {
    "title": "Dunia luar",
    "about": "Anda memainkan semua yang di luar toko: pembayar, pemasok, dan gangguannya.",
    "orders": "Pesanan di pemasok",
    "empty": "Belum ada QR. Pesan sesuatu di chat.",
    "faults": "Gangguan pemasok",
    "unreachable": "Dunia luar belum terjangkau. Dicoba lagi…",
    "close": "Tutup",
    "open": "Dunia luar",
    "open.pay": "Bayar QR",
    "target": "Tujuan",
    "invoice": "Faktur",
    "cost": "Modal toko",
    "sn": "SN",
    "left": "sisa",
    "unnamed": "Isi saldo toko",
    "pay": "Bayar QR ini",
    "pay.about": "Pelanggan memindai QR dan membayar lunas.",
    "pay.late": "Bayar terlambat",
    "pay.late.about": "Uang datang sesudah QR habis masa berlakunya.",
    "pay.done": "QR dibayar. Lihat kabarnya di chat.",
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
    "slow": "Pemasok lambat",
    "slow.about": "3 panggilan berikutnya dijawab lama sekali.",
    "timeout": "Pemasok diam (timeout)",
    "timeout.about": "Pesanan berikutnya diterima, tetapi tak ada jawaban.",
    "broken": "Pemasok error 500",
    "broken.about": "3 panggilan berikutnya ditolak server yang rusak.",
    "loss": "QR rugi",
    "loss.about": "Modal QR berikutnya melebihi harga jual.",
    "clear": "Hapus gangguan",
    "clear.about": "Pemasok kembali sehat.",
    "fault.done": "Gangguan dipasang.",
    "clear.done": "Semua gangguan dihapus.",
    "failed": "Tidak berhasil",
    "payment.pending": "Menunggu bayar",
    "payment.settlement": "Dibayar",
    "payment.expired": "QR habis",
    "order.pending": "Pending",
    "order.success": "Berhasil",
    "order.error": "Gagal",
    "mode.saldo": "Potong saldo",
  },
  en: {
    "title": "Outside world",
    "about": "You play everything outside the shop: the payer, the supplier and its troubles.",
    "orders": "Orders at the supplier",
    "empty": "No QR yet. Order something in the chat.",
    "faults": "Supplier troubles",
    "unreachable": "The outside world cannot be reached. Trying again…",
    "close": "Close",
    "open": "Outside world",
    "open.pay": "Pay the QR",
    "target": "Target",
    "invoice": "Invoice",
    "cost": "Shop's cost",
    "sn": "SN",
    "left": "left",
    "unnamed": "Shop deposit",
    "pay": "Pay this QR",
    "pay.about": "The customer scans the QR and pays in full.",
    "pay.late": "Pay too late",
    "pay.late.about": "The money arrives after the QR ran out.",
    "pay.done": "The QR is paid. Watch the chat.",
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
    "slow": "Slow supplier",
    "slow.about": "The next 3 calls take very long.",
    "timeout": "Silent supplier (timeout)",
    "timeout.about": "The next order is accepted, but never answered.",
    "broken": "Supplier error 500",
    "broken.about": "The next 3 calls meet a broken server.",
    "loss": "QR at a loss",
    "loss.about": "The next QR costs more than the selling price.",
    "clear": "Clear troubles",
    "clear.about": "The supplier is healthy again.",
    "fault.done": "The trouble is set.",
    "clear.done": "All troubles are cleared.",
    "failed": "That did not work",
    "payment.pending": "Waiting for payment",
    "payment.settlement": "Paid",
    "payment.expired": "QR expired",
    "order.pending": "Pending",
    "order.success": "Success",
    "order.error": "Failed",
    "mode.saldo": "From balance",
  },
};

const ORDER_ACTIONS = {
  pay: { path: "pay", body: (id) => ({ id }) },
  expire: { path: "expire", body: (id) => ({ id }) },
  ok: { path: "finish", body: (ref) => ({ ref, status: "Success" }) },
  hold: { path: "finish", body: (ref) => ({ ref, status: "Pending" }) },
  fail: { path: "finish", body: (ref) => ({ ref, status: "Error" }) },
};
const FAULTS = {
  slow: { kind: "slow", count: 3 },
  timeout: { kind: "timeout", count: 1, path: "order/create" },
  broken: { kind: "500", count: 3 },
  loss: { kind: "loss", count: 1 },
  clear: { kind: "clear" },
};
const PAYMENT_TONES = { pending: "wait", settlement: "good", expired: "off" };
const ORDER_TONES = { pending: "work", success: "good", error: "bad", gagal: "bad", "error/gagal": "bad" };
const ORDER_WORDS = { gagal: "error", "error/gagal": "error" };

let language = "id";
const t = (key) => TEXTS[language][key] ?? TEXTS.id[key] ?? "";

function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function rupiah(amount) {
  const whole = Math.round(Number(amount));
  if (amount === null || amount === undefined || amount === "" || !Number.isFinite(whole)) return "–";
  return `Rp${String(whole).replace(/\B(?=(\d{3})+(?!\d))/g, ".")}`;
}

function clockface(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const short = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours}:${short}` : short;
}

const lower = (word) => String(word ?? "").toLowerCase();

// An order without any payment word is a plain purchase from the balance: nobody pays a QR for it.
function stage(order) {
  const payment = lower(order.payment_status);
  const status = lower(order.status);
  if (status === "success" || ORDER_TONES[status] === "bad") return "final";
  if (payment === "pending") return "unpaid";
  if (payment === "expired") return "expired";
  return "open";
}

async function ask(path, body) {
  const wanted = { signal: AbortSignal.timeout(PATIENCE), headers: { Accept: "application/json" } };
  if (body !== undefined) {
    wanted.method = "POST";
    wanted.body = JSON.stringify(body);
    wanted.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(`${CONTROL}/${path}`, wanted);
  const text = await answer.text();
  let data = null;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (!answer.ok) throw new Error(complaint(data) || `HTTP ${answer.status}`);
  return data;
}

function complaint(data) {
  const said = data?.error ?? data?.message ?? data?.pesan ?? data?.detail;
  return typeof said === "string" ? said : "";
}

// ---------------------------------------------------------------- one order

class Card {
  constructor(id, act) {
    this.id = id;
    this.touched = false;
    this.text = {};
    this.buttons = {};
    this.element = make("details", "order");
    this.element.dataset.testid = "order";
    this.element.dataset.id = id;
    this.element.append(this.summary(), this.body(act));
  }

  part(tag, name, className = name) {
    const element = make(tag, className);
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

  body(act) {
    const money = make("div", "acts", this.button("pay", act), this.button("expire", act));
    const supplier = make("div", "acts", this.button("ok", act), this.button("hold", act), this.button("fail", act));
    this.money = money;
    this.supplier = supplier;
    return make("div", "order-body", money, supplier, this.part("p", "facts"));
  }

  button(name, act) {
    const button = actButton(name);
    button.addEventListener("click", () => act(button, ORDER_ACTIONS[name].path, ORDER_ACTIONS[name].body(this.id), `${name}.done`));
    this.buttons[name] = button;
    return button;
  }

  update(order) {
    const now = stage(order);
    const payment = lower(order.payment_status);
    const status = lower(order.status);
    setText(this.text.item, String(order.item || order.layanan || t("unnamed")));
    setText(this.text.target, String(order.target ?? ""));
    setText(this.text.amount, rupiah(order.amount ?? order.selling_price));
    this.chip("payment", payment ? `payment.${payment}` : "mode.saldo", order.payment_status, PAYMENT_TONES[payment] ?? "off");
    this.chip("status", `order.${ORDER_WORDS[status] ?? status}`, order.status, ORDER_TONES[status] ?? "off");
    this.text.status.hidden = now === "unpaid" || now === "expired";
    this.countdown(order, now);
    this.facts(order);
    const payable = now === "unpaid" || now === "expired";
    this.money.hidden = !payable;
    this.buttons.expire.hidden = now !== "unpaid";
    this.supplier.hidden = !order.item && !order.layanan; // a deposit: nothing to deliver
    labelButton(this.buttons.pay, now === "expired" ? "pay.late" : "pay");
    this.buttons.pay.classList.toggle("main", now === "unpaid");
    this.buttons.ok.classList.toggle("main", now === "open");
    this.element.dataset.stage = now;
    this.stage = now;
  }

  chip(part, key, raw, tone) {
    setText(this.text[part], t(key) || String(raw ?? ""));
    this.text[part].dataset.tone = tone;
  }

  countdown(order, now) {
    const until = Number(order.expires_at);
    const remaining = until - Date.now();
    const shown = now === "unpaid" && until > 0 && remaining > 0;
    this.text.left.hidden = !shown;
    if (!shown) return;
    setText(this.text.left, clockface(remaining));
    this.text.left.title = `${t("left")} ${clockface(remaining)}`;
    this.text.left.classList.toggle("soon", remaining < 60000);
  }

  facts(order) {
    const facts = [
      [t("invoice"), order.invoice],
      [t("cost"), order.reseller_cost === null || order.reseller_cost === undefined ? "" : rupiah(order.reseller_cost)],
      [t("sn"), order.sn],
    ];
    const text = facts.filter(([, value]) => value).map(([name, value]) => `${name} ${value}`);
    setText(this.text.facts, text.join(" · "));
    this.text.facts.hidden = text.length === 0;
  }

  translate() {
    for (const [name, button] of Object.entries(this.buttons)) labelButton(button, name);
  }
}

function actButton(name) {
  const button = make("button", "act", make("b"), make("small"));
  button.type = "button";
  button.dataset.testid = name;
  labelButton(button, name);
  return button;
}

function labelButton(button, key) {
  setText(button.firstElementChild, t(key));
  setText(button.children[1], t(`${key}.about`));
}

// ---------------------------------------------------------------- the panel

class World {
  constructor({ panel, veil, opener, phone }) {
    Object.assign(this, { panel, veil, opener, phone });
    this.cards = new Map();
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
    this.faultsTitle = make("h3");
    this.faults = Object.keys(FAULTS).map((name) => this.faultButton(name));
    const faults = make("div", "acts faults", ...this.faults);
    this.toasts = make("div", "toasts");
    this.toasts.setAttribute("role", "status");
    this.toasts.setAttribute("aria-live", "polite");
    this.toasts.dataset.testid = "panel-toasts";
    const scroll = make("div", "outside-scroll", this.ordersTitle, this.trouble, this.empty, this.list, this.faultsTitle, faults);
    scroll.tabIndex = -1;
    this.scroll = scroll;
    this.panel.append(this.head, scroll, this.toasts);
    this.setLanguage(language);
  }

  faultButton(name) {
    const button = actButton(name);
    button.dataset.testid = `fault-${name}`;
    const said = name === "clear" ? "clear.done" : "fault.done";
    button.addEventListener("click", () => this.act(button, "fault", FAULTS[name], said));
    return button;
  }

  setLanguage(next) {
    language = next in TEXTS ? next : "id";
    setText(this.title, t("title"));
    setText(this.about, t("about"));
    setText(this.ordersTitle, t("orders"));
    setText(this.empty, t("empty"));
    setText(this.trouble, t("unreachable"));
    setText(this.faultsTitle, t("faults"));
    this.closer.setAttribute("aria-label", t("close"));
    Object.keys(FAULTS).forEach((name, index) => labelButton(this.faults[index], name));
    for (const card of this.cards.values()) card.translate();
    if (this.orders) this.draw(this.orders);
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

  // One question at a time; the next one follows the answer.
  async refresh() {
    clearTimeout(this.timer);
    if (document.hidden || this.asking) return;
    this.asking = true;
    try {
      const data = await ask("journal");
      const orders = Array.isArray(data) ? data : data?.orders;
      this.draw(Array.isArray(orders) ? orders : []);
      this.trouble.hidden = true;
    } catch {
      this.trouble.hidden = false;
    } finally {
      this.asking = false;
      this.timer = setTimeout(() => this.refresh(), this.seen ? SEEN_EVERY : UNSEEN_EVERY);
    }
  }

  draw(orders) {
    this.orders = orders;
    const known = orders.filter((order) => order !== null && typeof order === "object" && order.id !== undefined);
    const newest = known
      .map((order, index) => ({ order, index }))
      .sort((a, b) => (Number(b.order.created_at) || 0) - (Number(a.order.created_at) || 0) || b.index - a.index)
      .slice(0, AT_MOST)
      .map(({ order }) => order);
    this.empty.hidden = newest.length > 0;
    const ids = newest.map((order) => String(order.id));
    for (const [id, card] of this.cards) if (!ids.includes(id)) this.remove(id, card);
    newest.forEach((order, index) => this.drawOne(order, index));
    this.announce([...this.cards.values()].filter((card) => card.stage === "unpaid").length);
  }

  drawOne(order, index) {
    const id = String(order.id);
    const card = this.cards.get(id) ?? new Card(id, (...what) => this.act(...what));
    this.cards.set(id, card);
    card.update(order);
    const lively = card.stage === "unpaid" || card.stage === "open";
    if (!card.touched) card.element.open = index === 0 || lively;
    const there = this.list.children[index] ?? null;
    if (there !== card.element) this.list.insertBefore(card.element, there);
  }

  remove(id, card) {
    card.element.remove();
    this.cards.delete(id);
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

  async act(button, path, body, said) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await ask(path, body);
      this.say(t(said), "good");
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
