// The chat page of the demo. Two conversations (a customer's and the owner's) stay connected side by side; one is on screen.
// Whatever a person sends waits in an outbox until the shop has echoed it, so nothing is lost to a dropped connection.
// Everything the shop says is untrusted text: it only ever reaches the page through textContent.

import { mountWorld } from "/chat/panel.js";

const TEXTS = {
  id: {
    "view.group": "Tampilan",
    "view.customer": "Pelanggan",
    "view.owner": "Pemilik",
    "jump": "Ke pesan terbaru",
    "menu": "Perintah cepat",
    "composer": "Tulis pesan…",
    "photo": "Kirim bukti transfer",
    "photo.sent": "Bukti transfer",
    "send": "Kirim",
    "close": "Tutup",
    "image.save": "Simpan gambar",
    "image.open": "Perbesar kode QR",
    "image.alt": "Kode QR pembayaran",
    "image.demo": "Bayar (demo)",
    "copy": "Salin",
    "copied": "Tersalin ✓",
    "copy.failed": "Tekan lama untuk menyalin",
    "link": "Buka tautan",
    "me": "Anda",
    "shop": "Toko",
    "sending": "Menunggu terkirim",
    "sent": "Terkirim",
    "online": "online",
    "offline": "menyambung…",
    "typing": "sedang mengetik…",
    "connecting": "Menyambung…",
    "reconnecting": "Menyambung lagi…",
    "unread": "belum dibaca",
    "today": "Hari ini",
    "yesterday": "Kemarin",
    "thread": "Percakapan",
    "intro.customer": "Ini toko percobaan. Pemasok dan pembayarannya simulasi, jadi pesanlah apa saja: tidak ada uang sungguhan. QR dibayar di “Dunia luar”.",
    "intro.owner": "Di sini toko menyapa pemiliknya: saldo pemasok, kabar penting, dan kasus yang perlu keputusan Anda.",
    "/start": "Mulai dari awal",
    "/pesan": "Pesan top up",
    "/riwayat": "Pesanan saya",
    "/bantuan": "Bantuan",
    "/bahasa": "Ganti bahasa",
    "/batal": "Batalkan langkah ini",
    "/saldo": "Saldo dan isi ulang",
    "owner./saldo": "Saldo pemasok",
    "/kasus": "Kasus terbuka",
    "/buku": "Buku besar",
    "/catat": "Catat setoran atau penarikan",
    "/tautan": "Tautan toko",
  },
  en: {
    "view.group": "View",
    "view.customer": "Customer",
    "view.owner": "Owner",
    "jump": "To the latest message",
    "menu": "Quick commands",
    "composer": "Write a message…",
    "photo": "Send proof of transfer",
    "photo.sent": "Proof of transfer",
    "send": "Send",
    "close": "Close",
    "image.save": "Save picture",
    "image.open": "Enlarge the QR code",
    "image.alt": "Payment QR code",
    "image.demo": "Pay (demo)",
    "copy": "Copy",
    "copied": "Copied ✓",
    "copy.failed": "Press and hold to copy",
    "link": "Open link",
    "me": "You",
    "shop": "Shop",
    "sending": "Waiting to be sent",
    "sent": "Sent",
    "online": "online",
    "offline": "connecting…",
    "typing": "typing…",
    "connecting": "Connecting…",
    "reconnecting": "Reconnecting…",
    "unread": "unread",
    "today": "Today",
    "yesterday": "Yesterday",
    "thread": "Conversation",
    "intro.customer": "This is a trial shop. Suppliers and payments are simulated, so order anything you like: no real money moves. QRs are paid in the “Outside world”.",
    "intro.owner": "Here the shop talks to its owner: supplier balances, important news, and cases that need your decision.",
    "/start": "Start over",
    "/pesan": "Order a top-up",
    "/riwayat": "My orders",
    "/bantuan": "Help",
    "/bahasa": "Change language",
    "/batal": "Cancel this step",
    "/saldo": "Your balance, and topping it up",
    "owner./saldo": "Supplier balances",
    "/kasus": "Open cases",
    "/buku": "The shop's books",
    "/catat": "Enter what came in or went out",
    "/tautan": "Links to the shop",
  },
};
const COMMANDS = ["/start", "/pesan", "/saldo", "/riwayat", "/bantuan", "/bahasa", "/batal"];
const OWNER_COMMANDS = ["/saldo", "/kasus", "/buku", "/catat", "/tautan"];

