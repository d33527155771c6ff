// "Gangguan pemasok", the troubles: one supplier is chosen, and what goes wrong there next.
// What is still to come of it is read from that supplier's journal, so it is true after a reload as well.

import { actButton, layOut, make, nameButton, setText } from "/chat/drawing.js";
import { SLUGS, SUPPLIERS, firstWordOf, isOpen, nameOf, purchasesAt } from "/chat/suppliers.js";

const ENOUGH = 2_000_000; // rupiah, where the books do not say what the balance was

const TEXTS = {
  id: {
    "title": "Gangguan pemasok",
    "choose": "Pemasok mana",
    "more": "Callback dan pertanyaan",
    "slow": "Pemasok lambat",
    "slow.about": "3 panggilan berikutnya dijawab lama sekali.",
    "timeout": "Pemasok diam (timeout)",
    "timeout.about": "Pesanan berikutnya diterima, tetapi tak ada jawaban.",
    "broken": "Pemasok error 500",
    "broken.about": "3 panggilan berikutnya ditolak server yang rusak.",
    "loss": "QR rugi",
    "loss.about": "Modal QR berikutnya melebihi harga jual.",
    "empty": "Saldo habis",
    "empty.about": "Saldo toko di sana menjadi nol.",
    "fails": "Pesanan gagal",
    "fails.about": "Pesanan berikutnya berakhir gagal.",
    "hold": "Tahan pesanan",
    "hold.about": "Tiap pesanan menunggu Anda memilih nasibnya di kartunya.",
    "twice": "Callback dua kali",
    "twice.about": "Kabar pesanan berikutnya datang dua kali.",
    "late": "Callback terlambat",
    "late.about": "Kabar pesanan berikutnya datang 10 detik sesudahnya.",
    "early": "Callback mendahului",
    "early.about": "Kabarnya datang sebelum pesanan dijawab.",
    "missing": "Pesanan tak ditemukan",
    "missing.about": "3 pertanyaan berikutnya dijawab: tidak ada.",
    "clear": "Hapus gangguan",
    "clear.about": "Pemasok kembali sehat.",
    "left": "{count} lagi",
    "on": "aktif",
    "done": "{who}: gangguan dipasang.",
    "hold.done": "{who}: pesanan ditahan sampai Anda memilih.",
    "hold.off": "{who}: pesanan berjalan sendiri lagi.",
    "clear.done": "{who}: semua gangguan dihapus.",
  },
  en: {
    "title": "Supplier troubles",
    "choose": "Which supplier",
    "more": "Callbacks and questions",
    "slow": "Slow supplier",
    "slow.about": "The next 3 calls take very long.",
    "timeout": "Silent supplier (timeout)",
    "timeout.about": "The next order is accepted, but never answered.",
    "broken": "Supplier error 500",
    "broken.about": "The next 3 calls meet a broken server.",
    "loss": "QR at a loss",
    "loss.about": "The next QR costs more than the selling price.",
    "empty": "No balance left",
    "empty.about": "The shop's balance there becomes zero.",
    "fails": "Failing order",
    "fails.about": "The next order ends as failed.",
    "hold": "Hold orders",
    "hold.about": "Each order waits until you choose on its card.",
    "twice": "Callback twice",
    "twice.about": "The news of the next order comes two times.",
    "late": "Late callback",
    "late.about": "The news of the next order comes 10 seconds later.",
    "early": "Early callback",
    "early.about": "The news comes before the order is answered.",
    "missing": "Order not found",
    "missing.about": "The next 3 questions are answered: none such.",
    "clear": "Clear troubles",
    "clear.about": "The supplier is healthy again.",
    "left": "{count} to come",
    "on": "on",
    "done": "{who}: the trouble is set.",
    "hold.done": "{who}: orders wait until you choose.",
    "hold.off": "{who}: orders go on by themselves again.",
    "clear.done": "{who}: all troubles are cleared.",
  },
};

const FAULTS = {
  slow: { kind: "slow", count: 3 },
  timeout: { kind: "timeout", count: 1 },
  broken: { kind: "500", count: 3 },
  loss: { kind: "loss", count: 1 },
  fails: { kind: "fails", count: 1 },
  twice: { kind: "callback_twice", count: 1 },
  late: { kind: "callback_late", count: 1 },
  early: { kind: "callback_before_the_answer", count: 1 },
  missing: { kind: "missing", count: 3 },
};
const OFFERED = {
  zultopup: ["slow", "timeout", "broken", "loss", "empty"],
  others: ["hold", "fails", "slow", "timeout", "broken", "empty"],
};
const CALLBACKS = ["twice", "late", "early", "missing"];
const BUTTONS = ["hold", "fails", "slow", "timeout", "broken", "loss", "empty", "clear"];

