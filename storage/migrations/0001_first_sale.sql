-- The first sale. Written in what SQLite and PostgreSQL share: instants are epoch milliseconds,
-- money is whole rupiah, both BIGINT; texts are TEXT; the order row is the workflow.

CREATE TABLE orders (
    id            TEXT PRIMARY KEY,
    idempotency   TEXT NOT NULL UNIQUE,
    address       TEXT NOT NULL,
    supplier      TEXT NOT NULL,
    sku           TEXT NOT NULL,
    game          TEXT NOT NULL,
    item          TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    server        TEXT NOT NULL,
    target        TEXT NOT NULL,
    listed        BIGINT NOT NULL CHECK (listed >= 0),
    cost          BIGINT NOT NULL CHECK (cost >= 0),
    price         BIGINT NOT NULL CHECK (price >= cost AND price >= listed),
    status        TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    quote_until   BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    due_at        BIGINT,
    claimed_at    BIGINT,
    last_claim_at BIGINT,
    settled_at    BIGINT,
    serial        TEXT NOT NULL,
    alarmed       BIGINT NOT NULL
);
CREATE INDEX orders_by_address ON orders (address, created_at);
CREATE INDEX orders_due ON orders (supplier, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_waiting ON orders (supplier)
    WHERE status IN ('awaiting_payment', 'processing');
CREATE INDEX orders_by_target ON orders (supplier, sku, target);
CREATE INDEX orders_delivered ON orders (status, changed_at);

CREATE TABLE invoices (
    order_id     TEXT PRIMARY KEY REFERENCES orders (id),
    supplier     TEXT NOT NULL,
    supplier_ref TEXT NOT NULL,
    number       TEXT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount >= 0),
    cost         BIGINT NOT NULL CHECK (cost >= 0),
    qr           TEXT NOT NULL,
    link         TEXT NOT NULL,
    expires_at   BIGINT,
    UNIQUE (supplier, supplier_ref)
);

CREATE TABLE pictures (
    order_id TEXT PRIMARY KEY REFERENCES orders (id),
    bytes    BYTEA NOT NULL
);

CREATE TABLE order_events (
    order_id  TEXT NOT NULL REFERENCES orders (id),
    version   BIGINT NOT NULL,
    event     TEXT NOT NULL,
    was       TEXT NOT NULL,
    became    TEXT NOT NULL,
    at        BIGINT NOT NULL,
    actor     TEXT NOT NULL,
    evidence  TEXT NOT NULL,
    PRIMARY KEY (order_id, version)
);

CREATE TABLE cases (
    id            TEXT PRIMARY KEY,
    order_id      TEXT NOT NULL REFERENCES orders (id),
    kind          TEXT NOT NULL,
    evidence      TEXT NOT NULL,
    opened_at     BIGINT NOT NULL,
    closed_at     BIGINT,
    answer        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    pending       TEXT NOT NULL,
    pending_by    TEXT NOT NULL,
    pending_until BIGINT
);
CREATE UNIQUE INDEX cases_open ON cases (order_id) WHERE closed_at IS NULL;
CREATE INDEX cases_by_order ON cases (order_id, opened_at);

CREATE TABLE outbox (
    address    TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    message    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    facts      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at     BIGINT,
    tries      BIGINT NOT NULL,
    sent_at    BIGINT,
    failed     TEXT NOT NULL,
    PRIMARY KEY (address, seq),
    UNIQUE (address, message)
);
CREATE INDEX outbox_waiting ON outbox (address, seq) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_by_order ON outbox (order_id, kind);

CREATE TABLE shown (
    order_id   TEXT NOT NULL,
    address    TEXT NOT NULL,
    slot       TEXT NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (order_id, address, slot)
);

CREATE TABLE sessions (
    address    TEXT PRIMARY KEY,
    language   TEXT NOT NULL,
    step       TEXT NOT NULL,
    screen     BIGINT NOT NULL,
    page       BIGINT NOT NULL,
    draft      TEXT NOT NULL,
    last_input TEXT NOT NULL,
    touched_at BIGINT NOT NULL
);

CREATE TABLE offers (
    supplier TEXT NOT NULL,
    sku      TEXT NOT NULL,
    position BIGINT NOT NULL,
    game     TEXT NOT NULL,
    item     TEXT NOT NULL,
    listed   BIGINT NOT NULL CHECK (listed > 0),
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (supplier, sku)
);
CREATE INDEX offers_by_game ON offers (game);

CREATE TABLE charges (
    supplier   TEXT NOT NULL,
    sku        TEXT NOT NULL,
    listed     BIGINT NOT NULL,
    charged    BIGINT NOT NULL,
    learnt_at  BIGINT NOT NULL,
    PRIMARY KEY (supplier, sku)
);

CREATE TABLE supplier_calls (
    supplier TEXT NOT NULL,
    at       BIGINT NOT NULL,
    nth      BIGINT NOT NULL,
    purpose  TEXT NOT NULL,
    PRIMARY KEY (supplier, at, nth)
);

CREATE TABLE price_lists (
    supplier TEXT PRIMARY KEY,
    due_at   BIGINT NOT NULL
);

CREATE TABLE balance_requests (
    supplier TEXT NOT NULL,
    address  TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (supplier, address)
);

CREATE TABLE updates (
    channel   TEXT NOT NULL,
    update_id BIGINT NOT NULL,
    body      TEXT NOT NULL,
    stored_at BIGINT NOT NULL,
    done_at   BIGINT,
    PRIMARY KEY (channel, update_id)
);
CREATE INDEX updates_waiting ON updates (channel, update_id) WHERE done_at IS NULL;

CREATE TABLE transcript (
    address TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (address, seq)
);
