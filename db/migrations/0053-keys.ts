/** API keys that are made and revoked over the API: what tells them apart, who made them, until when they work, when they were last used, and how much they may ask. */
export const name = '0053-keys'

export const up = `
ALTER TABLE api_keys
  -- Its first characters, by which people know it; of the keys from before, none.
  ADD COLUMN prefix text,
  ADD COLUMN created_by text NOT NULL DEFAULT 'throughline',
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN last_used_at timestamptz,
  ADD COLUMN revoked_by text,
  -- Requests in each window; null: as its role, 0: no limit.
  ADD COLUMN rate_limit integer CHECK (rate_limit >= 0);
CREATE INDEX api_keys_newest ON api_keys (api_key_id DESC);
`
