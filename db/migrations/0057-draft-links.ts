/** Payment links of drafts: each is a row before the provider is asked for it, and at most one of a draft can be paid at a time. */
export const name = '0057-draft-links'

export const up = `
CREATE TABLE draft_links (
  link_id uuid PRIMARY KEY,
  draft_id uuid NOT NULL REFERENCES drafts,
  status text NOT NULL DEFAULT 'intended' CHECK (status IN ('intended', 'open', 'ending', 'paid', 'placed', 'expired', 'cancelled', 'refused')),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  expires_at timestamptz NOT NULL,
  return_to text NOT NULL,
  -- What its money will belong to: known before anybody can pay, so that the provider's books name them.
  order_id uuid NOT NULL,
  payment_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  key_number integer NOT NULL DEFAULT 1,
  key_spent boolean NOT NULL DEFAULT false,
  attempts integer NOT NULL DEFAULT 0,
  reference text UNIQUE,
  url text,
  payment_reference text,
  payer text,
  last_error text,
  next_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE UNIQUE INDEX draft_links_live ON draft_links (draft_id) WHERE status IN ('intended', 'open', 'ending', 'paid');
CREATE INDEX draft_links_due ON draft_links (next_at) WHERE status IN ('intended', 'open', 'ending', 'paid');
CREATE TRIGGER draft_links_kept BEFORE DELETE ON draft_links FOR EACH ROW EXECUTE FUNCTION refuse_delete();
`
