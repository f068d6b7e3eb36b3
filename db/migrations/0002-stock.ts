/** Stock: a level per SKU and node, moved only by guarded updates, each with an append-only movement. Levels always equal the sum of their movements. */
export const name = '0002-stock'

export const up = `
CREATE TABLE stock_levels (
  sku text NOT NULL REFERENCES skus,
  node_id text NOT NULL REFERENCES nodes,
  on_hand integer NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
  unsellable integer NOT NULL DEFAULT 0 CHECK (unsellable >= 0),
  reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  allocated integer NOT NULL DEFAULT 0 CHECK (allocated >= 0),
  safety_stock integer NOT NULL DEFAULT 0 CHECK (safety_stock >= 0),
  counted_as_of timestamptz,
  PRIMARY KEY (sku, node_id)
) WITH (fillfactor = 70);

CREATE TABLE stock_movements (
  movement_id bigserial PRIMARY KEY,
  sku text NOT NULL,
  node_id text NOT NULL,
  type text NOT NULL CHECK (type IN ('receipt', 'count', 'adjustment', 'reserve', 'release', 'allocate', 'ship', 'return', 'transfer', 'write_off')),
  on_hand_delta integer NOT NULL DEFAULT 0,
  unsellable_delta integer NOT NULL DEFAULT 0,
  reserved_delta integer NOT NULL DEFAULT 0,
  allocated_delta integer NOT NULL DEFAULT 0,
  order_id uuid,
  reason text,
  actor text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_movements_of_level ON stock_movements (sku, node_id, movement_id);

CREATE TABLE allocations (
  allocation_id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  line_id text NOT NULL,
  sku text NOT NULL,
  node_id text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'shipped', 'released')),
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX allocations_of_order ON allocations (order_id);
CREATE INDEX allocations_open ON allocations (sku, node_id, created_at) WHERE status = 'open';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER stock_movements_append_only BEFORE UPDATE OR DELETE ON stock_movements FOR EACH ROW EXECUTE FUNCTION refuse_change();
`
