-- Prepaid orders, wallets, the ledger, and cases that are about no order.

ALTER TABLE orders ADD COLUMN method TEXT NOT NULL DEFAULT 'dropship';
ALTER TABLE orders ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN asks TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN received BIGINT NOT NULL DEFAULT 0 CHECK (received >= 0);
ALTER TABLE orders ADD COLUMN fee BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN excess BIGINT NOT NULL DEFAULT 0 CHECK (excess >= 0);
ALTER TABLE orders ADD COLUMN returned TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN payout TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN asked_at BIGINT;
ALTER TABLE orders ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;

-- Orders so far are all dropship: whoever is paid also delivers.
UPDATE orders SET gateway = supplier, asks = supplier;
UPDATE orders SET received = COALESCE((SELECT i.amount FROM invoices i WHERE i.order_id = orders.id), price)
WHERE status IN ('processing', 'delivered', 'refund_due', 'refunded');
UPDATE orders SET returned = 'hand' WHERE status = 'refunded';

DROP INDEX orders_due;
DROP INDEX orders_waiting;
DROP INDEX orders_claimed;
DROP INDEX orders_opening;
DROP INDEX orders_placed;
CREATE INDEX orders_due ON orders (asks, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_waiting ON orders (asks)
    WHERE status IN ('awaiting_payment', 'processing', 'unsure');
CREATE INDEX orders_claimed ON orders (asks, due_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX orders_opening ON orders (asks, due_at) WHERE status = 'opening';
CREATE INDEX orders_placed ON orders (asks, due_at) WHERE status = 'placed';
CREATE INDEX orders_paid ON orders (asks, due_at) WHERE status = 'paid';
CREATE INDEX orders_submitting ON orders (asks, due_at) WHERE status = 'submitting';
CREATE INDEX orders_of_deposits ON orders (gateway, changed_at) WHERE method = 'deposit';
CREATE INDEX orders_own_qris ON orders (changed_at) WHERE method = 'qris';
CREATE INDEX orders_deposits ON orders (gateway) WHERE method = 'deposit' AND due_at IS NOT NULL;

ALTER TABLE invoices RENAME COLUMN supplier TO gateway;

-- Each try at having a prepaid order delivered; written down before the call.
CREATE TABLE attempts (
    order_id     TEXT NOT NULL REFERENCES orders (id),
    nth          BIGINT NOT NULL,
    supplier     TEXT NOT NULL,
    ref          TEXT NOT NULL,
    sku          TEXT NOT NULL,
    cost         BIGINT NOT NULL CHECK (cost >= 0),
    by_our_ref   BIGINT NOT NULL,
    supplier_ref TEXT NOT NULL,
    charged      BIGINT NOT NULL CHECK (charged >= 0),
    started_at   BIGINT NOT NULL,
    PRIMARY KEY (order_id, nth),
    UNIQUE (supplier, ref)
);

-- A payment is believed once, for ever.
CREATE TABLE payments (
    gateway    TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    order_id   TEXT NOT NULL REFERENCES orders (id),
    amount     BIGINT NOT NULL CHECK (amount >= 0),
    arrived_at BIGINT NOT NULL,
    PRIMARY KEY (gateway, payment_id)
);
INSERT INTO payments (gateway, payment_id, order_id, amount, arrived_at)
SELECT i.gateway, i.supplier_ref, o.id, i.amount, COALESCE(o.settled_at, o.changed_at)
FROM orders o JOIN invoices i ON i.order_id = o.id WHERE o.received > 0;

-- The ledger: assets and expenses positive, liabilities and income negative; an entry sums to zero.
CREATE TABLE entries (
    id       TEXT PRIMARY KEY,
    at       BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    event    TEXT NOT NULL,
    actor    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    corrects TEXT NOT NULL
);
CREATE INDEX entries_by_order ON entries (order_id) WHERE order_id <> '';

-- No reference to ``entries``: checking it would make rival processes on PostgreSQL conflict.
CREATE TABLE postings (
    entry_id TEXT NOT NULL,
    account  TEXT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount <> 0),
    at       BIGINT NOT NULL,
    PRIMARY KEY (entry_id, account)
);
CREATE INDEX postings_by_account ON postings (account, at);

-- An account's balance is the sum of its parts: each process has its own part of those that every
-- order touches, so that none waits for another. A wallet has one, and is never overdrawn.
CREATE TABLE accounts (
    account TEXT NOT NULL,
    part    BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (account, part),
    CHECK (account NOT LIKE 'wallet:%' OR (balance <= 0 AND part = 0))
);

INSERT INTO entries (id, at, order_id, event, actor, reason, corrects)
SELECT id || '/0', changed_at, id, 'opening', '', '', '' FROM orders
WHERE status IN ('processing', 'delivered', 'refund_due');
INSERT INTO postings (entry_id, account, amount, at)
SELECT id || '/0', 'dropship:' || gateway, received, changed_at FROM orders
WHERE status IN ('processing', 'refund_due') AND received > 0;
INSERT INTO postings (entry_id, account, amount, at)
SELECT id || '/0', 'held', -received, changed_at FROM orders
WHERE status IN ('processing', 'refund_due') AND received > 0;
INSERT INTO postings (entry_id, account, amount, at)
SELECT id || '/0', 'sales', -received, changed_at FROM orders
WHERE status = 'delivered' AND received > 0;
INSERT INTO postings (entry_id, account, amount, at)
SELECT o.id || '/0', 'profit:' || o.gateway, o.price - COALESCE(i.cost, o.cost), o.changed_at
FROM orders o LEFT JOIN invoices i ON i.order_id = o.id
WHERE o.status = 'delivered' AND o.received > 0 AND o.price <> COALESCE(i.cost, o.cost);
INSERT INTO postings (entry_id, account, amount, at)
SELECT o.id || '/0', 'cost:' || o.gateway,
       o.received - o.price + COALESCE(i.cost, o.cost), o.changed_at
FROM orders o LEFT JOIN invoices i ON i.order_id = o.id
WHERE o.status = 'delivered' AND o.received > 0
  AND o.received - o.price + COALESCE(i.cost, o.cost) <> 0;
INSERT INTO accounts (account, part, balance)
SELECT account, 0, SUM(amount) FROM postings GROUP BY account;

-- What a supplier last said of our balance there, and since when the books agree with it.
CREATE TABLE supplier_balances (
    supplier   TEXT PRIMARY KEY,
    compare_at BIGINT NOT NULL,
    said       BIGINT NOT NULL,
    said_at    BIGINT NOT NULL,
    agreed_at  BIGINT NOT NULL
);

-- Cases may be about a supplier's balance, or a payment, instead of an order; all repeat daily.
CREATE TABLE cases_of_all (
    id            TEXT PRIMARY KEY,
    order_id      TEXT REFERENCES orders (id),
    about         TEXT NOT NULL,
    kind          TEXT NOT NULL,
    evidence      TEXT NOT NULL,
    opened_at     BIGINT NOT NULL,
    remind_at     BIGINT NOT NULL,
    closed_at     BIGINT,
    answer        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    pending       TEXT NOT NULL,
    pending_by    TEXT NOT NULL,
    pending_until BIGINT
);
INSERT INTO cases_of_all
SELECT id, order_id, '', kind, evidence, opened_at, opened_at + 86400000, closed_at, answer, actor,
       pending, pending_by, pending_until
FROM cases;
DROP TABLE cases;
ALTER TABLE cases_of_all RENAME TO cases;
CREATE UNIQUE INDEX cases_open ON cases (order_id) WHERE closed_at IS NULL AND order_id IS NOT NULL;
CREATE UNIQUE INDEX cases_open_about ON cases (about) WHERE closed_at IS NULL AND order_id IS NULL;
CREATE INDEX cases_by_order ON cases (order_id, opened_at);
CREATE INDEX cases_to_remind ON cases (remind_at) WHERE closed_at IS NULL;
