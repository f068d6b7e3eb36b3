/** Orders that are still being written down: the document as it stands, the quote that was given for it, by when it is to be paid, and the order it became. */
export const name = '0056-drafts'

export const up = `
CREATE SEQUENCE draft_numbers START 1001;
CREATE SEQUENCE draft_quote_numbers START 1001;
CREATE TABLE drafts (
  draft_id uuid PRIMARY KEY,
  number bigint NOT NULL UNIQUE DEFAULT nextval('draft_numbers'),
  channel text NOT NULL REFERENCES channels,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'quoted', 'awaiting_payment', 'placed', 'discarded')),
  version integer NOT NULL DEFAULT 1,
  document jsonb NOT NULL,
  currency text NOT NULL,
  total_minor bigint NOT NULL CHECK (total_minor >= 0),
  customer_ref_hmac text,
  -- What was quoted, frozen: number, the signed quote with its option, and until when it holds.
  quote jsonb,
  valid_until timestamptz,
  -- Paid later, otherwise than here: by when, and what happens then.
  pay_by timestamptz,
  at_pay_by text CHECK (at_pay_by IN ('discard', 'reopen')),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  ended_by text,
  end_reason text,
  order_id uuid UNIQUE REFERENCES orders,
  erase_when_ended uuid REFERENCES erasures,
  erased_at timestamptz,
  CHECK ((state = 'placed') = (order_id IS NOT NULL)),
  CHECK ((state IN ('placed', 'discarded')) = (ended_at IS NOT NULL)),
  CHECK ((quote IS NULL) = (valid_until IS NULL)),
  CHECK ((pay_by IS NULL) = (at_pay_by IS NULL))
);
CREATE INDEX drafts_of_channel ON drafts (channel, draft_id);
CREATE INDEX drafts_to_pay ON drafts (pay_by) WHERE state = 'awaiting_payment' AND pay_by IS NOT NULL;
CREATE INDEX drafts_of_customer ON drafts (customer_ref_hmac) WHERE customer_ref_hmac IS NOT NULL;
CREATE TRIGGER drafts_kept BEFORE DELETE ON drafts FOR EACH ROW EXECUTE FUNCTION refuse_delete();
`
