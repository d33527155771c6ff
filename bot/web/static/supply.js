// What the shop has bought from a supplier for one order: how it stands there, who was told, and what is to become of it.

import { actButton, clockface, layOut, make, nameButton, rupiah, setText } from "/chat/drawing.js";
import { SUPPLIERS, isOpen, lookOf, meaningOf, nameOf, wordsOf } from "/chat/suppliers.js";

const TEXTS = {
  id: {
    "bought": "Dipesan di {who}",
    "cost": "Modal toko",
    "sn": "SN",
    "ref": "referensi",
    "left": "berakhir sendiri dalam",
    "more": "Kata lain",
    "change": "Ubah statusnya",
    "sooner": "Mau memilih sebelum pesanan selesai sendiri? Tekan “Tahan pesanan” di bawah.",
    "finish.done": "{who} melaporkan {word}.",
    "waits": "Menggantung, sampai Anda memilih.",
    "done": "Top up terkirim, lengkap dengan nomor serinya.",
    "partly": "Sebagian terkirim. Pemilik ditanya.",
    "failed": "Top up gagal. Modal kembali, tanpa dikatakan.",
    "kept": "Top up gagal. Modal belum kembali.",
    "returned": "Top up gagal. Modal toko kembali.",
    "heard": "Callback terdengar: toko menjawab {status}.",
    "unheard": "Callback tidak diterima ({status}). Dikirim lagi.",
    "silent": "Belum ada callback.",
    "never": "Tanpa callback: toko bertanya sendiri.",
  },
  en: {
    "bought": "Ordered at {who}",
    "cost": "Shop's cost",
    "sn": "SN",
    "ref": "reference",
    "left": "ends by itself in",
    "more": "Other words",
    "change": "Change the status",
    "sooner": "To choose before an order ends by itself, press “Hold orders” below.",
    "finish.done": "{who} reports {word}.",
    "waits": "It hangs until you choose.",
    "done": "The top-up arrives, with its serial number.",
    "partly": "Part of it arrives. The owner is asked.",
    "failed": "The top-up fails. The cost comes back, unsaid.",
    "kept": "The top-up fails. The cost is not back yet.",
    "returned": "The top-up fails. The shop's cost comes back.",
    "heard": "Callback heard: the shop answered {status}.",
    "unheard": "Callback not taken ({status}). It is sent again.",
    "silent": "No callback yet.",
    "never": "No callbacks: the shop asks by itself.",
  },
};

export class Supply {
  // `finish` is told (button, slug, body, said) when a word is chosen.
  constructor({ slug, id }, finish) {
    this.finish = finish;
    this.slug = slug;
    this.id = id;
    this.name = make("strong");
    this.left = make("span", "left");
    this.word = make("span", "chip");
    this.facts = make("p", "facts");
    this.heard = make("p", "heard");
    this.words = new Map(wordsOf(slug).map((word) => [word, this.button(word)]));
    this.usual = make("div", "acts");
    this.others = make("div", "acts");
    this.fold = make("summary");
    this.sooner = make("p", "hint");
    this.rest = make("details", "fold", this.fold, this.others, this.sooner);
    const head = make("div", "supply-head", this.name, make("span", "chips", this.left, this.word));
    this.element = make("section", "supply", head, this.facts, this.heard, this.usual, this.rest);
    Object.assign(this.element.dataset, { testid: "supply", supplier: slug, id });
    this.heard.dataset.testid = "callback";
    this.left.dataset.testid = "ends-in";
  }

  button(word) {
    const button = actButton(`finish-${word}`);
    button.addEventListener("click", () => {
      const said = this.t("finish.done").replace("{who}", nameOf(this.slug)).replace("{word}", word);
      this.finish(button, this.slug, { id: this.id, status: word }, said);
    });
    return button;
  }

  t(key) {
    return TEXTS[this.language][key] ?? TEXTS.id[key] ?? "";
  }

  update(purchase, language) {
    this.language = language in TEXTS ? language : "id";
    this.element.dataset.word = purchase.word;
    setText(this.name, this.t("bought").replace("{who}", nameOf(this.slug)));
    setText(this.word, purchase.word);
    this.word.dataset.tone = lookOf(this.slug, purchase.word).tone;
    this.countdown(purchase);
    this.tell(purchase);
    setText(this.facts, this.known(purchase));
    this.offer(purchase);
  }

  countdown(purchase) {
    const remaining = purchase.due - Date.now();
    this.left.hidden = !(endsByItself(purchase) && remaining > 0);
    if (this.left.hidden) return;
    setText(this.left, clockface(remaining));
    this.left.title = `${this.t("left")} ${clockface(remaining)}`;
  }

  known({ id, ref, cost, sn }) {
    const named = ref === id ? [id] : [id, `${this.t("ref")} ${ref}`];
    return [...named, `${this.t("cost")} ${rupiah(cost)}`, sn && `${this.t("sn")} ${sn}`].filter(Boolean).join(" · ");
  }

  tell(purchase) {
    const { key, status, tone } = this.callback(purchase);
    setText(this.heard, this.t(key).replace("{status}", status));
    this.heard.dataset.tone = tone;
  }

  // What became of the callback that was sent last.
  callback({ callbacks }) {
    if (!SUPPLIERS[this.slug].callsBack) return { key: "never", status: "", tone: "off" };
    const last = callbacks.at(-1);
    if (last === undefined) return { key: "silent", status: "", tone: "off" };
    const taken = last.error === "" && last.status >= 200 && last.status < 300;
    return { key: taken ? "heard" : "unheard", status: last.error || last.status, tone: taken ? "good" : "bad" };
  }

  // First what usually happens; all else, and every change of mind, only to those who look for it.
  offer(purchase) {
    const focused = this.element.contains(document.activeElement);
    const open = isOpen(purchase);
    const isUsual = (word) => open && SUPPLIERS[this.slug].usual.includes(word);
    for (const [word, button] of this.words) {
      button.hidden = word === purchase.word && !endsByItself(purchase);
      button.classList.toggle("main", isUsual(word) && meaningOf(this.slug, word) === "done");
      nameButton(button, breakable(word), this.t(meaningOf(this.slug, word)));
    }
    this.fill(this.usual, isUsual);
    this.fill(this.others, (word) => !isUsual(word));
    setText(this.fold, this.t(open ? "more" : "change"));
    setText(this.sooner, this.t("sooner"));
    this.sooner.hidden = open || !SUPPLIERS[this.slug].callsBack;
    this.rest.hidden = !layOut(this.others);
    layOut(this.usual);
    if (focused && !this.element.contains(document.activeElement)) this.fold.focus({ preventScroll: true });
  }

  fill(group, belongs) {
    const wanted = [...this.words].filter(([word]) => belongs(word)).map(([, button]) => button);
    const there = [...group.children];
    if (wanted.length !== there.length || wanted.some((button, index) => button !== there[index])) group.replaceChildren(...wanted);
  }
}

// A long word of theirs may go on in the next line after an underscore.
const breakable = (word) => word.replaceAll("_", "_\u200b");

// Then the word that it has can be chosen, too: it would not keep it, and so it does.
const endsByItself = (purchase) => isOpen(purchase) && purchase.due !== null;
