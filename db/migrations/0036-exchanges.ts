/** What is sent in place of what, and what it costs more or less; and the money that is held for that before anything is sent. */
export const name = '0036-exchanges'

export const up = `
-- One row per line that was sent in place of another. What it costs more is the price of the line itself.
CREATE TABLE exchanges (
  order_id uuid NOT NULL,
  line_id text NOT NULL,
  return_id uuid NOT NULL REFERENCES returns,
  instead_of text NOT NULL,
  -- The price of one of its units as it was asked for; null: the same as what it replaces.
  unit_price_minor bigint,
  -- What all its units cost less; of how many that was given back, and of how many of these the rest was too.
  less_minor bigint NOT NULL DEFAULT 0 CHECK (less_minor >= 0),
  less_tax_minor bigint NOT NULL DEFAULT 0 CHECK (less_tax_minor BETWEEN 0 AND less_minor),
  less_given integer NOT NULL DEFAULT 0,
  less_taken integer NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, line_id),
  FOREIGN KEY (order_id, line_id) REFERENCES order_lines,
  FOREIGN KEY (order_id, instead_of) REFERENCES order_lines,
  CHECK (0 <= less_taken AND less_taken <= less_given)
);
CREATE UNIQUE INDEX exchanges_of_return ON exchanges (return_id, instead_of);

-- Units for which nothing is sent in their place any more; and those of them whose money was given back once they were there.
ALTER TABLE return_lines ADD COLUMN unreplaced integer NOT NULL DEFAULT 0, ADD COLUMN repaid integer NOT NULL DEFAULT 0,
  ADD CHECK (0 <= repaid AND repaid <= unreplaced AND unreplaced <= quantity);

-- Held for an exchange before anything is sent. The return comes with it, so there is none yet while the bank thinks.
CREATE TABLE exchange_payments (
  payment_id uuid PRIMARY KEY REFERENCES payments,
  order_id uuid NOT NULL REFERENCES orders,
  return_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('difference'))
);
CREATE INDEX exchange_payments_of_order ON exchange_payments (order_id);
CREATE INDEX exchange_payments_of_return ON exchange_payments (return_id);

-- Of a tender: how much of the order it pays, where that is less than it was given for, because the rest was cancelled before something dearer was sent. Null: all of it.
ALTER TABLE payments ADD COLUMN covers_minor bigint CHECK (covers_minor BETWEEN 0 AND amount_minor);
`