export class Troubles {
  // `act` is told (button, wishes, said): each wish is [slug, action, body].
  constructor(act) {
    this.act = act;
    this.slug = SLUGS[0];
    this.held = new Set();
    this.journals = {};
    this.books = null;
    this.title = make("h3");
    this.pills = SLUGS.map((slug) => this.pill(slug));
    this.chooser = make("div", "suppliers", ...this.pills);
    this.chooser.setAttribute("role", "group");
    this.buttons = Object.fromEntries([...BUTTONS, ...CALLBACKS].map((name) => [name, this.button(name)]));
    const of = (names) => names.map((name) => this.buttons[name]);
    this.usual = make("div", "acts faults", ...of(BUTTONS.filter((name) => name !== "clear")));
    this.fold = make("summary");
    this.rest = make("details", "fold", this.fold, make("div", "acts faults", ...of(CALLBACKS)));
    this.last = make("div", "acts faults", this.buttons.clear);
    this.element = make("section", "troubles", this.title, this.chooser, this.usual, this.rest, this.last);
    this.element.dataset.testid = "troubles";
    this.setLanguage("id");
  }

  pill(slug) {
    const pill = make("button", "", nameOf(slug), make("i"));
    pill.type = "button";
    pill.dataset.testid = `supplier-${slug}`;
    pill.addEventListener("click", () => {
      this.slug = slug;
      this.redraw();
    });
    return pill;
  }

  button(name) {
    const button = actButton(`fault-${name}`);
    button.addEventListener("click", () => this.press(button, name));
    return button;
  }

  t(key) {
    return TEXTS[this.language][key] ?? TEXTS.id[key] ?? "";
  }

  setLanguage(next) {
    this.language = next in TEXTS ? next : "id";
    this.redraw();
  }

  draw(journals, books) {
    this.journals = journals;
    this.books = books;
    this.redraw();
  }

  redraw() {
    setText(this.title, this.t("title"));
    setText(this.fold, this.t("more"));
    this.chooser.setAttribute("aria-label", this.t("choose"));
    SLUGS.forEach((slug, index) => {
      this.pills[index].setAttribute("aria-pressed", String(slug === this.slug));
      this.pills[index].classList.toggle("troubled", this.isTroubled(slug));
    });
    const offered = [...(OFFERED[this.slug] ?? OFFERED.others), "clear"];
    for (const [name, button] of Object.entries(this.buttons)) this.redrawOne(button, name, offered);
    this.rest.hidden = !SUPPLIERS[this.slug].callsBack;
    layOut(this.usual);
    layOut(this.last);
  }

  redrawOne(button, name, offered) {
    const set = this.isSet(name);
    button.hidden = !(offered.includes(name) || CALLBACKS.includes(name));
    button.classList.toggle("set", set !== "");
    nameButton(button, this.t(name) + (set && ` · ${set}`), this.t(`${name}.about`));
    if (name === "hold") button.setAttribute("aria-pressed", String(this.held.has(this.slug)));
  }

  // ---- what is wrong there now

  faultsAt(slug) {
    const faults = this.journals[slug]?.faults;
    return Array.isArray(faults) ? faults : [];
  }

  isEmpty(slug) {
    return this.journals[slug]?.balance === 0;
  }

  isTroubled(slug) {
    return this.faultsAt(slug).length > 0 || this.held.has(slug) || this.isEmpty(slug);
  }

  isSet(name) {
    if (name === "hold") return this.held.has(this.slug) ? this.t("on") : "";
    if (name === "empty") return this.isEmpty(this.slug) ? this.t("on") : "";
    const count = this.faultsAt(this.slug).filter(({ kind }) => kind === FAULTS[name]?.kind).reduce((sum, one) => sum + one.count, 0);
    return count > 0 ? this.t("left").replace("{count}", count) : "";
  }

  // ---- doing wrong, and right again

  press(button, name) {
    const said = (key) => this.t(key).replace("{who}", nameOf(this.slug));
    if (name === "hold") return this.hold(button, said);
    if (name === "clear") return this.clear(button, said);
    if (name === "empty") return this.act(button, [[this.slug, "balance", { balance: 0 }]], said("done"));
    const path = name === "timeout" ? { path: SUPPLIERS[this.slug].ordering } : {};
    return this.act(button, [[this.slug, "fault", { ...FAULTS[name], ...path }]], said("done"));
  }

  hold(button, said) {
    const holds = !this.held.delete(this.slug);
    if (holds) this.held.add(this.slug);
    this.redraw();
    return this.act(button, [], said(holds ? "hold.done" : "hold.off"));
  }

  clear(button, said) {
    const wishes = [[this.slug, "fault", { kind: "clear" }]];
    if (this.isEmpty(this.slug)) wishes.push([this.slug, "balance", { balance: this.booked(this.slug) }]);
    this.held.delete(this.slug);
    return this.act(button, wishes, said("clear.done"));
  }

  // What the shop thinks that it has there: with that, nothing is missing.
  booked(slug) {
    const account = this.books?.accounts.find((one) => one.account === `supplier:${slug}`);
    return account?.balance > 0 ? account.balance : ENOUGH;
  }

  // Orders that are to be held, and would still end by themselves: the same word again keeps them as they are.
  toHold() {
    const here = [...this.held].flatMap((slug) => purchasesAt(slug, this.journals[slug]));
    return here.filter((purchase) => isOpen(purchase) && purchase.due !== null)
      .map(({ slug, id }) => [slug, "finish", { id, status: firstWordOf(slug) }]);
  }
}