const RETRY_FIRST = 300;
const RETRY_LAST = 5000;
const QUIET_AFTER_HELLO = 500; // no message for this long after a hello: the history has been told
const ACK_PATIENCE = 10000; // an unanswered input for this long: the connection is dead without knowing it
const SLEPT = 30000; // a page hidden for longer may hold a socket that only looks open
const BRIEFLY = 350;
const TYPING_AT_MOST = 15000;
const SAME_TAP = 700;
const MOST_TEXT = 8000;
const NEAR_END = 90;
const SHORT_CHOICE = 14; // label and hint together that fit half a bubble

// ---------------------------------------------------------------- small things

const $ = (id) => document.getElementById(id);
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const html = document.documentElement;

let language = "id";
const t = (key) => TEXTS[language][key] ?? TEXTS.id[key] ?? key;

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function icon(name, size = 20) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

function randomHex() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// crypto.randomUUID exists in secure contexts only, and a demo may be looked at through plain http.
function randomUuid() {
  const hex = randomHex();
  const variant = ((parseInt(hex[16], 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20)].join("-");
}

// localStorage may be absent, full or forbidden; then this page's memory has to do.
const memory = new Map();
function keep(key, value) {
  try {
    localStorage.setItem(key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}
function recall(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function customerId() {
  const kept = recall("lapak.person");
  if (kept !== null && /^[0-9a-f]{32}$/.test(kept)) return kept;
  const fresh = randomHex();
  keep("lapak.person", fresh);
  return fresh;
}

const clock = (at) =>
  new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);

function dayName(at) {
  const day = new Date(at);
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  if (day.toDateString() === new Date().toDateString()) return t("today");
  if (day.toDateString() === yesterday.toDateString()) return t("yesterday");
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" }).format(day);
}

// What "/chat?start=…" carries: followed once, so it does not stay in the address.
function takeLink() {
  const url = new URL(location.href);
  const payload = url.searchParams.get("start") ?? "";
  if (!url.searchParams.has("start")) return "";
  url.searchParams.delete("start");
  history.replaceState(null, "", url);
  return /^[A-Za-z0-9_-]{1,64}$/.test(payload) ? payload : "";
}

function safeLink(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

const isPicture = (text) => typeof text === "string" && /^data:image\/(png|jpeg|webp|gif);base64,/.test(text);

function ripple(event) {
  const target = event.target.closest(".choice, .round, .pill, .act, .command");
  if (target === null || calm.matches || event.button > 0) return;
  const box = target.getBoundingClientRect();
  const wave = make("i", { class: "wave", "aria-hidden": "true" });
  const size = 2 * Math.max(box.width, box.height);
  wave.style.width = wave.style.height = `${size}px`;
  wave.style.left = `${event.clientX - box.left - size / 2}px`;
  wave.style.top = `${event.clientY - box.top - size / 2}px`;
  wave.addEventListener("animationend", () => wave.remove());
  target.append(wave);
}

function toast(text) {
  const note = make("p", { class: "toast", "data-testid": "toast", textContent: text });
  note.since = Date.now();
  note.addEventListener("click", () => note.remove());
  const shelf = $("toasts");
  while (shelf.children.length > 1) shelf.firstElementChild.remove();
  shelf.append(note);
  setTimeout(() => note.remove(), Math.min(8000, 2600 + text.length * 40));
}

// What is new in the conversation must not stay hidden under what was said before it.
function clearToasts() {
  for (const note of [...$("toasts").children]) if (Date.now() - note.since > 1200) note.remove();
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const area = make("textarea", { class: "sr", value: text, readOnly: true });
  document.body.append(area);
  area.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch {
    done = false;
  }
  area.remove();
  return done;
}

// ---------------------------------------------------------------- what waits to be heard

class Outbox {
  constructor(person) {
    this.key = `lapak.outbox.${person}`;
  }

  // Read anew each time: another tab of this browser may have sent or been answered.
  all() {
    try {
      const inputs = JSON.parse(recall(this.key) ?? "[]");
      return Array.isArray(inputs) ? inputs.filter((one) => typeof one?.input === "string") : [];
    } catch {
      return [];
    }
  }

  add(input) {
    keep(this.key, JSON.stringify([...this.all(), input]));
  }

  acknowledge(id) {
    const inputs = this.all();
    const open = inputs.filter((one) => one.input !== id);
    if (open.length < inputs.length) keep(this.key, JSON.stringify(open));
  }
}

// ---------------------------------------------------------------- the connection

class Line {
  // `listener` is told `opened(after)`, `heard(frame)` and `changed()`.
  constructor(person, listener) {
    this.person = person;
    this.listener = listener;
    this.online = false;
    this.ever = false;
    this.attempts = 0;
    this.retry = 0;
    this.socket = null;
    this.lastHeard = 0;
  }

  connect() {
    clearTimeout(this.retry);
    this.drop();
    const url = new URL("/chat/socket", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.after = this.listener.seq;
    url.searchParams.set("person", this.person);
    url.searchParams.set("after", this.after);
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("message", (event) => socket === this.socket && this.hear(event.data));
    socket.addEventListener("close", () => socket === this.socket && this.lost());
  }

  hear(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    this.lastHeard = Date.now();
    if (frame?.type === "hello") {
      this.online = this.ever = true;
      this.attempts = 0;
      this.listener.heard(frame);
      this.listener.opened(this.after);
      this.listener.changed();
    } else if (frame !== null && typeof frame === "object") {
      this.listener.heard(frame);
    }
  }

  send(input) {
    if (!this.online || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(input));
    return true;
  }

  drop() {
    const old = this.socket;
    this.socket = null;
    this.online = false;
    old?.close();
  }

  lost() {
    this.drop();
    const wait = Math.min(RETRY_LAST, RETRY_FIRST * 2 ** this.attempts);
    this.attempts += 1;
    this.retry = setTimeout(() => this.connect(), wait * (0.85 + Math.random() * 0.3));
    this.listener.changed();
  }

  // Something in the world suggests that a new attempt would succeed now.
  nudge(suspicious = false) {
    const open = this.socket !== null && this.socket.readyState <= WebSocket.OPEN;
    if (open && !suspicious) return;
    this.attempts = 0;
    this.connect();
    this.listener.changed();
  }
}

// ---------------------------------------------------------------- one bubble

class Bubble {
  constructor(conversation, frame) {
    this.conversation = conversation;
    this.element = make("article", { class: "msg", "data-testid": "message" });
    this.bubble = make("div", { class: "bubble" });
    this.element.append(this.bubble);
    this.choices = [];
    this.fill(frame);
  }

  get pending() {
    return this.element.dataset.state === "sending";
  }

  get answered() {
    return this.element.classList.contains("answered");
  }

  fill(frame) {
    this.frame = frame;
    const focused = this.bubble.contains(document.activeElement) ? document.activeElement.dataset.label : null;
    const at = Number(frame.at) || Date.now();
    Object.assign(this.element.dataset, { from: frame.from, id: frame.id, state: frame.state ?? "sent" });
    this.element.dataset.date = new Date(at).toDateString();
    this.element.setAttribute("aria-label", t(frame.from === "me" ? "me" : "shop"));
    this.element.classList.remove("answered");
    this.bubble.replaceChildren(...this.parts(frame, at));
    this.bubble.classList.toggle("wide", this.choices.length > 0 || isPicture(frame.image));
    if (focused) this.choices.find((button) => button.dataset.label === focused)?.focus();
  }

  parts(frame, at) {
    this.choices = [];
    const meta = this.meta(frame, at);
    const parts = [];
    if (frame.title) parts.push(make("h3", { class: "title", dir: "auto", textContent: frame.title }));
    if (isPicture(frame.image)) parts.push(this.picture(frame));
    if (frame.text || !frame.title) parts.push(this.paragraph(frame, meta));
    else parts.push(meta);
    if (frame.copy) parts.push(this.copyChip(frame.copy));
    const link = frame.link ? safeLink(frame.link) : null;
    if (link !== null) parts.push(this.linkRow(link));
    if (Array.isArray(frame.choices) && frame.choices.length > 0) parts.push(this.choiceGrid(frame.choices));
    return parts;
  }

  meta(frame, at) {
    const time = make("time", { dateTime: new Date(at).toISOString(), textContent: clock(at) });
    const meta = make("span", { class: "meta" }, time);
    if (frame.from === "me") {
      const sending = frame.state === "sending";
      const tick = make("span", { class: "tick", role: "img", "aria-label": t(sending ? "sending" : "sent") });
      tick.append(icon(sending ? "clock" : "check", 14));
      meta.append(tick);
    }
    return meta;
  }

  paragraph(frame, meta) {
    const text = make("span", { class: "words", dir: "auto", textContent: frame.text ?? "" });
    const line = make("p", { class: "text" }, text, meta);
    if (frame.photo) line.prepend(icon("clip", 18));
    return line;
  }

  picture(frame) {
    const image = make("img", { src: frame.image, alt: t("image.alt"), decoding: "async" });
    const open = make("button", { type: "button", class: "qr-open", "data-testid": "qr", "aria-label": t("image.open") }, image);
    open.addEventListener("click", () => showPicture(frame));
    const save = saveLink(make("a", { class: "pill", "data-testid": "save" }), frame);
    save.append(icon("save"), make("span", { textContent: t("image.save") }));
    const world = make("button", { type: "button", class: "pill", "data-testid": "qr-world" });
    world.append(icon("globe"), make("span", { textContent: t("image.demo") }));
    world.addEventListener("click", () => page.world.show());
    return make("figure", { class: "qr" }, open, make("figcaption", {}, save, world));
  }

  copyChip(value) {
    const code = make("code", { textContent: value, dir: "ltr" });
    const label = make("span", { class: "copy-label", textContent: t("copy") });
    const button = make("button", { type: "button", class: "pill", "data-testid": "copy" }, icon("copy"), label);
    button.addEventListener("click", async () => {
      const done = await copyText(value);
      label.textContent = t(done ? "copied" : "copy.failed");
      button.classList.toggle("done", done);
      if (!done) getSelection()?.selectAllChildren(code);
      clearTimeout(button.reset);
      button.reset = setTimeout(() => {
        label.textContent = t("copy");
        button.classList.remove("done");
      }, 2500);
    });
    label.setAttribute("role", "status");
    return make("div", { class: "copy" }, code, button);
  }

  linkRow(url) {
    const link = make("a", { class: "link", href: url.href, target: "_blank", rel: "noopener noreferrer", "data-testid": "link" });
    const host = make("small", { textContent: url.host });
    link.append(icon("out"), make("span", { textContent: t("link") }), host);
    return link;
  }

  choiceGrid(choices) {
    const grid = make("div", { class: "choices" });
    this.choices = choices.map((one) => this.choice(one));
    pairUp(this.choices, choices);
    grid.append(...this.choices);
    return grid;
  }

  choice(one) {
    const label = String(one.label ?? "");
    const button = make("button", { type: "button", class: "choice", "data-testid": "choice", "data-label": label, "data-choice": one.data });
    button.append(make("span", { class: "label", dir: "auto", textContent: label }));
    if (one.hint) button.append(" ", make("span", { class: "hint", dir: "auto", textContent: one.hint }));
    button.addEventListener("click", () => {
      const now = performance.now();
      if (now - (button.tapped ?? -SAME_TAP) < SAME_TAP) return;
      button.tapped = now;
      for (const other of this.choices) other.classList.toggle("chosen", other === button);
      this.element.classList.add("answered");
      navigator.vibrate?.(8);
      this.conversation.submit({ type: "tap", data: one.data, label });
    });
    return button;
  }

  revive() {
    this.element.classList.remove("answered");
  }

  flash() {
    this.element.classList.remove("changed");
    void this.element.offsetWidth; // restarts the animation when edits follow quickly
    this.element.classList.add("changed");
    setTimeout(() => this.element.classList.remove("changed"), 1600);
  }
}

// Two short neighbours share a line; everything else gets a line of its own.
function pairUp(buttons, choices) {
  const short = choices.map((one) => `${one.label ?? ""}${one.hint ?? ""}`.length <= SHORT_CHOICE);
  for (let at = 0; at + 1 < buttons.length; at += 1) {
    if (!short[at] || !short[at + 1]) continue;
    buttons[at].classList.add("half");
    buttons[at + 1].classList.add("half");
    at += 1;
  }
}

// ---------------------------------------------------------------- one conversation

class Conversation {
  constructor(view, person) {
    this.view = view;
    this.person = person;
    this.outbox = new Outbox(person);
    this.readKey = `lapak.read.${person}`;
    this.line = new Line(person, this);
    this.owner = view === "owner";
    this.draft = "";
    this.asked = false;
    this.typingTimer = 0;
    this.build();
    this.forget();
  }

  build() {
    this.intro = make("p", { class: "intro" });
    this.log = make("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions text" });
    this.dots = make("div", { class: "typing", "data-testid": "typing", hidden: true, "aria-hidden": "true" });
    this.dots.append(make("i"), make("i"), make("i"));
    this.element = make("div", { class: "thread", tabIndex: 0, role: "region" }, this.intro, this.log, this.dots);
    this.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    for (const doing of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      this.element.addEventListener(doing, () => (this.goal = null), { passive: true });
    }
    this.observer = new ResizeObserver(() => this.stuck && this.follow());
    this.observer.observe(this.element);
    this.observer.observe(this.log);
    this.translate();
  }

  translate() {
    this.intro.textContent = t(`intro.${this.view}`);
    this.element.setAttribute("aria-label", `${t("thread")}: ${t(`view.${this.view}`)}`);
  }

  // Back to an empty page: at the start, and when the shop turns out to be a new one with a short memory.
  forget() {
    this.seq = 0;
    this.bubbles = new Map();
    this.inputs = new Map();
    this.live = new Set();
    this.lastScreen = this.freshScreen = null;
    this.unread = 0;
    this.below = 0;
    this.stuck = true;
    this.lastTop = 0;
    this.goal = null; // where the page itself is scrolling to
    this.doubtful = false;
    this.log.replaceChildren();
    this.settle();
    for (const input of this.outbox.all()) this.showPending(input);
  }

  // ---- what the line tells us

  opened(after) {
    this.doubtful = after > 0;
    if (after === 0) this.settle();
    for (const input of this.outbox.all()) this.transmit(input);
  }

  changed() {
    if (!this.line.online) this.showTyping(false);
    page.refresh();
  }

  heard(frame) {
    const handlers = {
      hello: () => this.greet(frame),
      message: () => this.place(frame),
      edit: () => this.place(frame),
      toast: () => this.toasted(frame),
      typing: () => this.showTyping(true),
    };
    if (Object.hasOwn(handlers, frame.type)) handlers[frame.type]();
  }

  greet(frame) {
    this.owner = frame.owner === true || this.view === "owner";
    page.greeted(this, frame);
  }

  toasted(frame) {
    this.showTyping(false);
    for (const bubble of this.bubbles.values()) if (bubble.answered) bubble.revive();
    this.refreshLive();
    if (frame.text && page.current === this) toast(String(frame.text));
  }

  // ---- history

  // While the history is being told nothing moves, and a screen reader is not made to read all of it.
  settle() {
    this.settling = true;
    this.log.setAttribute("aria-live", "off");
    this.element.classList.add("settling");
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => this.settled(), QUIET_AFTER_HELLO);
  }

  settled() {
    this.settling = false;
    this.log.setAttribute("aria-live", "polite");
    this.element.classList.remove("settling");
    if (this.seq < this.lastRead) keep(this.readKey, "0"); // a new shop counts from one again
    this.greetFirst();
    page.refresh();
  }

  // A first visit starts by itself, and any visit by a link, once, when this conversation is looked at.
  greetFirst() {
    if (this.asked || this.settling || !this.line.online || page.current !== this) return;
    const link = this.owner ? "" : takeLink();
    const empty = this.bubbles.size === 0 && this.outbox.all().length === 0;
    if (!empty && link === "") return;
    this.asked = true;
    this.submit({ type: "text", text: `/start ${link}`.trim() });
  }

  get lastRead() {
    return Number(recall(this.readKey)) || 0;
  }

  markRead() {
    this.unread = 0;
    if (this.seq > 0 && this.seq !== this.lastRead) keep(this.readKey, String(this.seq));
  }

  // ---- showing

  place(frame) {
    if (this.restarted(frame)) return;
    const seq = Number(frame.seq) || 0;
    this.seq = Math.max(this.seq, seq);
    const mine = frame.from === "me";
    if (mine && frame.input) this.outbox.acknowledge(frame.input);
    if (this.settling) this.settle();
    const known = this.bubbles.get(frame.id) ?? (mine && frame.input ? this.inputs.get(frame.input) : undefined);
    if (known) this.replace(known, frame);
    else this.append(frame);
    if (!mine) this.showTyping(false);
    if (page.current === this) clearToasts();
    if (page.visible(this)) this.markRead();
    else if (!mine && !known && seq > this.lastRead) this.unread += 1;
    page.refresh();
  }

  // A first message older than what we asked for comes from a shop that was started afresh: its ids mean other messages.
  restarted(frame) {
    const doubtful = this.doubtful;
    this.doubtful = false;
    if (!doubtful || !(Number(frame.seq) <= this.line.after)) return false;
    keep(this.readKey, "0");
    this.forget();
    this.line.nudge(true);
    return true;
  }

  replace(bubble, frame) {
    const wasPending = bubble.pending;
    const photo = bubble.frame.photo;
    bubble.fill({ ...frame, photo });
    this.bubbles.set(frame.id, bubble);
    if (wasPending) this.insert(bubble);
    else if (frame.type === "edit" && !this.settling) bubble.flash();
    this.noteScreen(bubble, { appended: false });
    if (this.stuck) this.follow();
  }

  append(frame) {
    const bubble = new Bubble(this, frame);
    this.bubbles.set(frame.id, bubble);
    if (frame.from === "me" && frame.input) this.inputs.set(frame.input, bubble);
    this.insert(bubble);
    this.noteScreen(bubble, { appended: true });
    if (isPicture(frame.image) && !this.settling) page.world.refresh();
    if (this.stuck || frame.from === "me") this.follow();
    else if (frame.from === "shop") this.below += 1;
  }

  // What is not yet acknowledged stays at the end, in the order it was written.
  insert(bubble) {
    const waiting = this.log.querySelector('.msg[data-state="sending"]');
    const before = waiting === bubble.element ? bubble.element.nextElementSibling : waiting;
    if (before === bubble.element.nextElementSibling && bubble.element.parentNode === this.log) return this.nameDays(bubble.element);
    this.log.insertBefore(bubble.element, before);
    this.nameDays(bubble.element);
    return undefined;
  }

  nameDays(element) {
    for (const one of [element, element.nextElementSibling]) {
      if (one === null) continue;
      const previous = one.previousElementSibling;
      if (previous?.dataset.date === one.dataset.date) delete one.dataset.day;
      else one.dataset.day = dayName(new Date(one.dataset.date).getTime());
    }
  }

  noteScreen(bubble, { appended }) {
    const offers = bubble.choices.length > 0;
    if (offers && appended) this.lastScreen = bubble;
    if (offers) this.freshScreen = bubble;
    if (!offers && (bubble === this.lastScreen || bubble === this.freshScreen)) {
      this.lastScreen = this.freshScreen = [...this.bubbles.values()].findLast((one) => one.choices.length > 0) ?? null;
    }
    this.refreshLive();
  }

  refreshLive() {
    const live = new Set([this.lastScreen, this.freshScreen].filter((one) => one !== null && !one.answered));
    for (const bubble of this.live) if (!live.has(bubble)) bubble.element.classList.remove("live");
    for (const bubble of live) bubble.element.classList.add("live");
    this.live = live;
  }

  showTyping(on) {
    clearTimeout(this.typingTimer);
    if (on) this.typingTimer = setTimeout(() => this.showTyping(false), TYPING_AT_MOST);
    if (this.dots.hidden === !on) return;
    this.dots.hidden = !on;
    page.refresh();
    if (this.stuck) this.follow();
  }

  // ---- sending

  submit(body) {
    const input = { ...body, input: randomUuid() };
    if (input.text) input.text = input.text.slice(0, MOST_TEXT); // the server reads 64 KiB at most
    this.outbox.add(input);
    this.showPending(input);
    this.transmit(input);
    this.refreshLive();
    this.stuck = true;
    this.follow();
  }

  transmit(input) {
    if (!this.line.send(input)) return;
    const socket = this.line.socket;
    setTimeout(() => {
      const unheard = this.outbox.all().some((one) => one.input === input.input);
      const silent = Date.now() - this.line.lastHeard > ACK_PATIENCE / 2;
      if (unheard && silent && socket === this.line.socket) this.line.nudge(true);
    }, ACK_PATIENCE);
  }

  showPending(input) {
    const photo = input.type === "photo";
    const text = photo ? t("photo.sent") : (input.text ?? input.label ?? "");
    const frame = { from: "me", id: input.input, text, photo, at: Date.now(), state: "sending" };
    const bubble = new Bubble(this, frame);
    this.inputs.set(input.input, bubble);
    this.log.append(bubble.element);
    this.nameDays(bubble.element);
  }

  // ---- scrolling

  get distance() {
    return this.element.scrollHeight - this.element.clientHeight - this.element.scrollTop;
  }

  scrolled() {
    if (!this.element.isConnected) return;
    const top = this.element.scrollTop;
    // A person scrolls up to read; the page does to show a tall message, and where a message got shorter.
    if (top < this.lastTop - 2 && this.goal === null) this.stuck = false;
    if (this.distance < NEAR_END) this.stuck = true;
    if (this.stuck) this.below = 0;
    this.lastTop = top;
    page.refreshJump();
  }

  // To the end; but a message taller than the screen is read from its beginning.
  follow() {
    if (!this.element.isConnected) return;
    const last = this.log.lastElementChild;
    const end = this.element.scrollHeight - this.element.clientHeight;
    const tall = last !== null && last.dataset.from === "shop" && last.offsetHeight > this.element.clientHeight - 24;
    const top = tall ? Math.min(end, last.offsetTop - 10) : end;
    const smooth = !this.settling && !calm.matches && !document.hidden;
    this.goal = top;
    this.element.scrollTo({ top, behavior: smooth ? "smooth" : "instant" });
  }

  toEnd() {
    this.stuck = true;
    this.below = 0;
    this.element.scrollTo({ top: this.element.scrollHeight, behavior: calm.matches ? "instant" : "smooth" });
  }

  // ---- on and off the screen

  enter() {
    $("threads").prepend(this.element);
    if (this.stuck) this.element.scrollTop = this.element.scrollHeight;
    else this.element.scrollTop = this.lastTop;
    this.markRead();
    this.greetFirst();
  }

  leave() {
    this.element.remove();
  }
}

// ---------------------------------------------------------------- pictures

function saveLink(link, frame) {
  link.href = frame.image;
  const kind = frame.image.slice("data:image/".length, frame.image.indexOf(";"));
  link.download = `qr-${String(frame.id).replace(/[^\w-]/g, "")}.${kind === "jpeg" ? "jpg" : kind}`;
  return link;
}

function showPicture(frame) {
  $("viewer-title").textContent = frame.title || t("image.alt");
  $("viewer-image").src = frame.image;
  $("viewer-image").alt = t("image.alt");
  saveLink($("viewer-save"), frame);
  $("viewer").showModal();
}

// ---------------------------------------------------------------- the page

class Page {
  constructor() {
    this.shop = "Lapak";
    this.barTimer = null;
    this.conversations = {};
    this.current = null;
  }

  start() {
    this.world = mountWorld({
      panel: $("world"),
      veil: $("veil"),
      opener: $("world-open"),
      phone: document.querySelector(".phone"),
      toOwner: () => this.turnTo("owner"),
    });
    this.conversations = {
      customer: new Conversation("customer", customerId()),
      owner: new Conversation("owner", "owner"),
    };
    const wanted = new URLSearchParams(location.search).get("as") === "owner" ? "owner" : "customer";
    this.translate();
    this.show(wanted);
    for (const one of Object.values(this.conversations)) one.line.connect();
    this.listen();
  }

  get all() {
    return Object.values(this.conversations);
  }

  visible(conversation) {
    return conversation === this.current && !document.hidden;
  }

  // ---- views

  show(view) {
    if (this.current?.view === view) return;
    if (this.current !== null) {
      this.current.draft = $("composer").value;
      this.current.leave();
    }
    this.current = this.conversations[view];
    html.dataset.view = view;
    $("composer").value = this.current.draft;
    fitComposer();
    closeMenu();
    $("toasts").replaceChildren();
    this.current.enter();
    this.refresh();
  }

  greeted(conversation, frame) {
    if (typeof frame.shop === "string" && frame.shop) this.shop = frame.shop;
    if (conversation === this.current && frame.language in TEXTS && frame.language !== language) {
      language = frame.language;
      this.translate();
    }
    this.refresh();
  }

  translate() {
    html.lang = language;
    for (const one of document.querySelectorAll("[data-text]")) one.textContent = t(one.dataset.text);
    for (const one of document.querySelectorAll("[data-label]")) {
      if (one.closest(".thread") === null) one.setAttribute("aria-label", t(one.dataset.label));
    }
    for (const one of document.querySelectorAll("[data-title]")) one.title = t(one.dataset.title);
    $("composer").placeholder = t("composer");
    for (const conversation of this.all) {
      conversation.translate();
      for (const bubble of new Set([...conversation.bubbles.values(), ...conversation.inputs.values()])) {
        bubble.fill(bubble.frame);
        conversation.nameDays(bubble.element);
      }
      conversation.refreshLive();
    }
    this.world.setLanguage(language);
  }

  // ---- the parts that follow the state

  refresh() {
    if (this.queued) return;
    this.queued = true;
    queueMicrotask(() => {
      this.queued = false;
      if (this.current === null) return;
      this.refreshHeader();
      this.refreshBadges();
      this.refreshJump();
    });
  }

  refreshHeader() {
    const { line, dots } = this.current;
    $("shop-name").textContent = this.shop;
    $("dot").className = line.online ? "dot on" : "dot";
    const status = line.online ? "online" : "offline";
    $("status").textContent = t(dots.hidden ? status : "typing");
    const bar = $("connection");
    bar.dataset.state = line.online ? "online" : "connecting";
    if (line.online) bar.hidden = true;
    else this.barTimer ??= setTimeout(() => this.showBar(), BRIEFLY);
  }

  // A moment without a connection is nothing to talk about.
  showBar() {
    this.barTimer = null;
    if (this.current.line.online) return;
    $("connection-text").textContent = t(this.current.line.ever ? "reconnecting" : "connecting");
    $("connection").hidden = false;
  }

  refreshBadges() {
    let total = 0;
    for (const conversation of this.all) {
      const button = $(`view-${conversation.view}`);
      const chosen = conversation === this.current;
      const count = chosen && !document.hidden ? 0 : conversation.unread;
      total += conversation.unread;
      button.setAttribute("aria-pressed", String(chosen));
      const name = t(`view.${conversation.view}`);
      button.setAttribute("aria-label", count > 0 ? `${name}, ${count} ${t("unread")}` : name);
      setBadge(button, chosen ? 0 : count);
    }
    document.title = total > 0 ? `(${total}) ${this.shop}` : this.shop;
  }

  refreshJump() {
    if (this.current === null) return;
    $("jump").hidden = this.current.stuck || this.current.distance < NEAR_END;
    setBadge($("jump"), this.current.below);
  }

  // ---- what people and the browser do

  listen() {
    for (const view of ["customer", "owner"]) $(`view-${view}`).addEventListener("click", () => this.turnTo(view));
    $("jump").addEventListener("click", () => this.current.toEnd());
    $("photo").addEventListener("click", () => this.current.submit({ type: "photo" }));
    $("bar").addEventListener("submit", (event) => {
      event.preventDefault();
      sendComposer();
    });
    $("composer").addEventListener("input", fitComposer);
    $("composer").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      sendComposer();
    });
    $("viewer-close").addEventListener("click", () => $("viewer").close());
    $("viewer").addEventListener("click", (event) => event.target === $("viewer") && $("viewer").close());
    document.addEventListener("pointerdown", ripple, { passive: true });
    this.listenToBrowser();
  }

  listenToBrowser() {
    let hiddenAt = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        hiddenAt = Date.now();
        return;
      }
      const slept = hiddenAt > 0 && Date.now() - hiddenAt > SLEPT;
      for (const one of this.all) one.line.nudge(slept);
      this.current.markRead();
      this.refresh();
    });
    window.addEventListener("online", () => this.all.forEach((one) => one.line.nudge()));
    window.addEventListener("pageshow", (event) => event.persisted && this.all.forEach((one) => one.line.nudge(true)));
    window.addEventListener("popstate", () => {
      this.show(new URLSearchParams(location.search).get("as") === "owner" ? "owner" : "customer");
    });
    // iOS lays its keyboard over the page instead of making the page smaller.
    window.visualViewport?.addEventListener("resize", () => {
      html.style.setProperty("--height", `${Math.round(window.visualViewport.height)}px`);
      window.scrollTo(0, 0);
    });
  }

  turnTo(view) {
    const url = new URL(location.href);
    if (view === "owner") url.searchParams.set("as", "owner");
    else url.searchParams.delete("as");
    history.replaceState(null, "", url);
    this.show(view);
  }
}

