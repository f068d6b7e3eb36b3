/** Gift cards and store credit: accounts we keep ourselves, what is held of them for orders, and every move of their value. */
export const name = '0034-stored-value'

export const up = `
CREATE TABLE value_accounts (
  account_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('gift_card', 'store_credit')),
  currency text NOT NULL,
  -- Of a gift card: whoever knows the code may spend it, so it is kept as a hash, and its end for people to tell cards apart.
  code_hash bytea UNIQUE,
  code_end text,
  -- Of store credit: the customer it belongs to, as she stands on her orders.
  customer_ref_hmac text,
  balance_minor bigint NOT NULL DEFAULT 0 CHECK (balance_minor >= 0),
  held_minor bigint NOT NULL DEFAULT 0,
  expires_at timestamptz,
  opened_at timestamptz NOT NULL DEFAULT now(),
  CHECK (held_minor BETWEEN 0 AND balance_minor),
  CHECK ((kind = 'gift_card') = (code_hash IS NOT NULL)),
  CHECK ((kind = 'store_credit') = (customer_ref_hmac IS NOT NULL)),
  UNIQUE (customer_ref_hmac, currency)
);

-- One per payment; its reference is the payment's own id.
CREATE TABLE value_holds (
  reference uuid PRIMARY KEY,
  account_id uuid REFERENCES value_accounts,
  currency text NOT NULL,
  amount_minor bigint NOT NULL,
  status text NOT NULL DEFAULT 'opened' CHECK (status IN ('opened', 'declined', 'authorized', 'captured', 'voided')),
  authorized_minor bigint NOT NULL DEFAULT 0,
  captured_minor bigint NOT NULL DEFAULT 0,
  refunded_minor bigint NOT NULL DEFAULT 0,
  decline_code text,
  CHECK (authorized_minor >= captured_minor AND captured_minor >= refunded_minor AND refunded_minor >= 0)
);
CREATE INDEX value_holds_of_account ON value_holds (account_id);

CREATE TABLE value_moves (
  move_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES value_accounts,
  kind text NOT NULL CHECK (kind IN ('issued', 'credited', 'captured', 'refunded')),
  -- What it adds to the balance.
  amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
  reference uuid REFERENCES value_holds,
  -- Of an order's payment: the operation that made it, once.
  operation_id uuid UNIQUE,
  actor text NOT NULL,
  reason text,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX value_moves_of_account ON value_moves (account_id, move_id);
CREATE TRIGGER value_moves_append_only BEFORE UPDATE OR DELETE ON value_moves FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check, ADD CHECK (kind IN ('sale', 'capture', 'refund', 'settlement', 'issue', 'credit'));
-- credit: what would have been given back is given as store credit.
ALTER TABLE payment_operations DROP CONSTRAINT payment_operations_kind_check, ADD CHECK (kind IN ('authorize', 'capture', 'void', 'refund', 'credit'));
ALTER TABLE returns DROP CONSTRAINT returns_remedy_check, ADD CHECK (remedy IN ('refund', 'replacement', 'credit'));
`
