/** The double-entry ledger: entries are added and never changed, and whoever adds some leaves every journal at zero. */
export const name = '0026-ledger'

export const up = `
CREATE TABLE ledger_entries (
  journal_id text NOT NULL,
  account text NOT NULL,
  entry_id bigserial NOT NULL,
  kind text NOT NULL CHECK (kind IN ('sale', 'capture', 'refund', 'settlement')),
  -- No foreign keys: orders and payments are never deleted, and a settlement of a hundred thousand lines would look each of them up, and lock it, six times.
  order_id uuid,
  payment_id uuid,
  amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
  currency text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  cause text NOT NULL,
  PRIMARY KEY (journal_id, account)
);
CREATE INDEX ledger_entries_of_order ON ledger_entries (order_id, entry_id);
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_kept BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  unbalanced text;
BEGIN
  SELECT journal_id INTO unbalanced FROM added GROUP BY journal_id, currency HAVING sum(amount_minor) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % does not sum to zero', unbalanced;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced();
`
