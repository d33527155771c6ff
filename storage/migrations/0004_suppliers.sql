-- Callbacks are stored before they are answered; suppliers can be away, have forms, and tell prices.

ALTER TABLE attempts ADD COLUMN calls_back BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN told_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX attempts_by_supplier_ref ON attempts (supplier, supplier_ref) WHERE supplier_ref <> '';

-- One row for each callback that ever came, known by its digest for ever; what it said is forgotten
-- once it was taken in (``due_at`` is NULL then).
CREATE TABLE inbox (
    supplier    TEXT NOT NULL,
    digest      TEXT NOT NULL,
    trust       TEXT NOT NULL,
    method      TEXT NOT NULL,
    query       TEXT NOT NULL,
    body        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    due_at      BIGINT,
    PRIMARY KEY (supplier, digest)
);
CREATE INDEX inbox_due ON inbox (due_at) WHERE due_at IS NOT NULL;

-- Who gives no answers, does not know us or has no balance left; a row only while something is amiss.
CREATE TABLE supplier_health (
    supplier   TEXT PRIMARY KEY,
    misses     BIGINT NOT NULL,
    away_since BIGINT,
    why        TEXT NOT NULL,
    needs      BIGINT NOT NULL
);

ALTER TABLE offers ADD COLUMN form TEXT NOT NULL DEFAULT '';
ALTER TABLE offers ADD COLUMN withheld BIGINT NOT NULL DEFAULT 0;

-- Single prices that a supplier says have changed.
CREATE TABLE price_questions (
    supplier TEXT NOT NULL,
    sku      TEXT NOT NULL,
    due_at   BIGINT NOT NULL,
    PRIMARY KEY (supplier, sku)
);
CREATE INDEX price_questions_due ON price_questions (supplier, due_at);
