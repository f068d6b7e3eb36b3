/** Payments and the operations at the provider that move them. The operation row is committed before the first call and never deleted. */
export const name = '0004-money'

export const up = `
CREATE TABLE payments (
  payment_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  tender_id text NOT NULL,
  provider text NOT NULL,
  payment_method text,
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  status text NOT NULL,
  reference text UNIQUE,
  authorized_minor bigint NOT NULL DEFAULT 0,
  captured_minor bigint NOT NULL DEFAULT 0,
  refunded_minor bigint NOT NULL DEFAULT 0,
  authorization_expires_at timestamptz,
  decline_code text,
  UNIQUE (order_id, tender_id),
  CHECK (authorized_minor >= captured_minor AND captured_minor >= refunded_minor AND refunded_minor >= 0)
);

CREATE TABLE payment_operations (
  operation_id uuid PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments,
  order_id uuid NOT NULL REFERENCES orders,
  kind text NOT NULL CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
  purpose text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  status text NOT NULL DEFAULT 'intended' CHECK (status IN ('intended', 'unknown', 'succeeded', 'declined', 'abandoned')),
  key_number integer NOT NULL DEFAULT 1,
  key_first_used_at timestamptz,
  key_spent boolean NOT NULL DEFAULT false,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_called_at timestamptz,
  settled_at timestamptz,
  UNIQUE (payment_id, purpose)
);
CREATE INDEX payment_operations_unknown ON payment_operations (last_called_at) WHERE status = 'unknown';
CREATE INDEX payment_operations_of_order ON payment_operations (order_id);

CREATE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are never deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER payment_operations_kept BEFORE DELETE ON payment_operations FOR EACH ROW EXECUTE FUNCTION refuse_delete();
`
