-- History is only ever added to.
CREATE TRIGGER order_events_stay BEFORE UPDATE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events are never changed'); END;
CREATE TRIGGER order_events_remain BEFORE DELETE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events are never deleted'); END;
CREATE TRIGGER orders_remain BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders are never deleted'); END;
