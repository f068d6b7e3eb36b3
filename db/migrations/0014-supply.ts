/** Stock that has come and stock that is still to come: who is told that a shelf is fuller, and what may be promised of what is announced. */
export const name = '0014-supply'

export const up = `
-- A SKU of which a shelf got fuller while orders wait for it. Rows are only added by whoever raises stock, so nobody waits for another there.
CREATE TABLE stock_arrivals (
  arrival_id bigserial PRIMARY KEY,
  sku text NOT NULL,
  horizon xid8,
  due_at timestamptz NOT NULL DEFAULT now(),
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_arrivals_of_sku ON stock_arrivals (sku);

-- The orders that wait for a SKU are told one after the other, by one process at a time.
CREATE TABLE stock_turns (
  sku text PRIMARY KEY,
  leased_until timestamptz NOT NULL
);

CREATE INDEX order_lines_waiting ON order_lines (sku) WHERE backordered > 0;

CREATE FUNCTION note_arrival() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM order_lines WHERE sku = NEW.sku AND backordered > 0) THEN
    INSERT INTO stock_arrivals (sku) VALUES (NEW.sku);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER stock_levels_arrival AFTER UPDATE ON stock_levels FOR EACH ROW
  WHEN (NEW.on_hand - NEW.unsellable - NEW.reserved - NEW.allocated - NEW.safety_stock > greatest(0, OLD.on_hand - OLD.unsellable - OLD.reserved - OLD.allocated - OLD.safety_stock))
  EXECUTE FUNCTION note_arrival();

-- What suppliers have announced and not yet delivered. A row stays when all has come, so that its reference is known.
CREATE TABLE supply (
  sku text NOT NULL REFERENCES skus,
  node_id text NOT NULL REFERENCES nodes,
  reference text NOT NULL,
  quantity integer NOT NULL CHECK (quantity >= 0),
  promised integer NOT NULL DEFAULT 0 CHECK (promised BETWEEN 0 AND quantity),
  expected_at timestamptz NOT NULL,
  announced_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sku, node_id, reference)
);

-- Orders that are accepted for what is not there yet: on announced supply, or as a pre-order up to a cap.
ALTER TABLE skus
  ADD COLUMN backorder boolean NOT NULL DEFAULT false,
  ADD COLUMN preorder_cap integer CHECK (preorder_cap >= 0),
  ADD COLUMN preorder_ship_by timestamptz,
  ADD COLUMN preorder_promised integer NOT NULL DEFAULT 0 CHECK (preorder_promised >= 0),
  ADD CHECK ((preorder_cap IS NULL) = (preorder_ship_by IS NULL)),
  ADD CHECK (preorder_cap IS NULL OR preorder_promised <= preorder_cap);

-- open: counts against the supply, or against the cap. arrived: the units are on the shelf. filled: the order has its stock, from wherever it came.
CREATE TABLE supply_claims (
  claim_id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  line_id text NOT NULL,
  sku text NOT NULL,
  node_id text,
  reference text,
  quantity integer NOT NULL CHECK (quantity > 0),
  ship_by timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'arrived', 'filled', 'cancelled', 'withdrawn')),
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CHECK ((node_id IS NULL) = (reference IS NULL)),
  CHECK ((status = 'open') = (ended_at IS NULL))
);
-- Who takes a promise back holds the supply; to check the order's row then would be to wait for whoever holds the order and wants the supply.
ALTER TABLE exceptions DROP CONSTRAINT exceptions_order_id_fkey;
CREATE INDEX supply_claims_of_order ON supply_claims (order_id);
CREATE INDEX supply_claims_open ON supply_claims (sku, node_id, reference) WHERE status = 'open';

-- What a kit is made of. It has no stock of its own: it is sold, and ordered, as its components.
CREATE TABLE kit_components (
  kit text NOT NULL REFERENCES skus,
  position smallint NOT NULL,
  component text NOT NULL REFERENCES skus,
  quantity integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (kit, component),
  CHECK (kit <> component)
);
CREATE INDEX kit_components_of ON kit_components (component);
ALTER TABLE order_lines ADD COLUMN kit jsonb;
`
