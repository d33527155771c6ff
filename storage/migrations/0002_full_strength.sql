-- Several processes on one database, two lanes of messages, figures for the monitor.

ALTER TABLE outbox ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;
UPDATE outbox SET lane = 1 WHERE order_id = '';
DROP INDEX outbox_waiting;
DROP INDEX outbox_due;
CREATE INDEX outbox_waiting ON outbox (address, lane, seq) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_due ON outbox (lane, due_at) WHERE due_at IS NOT NULL;

ALTER TABLE price_lists ADD COLUMN tried_at BIGINT NOT NULL DEFAULT 0;

-- A supplier that says we ask too often is left alone by every process.
CREATE TABLE supplier_pauses (
    supplier     TEXT PRIMARY KEY,
    paused_until BIGINT NOT NULL
);

-- What came of the calls: ``slower_than`` is the lower bound of a histogram bucket, in ms.
CREATE TABLE call_outcomes (
    supplier    TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    slower_than BIGINT NOT NULL,
    calls       BIGINT NOT NULL,
    took        BIGINT NOT NULL,
    PRIMARY KEY (supplier, purpose, outcome, slower_than)
);

-- Filled in by ``lapak backup``, in the copy only: a shop that finds a row here was restored.
CREATE TABLE copied (
    at BIGINT PRIMARY KEY
);

-- Open orders of a restored database that no supplier has been asked about since.
CREATE TABLE unasked (
    order_id TEXT PRIMARY KEY REFERENCES orders (id)
);

-- What is asked whenever a call is chosen, whatever else is due.
CREATE INDEX orders_claimed ON orders (supplier, due_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX orders_opening ON orders (supplier, due_at) WHERE status = 'opening';
CREATE INDEX orders_placed ON orders (supplier, due_at) WHERE status = 'placed';
