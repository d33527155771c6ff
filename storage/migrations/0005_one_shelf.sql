-- One shelf from five price lists: what is the same good, what it costs where, and who may buy it.

ALTER TABLE orders ADD COLUMN good TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN content BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN ceiling BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN server_code TEXT NOT NULL DEFAULT '';
UPDATE orders SET ceiling = price, server_code = server;
CREATE INDEX order_events_rerouted ON order_events (order_id) WHERE event = 'rerouted';
CREATE INDEX orders_by_good ON orders (address, good) WHERE good <> '';

-- How old prices are is known of a list as a whole: a row changes when what it says changes.
ALTER TABLE price_lists ADD COLUMN listed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE price_lists ADD COLUMN dropped BIGINT NOT NULL DEFAULT 0;
ALTER TABLE price_lists ADD COLUMN said TEXT NOT NULL DEFAULT '';
INSERT INTO price_lists (supplier, due_at) SELECT DISTINCT supplier, 0 FROM offers
WHERE supplier NOT IN (SELECT supplier FROM price_lists);
UPDATE price_lists SET listed_at = COALESCE(
    (SELECT MAX(o.fetched_at) FROM offers o WHERE o.supplier = price_lists.supplier), 0);
ALTER TABLE offers DROP COLUMN fetched_at;
ALTER TABLE offers ADD COLUMN has_server BIGINT;

-- Of each game on the shelf, which version of it: changes with every offer of the game.
CREATE TABLE shelf_versions (
    game    TEXT PRIMARY KEY,
    version TEXT NOT NULL
);
INSERT INTO shelf_versions (game, version) SELECT DISTINCT game, '' FROM offers;

-- What a list newly said: new, gone, dearer, cheaper.
CREATE TABLE price_changes (
    supplier TEXT NOT NULL,
    at       BIGINT NOT NULL,
    sku      TEXT NOT NULL,
    game     TEXT NOT NULL,
    item     TEXT NOT NULL,
    change   TEXT NOT NULL,
    was      BIGINT NOT NULL,
    became   BIGINT NOT NULL,
    PRIMARY KEY (supplier, at, sku)
);

-- What the owner said of an offer, as it was called then: that it is this good (same = 1), or not.
CREATE TABLE matches (
    supplier TEXT NOT NULL,
    sku      TEXT NOT NULL,
    good     TEXT NOT NULL,
    game     TEXT NOT NULL,
    item     TEXT NOT NULL,
    same     BIGINT NOT NULL,
    actor    TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (supplier, sku, good)
);
CREATE INDEX matches_by_game ON matches (game);

-- The owner's prices: of the shop (scope ''), of a game, of a good; NULL: as the wider scope has it.
-- A row with nothing but NULL was taken back. was: what the row said before, as JSON.
CREATE TABLE price_rules (
    scope      TEXT PRIMARY KEY,
    margin_bp  BIGINT CHECK (margin_bp >= 0),
    margin_min BIGINT CHECK (margin_min >= 0),
    round_to   BIGINT CHECK (round_to > 0),
    floor      BIGINT CHECK (floor >= 0),
    price      BIGINT CHECK (price > 0),
    was        TEXT NOT NULL DEFAULT '',
    actor      TEXT NOT NULL,
    at         BIGINT NOT NULL
);

-- Orders that were there already when a copy was made that was restored since.
CREATE TABLE copied_orders (
    order_id TEXT PRIMARY KEY REFERENCES orders (id)
);

-- Accounts that customers have used, to be offered again.
CREATE TABLE accounts_used (
    address  TEXT NOT NULL,
    game     TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    server   TEXT NOT NULL,
    nickname TEXT NOT NULL,
    used_at  BIGINT NOT NULL,
    PRIMARY KEY (address, game, user_id, server)
);
INSERT INTO accounts_used (address, game, user_id, server, nickname, used_at)
SELECT address, game, user_id, server, '', at FROM (
    SELECT address, game, user_id, server, MAX(created_at) AS at,
           ROW_NUMBER() OVER (PARTITION BY address, game ORDER BY MAX(created_at) DESC) AS nth
    FROM orders WHERE status = 'delivered' AND game <> ''
    GROUP BY address, game, user_id, server) AS used
WHERE nth <= 5;

-- What suppliers say of players: their names for a while, their region for good.
CREATE TABLE players (
    game     TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    server   TEXT NOT NULL,
    found    TEXT NOT NULL,
    nickname TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    region   TEXT NOT NULL,
    PRIMARY KEY (game, user_id, server)
);
CREATE INDEX players_by_age ON players (asked_at);

-- How deliveries went lately, and which suppliers are left alone for it.
CREATE TABLE outcomes (
    supplier TEXT NOT NULL,
    ref      TEXT NOT NULL,
    at       BIGINT NOT NULL,
    went_well BIGINT NOT NULL,
    took     BIGINT NOT NULL,
    buyer    TEXT NOT NULL,
    PRIMARY KEY (supplier, ref)
);
CREATE INDEX outcomes_by_age ON outcomes (supplier, at);
CREATE TABLE breakers (
    supplier   TEXT PRIMARY KEY,
    open_until BIGINT NOT NULL,
    pause      BIGINT NOT NULL
);
