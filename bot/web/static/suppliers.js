// The suppliers that the demo plays: what they are called, and their own words for how an order stands.

// What a word means here. `waits` may still go either way. Of what fails, the shop's cost comes back and that is said
// (`returned`), comes back and is not said (`failed`), or does not come back (`kept`).
const MEANINGS = {
  waits: { tone: "work", status: "pending" },
  done: { tone: "good", status: "success" },
  partly: { tone: "wait", status: "partly" },
  failed: { tone: "bad", status: "error" },
  kept: { tone: "bad", status: "error" },
  returned: { tone: "bad", status: "error" },
};
const UNKNOWN = { tone: "off", status: "" };

// `usual`: what can be said first. `words`: all of them, the first is the one an order begins with.
// `ordering`: what the path of an order has in it; a question about one begins alike, and comes later.
export const SUPPLIERS = {
  zultopup: {
    name: "ZulTopup",
    words: { Pending: "waits", Success: "done", Gagal: "returned", Error: "returned" },
    usual: ["Success", "Gagal"],
    ordering: "order/create",
  },
  zonegame: {
    name: "ZoneGame",
    words: { pending: "waits", success: "done", failed: "failed" },
    usual: ["success", "failed"],
    ordering: "/api/v1/order",
    callsBack: true,
  },
  senpay: {
    name: "SenPay",
    words: { processing: "waits", success: "done", failed: "kept", refund: "returned", expired: "failed" },
    usual: ["success", "failed"],
    ordering: "/transaction/create",
    callsBack: true,
  },
  kiosgame: {
    name: "Kiosgame",
    words: { PENDING: "waits", SUCCESS: "done", FAILED: "failed", PARTIAL_SUCCESS: "partly", REFUNDED: "returned" },
    usual: ["SUCCESS", "FAILED"],
    ordering: "/v2/order",
    callsBack: true,
  },
  apigames: {
    name: "Apigames",
    words: { Pending: "waits", Sukses: "done", Gagal: "failed", "Sukses Sebagian": "partly" },
    usual: ["Sukses", "Gagal"],
    ordering: "/v2/transaksi",
    callsBack: true,
  },
};
export const SLUGS = Object.keys(SUPPLIERS);

export const control = (slug, what) => `/control/${slug}/${what}`;
export const nameOf = (slug) => SUPPLIERS[slug]?.name ?? slug;
export const wordsOf = (slug) => Object.keys(SUPPLIERS[slug].words);
export const firstWordOf = (slug) => wordsOf(slug)[0];
export const meaningOf = (slug, word) => SUPPLIERS[slug].words[word] ?? "";
export const lookOf = (slug, word) => MEANINGS[meaningOf(slug, word)] ?? UNKNOWN;

export const rows = (list) => (Array.isArray(list) ? list.filter((row) => row?.id !== undefined) : []);

// What the shop has bought from its balance there, as it stands in that supplier's journal, the oldest first.
export function purchasesAt(slug, journal) {
  return slug === "zultopup" ? fromZulTopup(journal) : fromPrepaid(slug, journal);
}

// ZulTopup is told no reference of the shop; only the shop knows which of its orders has become this one.
function fromZulTopup(journal) {
  return rows(journal?.orders).filter((row) => row.payment_status === null).map((row) => ({
    slug: "zultopup",
    id: String(row.id),
    ref: String(row.invoice),
    order: "",
    item: String(row.item || row.layanan || ""),
    target: String(row.target ?? ""),
    cost: row.amount,
    word: String(row.status),
    sn: row.sn ?? "",
    due: row.due_at,
    since: Number(row.created_at) || 0,
    changed: Number(row.finished_at ?? row.created_at) || 0,
    callbacks: [],
  }));
}

function fromPrepaid(slug, journal) {
  const callbacks = Array.isArray(journal?.callbacks) ? journal.callbacks : [];
  return rows(journal?.orders).map((row) => ({
    slug,
    id: String(row.id),
    ref: String(row.ref),
    order: orderOf(slug, String(row.ref)),
    item: String(row.item ?? ""),
    target: [row.target, row.server].filter(Boolean).join(" · "),
    cost: row.price,
    word: String(row.status),
    sn: meaningOf(slug, row.status) === "done" ? row.sn : "",
    due: row.due_at,
    since: Number(row.accepted_at) || 0,
    changed: Number(row.changed_at) || 0,
    callbacks: callbacks.filter(({ ref }) => ref === row.ref),
  }));
}

// The shop calls its n-th try to have an order delivered there `<order>-<supplier>-<n>`.
function orderOf(slug, ref) {
  return new RegExp(`^(.+)-${slug}-\\d+$`).exec(ref)?.[1] ?? "";
}

// A word that is not offered here is one more that they have for what goes on.
export const isOpen = ({ slug, word }) => ["waits", ""].includes(meaningOf(slug, word));