function setBadge(holder, count) {
  const badge = holder.querySelector(".badge");
  badge.hidden = count === 0;
  badge.textContent = count > 9 ? "9+" : String(count);
}

// ---------------------------------------------------------------- the composer

function fitComposer() {
  const area = $("composer");
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 132)}px`;
  $("bar").classList.toggle("ready", area.value.trim() !== "");
}

function sendComposer() {
  const text = $("composer").value.trim();
  if (text === "") return $("composer").focus();
  $("composer").value = "";
  fitComposer();
  $("composer").focus({ preventScroll: true });
  return page.current.submit({ type: "text", text });
}

// ---------------------------------------------------------------- the command menu

function openMenu() {
  const commands = page.current.owner ? [...new Set([...OWNER_COMMANDS, ...COMMANDS])] : COMMANDS;
  $("commands").replaceChildren(...commands.map(commandRow));
  $("commands").hidden = false;
  $("menu").setAttribute("aria-expanded", "true");
  $("commands").firstElementChild.focus({ preventScroll: true });
}

function closeMenu() {
  $("commands").hidden = true;
  $("menu").setAttribute("aria-expanded", "false");
}

function commandRow(command) {
  const row = make("button", { type: "button", class: "command", role: "menuitem", tabIndex: -1, "data-testid": "command", "data-command": command });
  const special = `owner.${command}`;
  const label = page.current.owner && special in TEXTS.id ? special : command;
  row.append(make("span", { textContent: t(label) }), make("code", { textContent: command }));
  row.addEventListener("click", () => {
    closeMenu();
    $("menu").focus({ preventScroll: true });
    page.current.submit({ type: "text", text: command });
  });
  return row;
}

function moveInMenu(event) {
  const rows = [...$("commands").children];
  const at = rows.indexOf(document.activeElement);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1 + rows.length, Home: 0, End: rows.length - 1 };
  if (event.key in moves) {
    event.preventDefault();
    rows[moves[event.key] % rows.length].focus();
  } else if (event.key === "Escape") {
    closeMenu();
    $("menu").focus();
  } else if (event.key === "Tab") {
    closeMenu();
  }
}

function listenToMenu() {
  $("menu").addEventListener("click", () => ($("commands").hidden ? openMenu() : closeMenu()));
  $("commands").addEventListener("keydown", moveInMenu);
  document.addEventListener("pointerdown", (event) => {
    if (!$("commands").hidden && event.target.closest("#commands, #menu") === null) closeMenu();
  });
}

const page = new Page();
listenToMenu();
page.start();
