/** A channel has amounts of its own that rules know by name, and says on which terms its orders are taken back. */
export const name = '0058-channel-limits'

export const up = `
ALTER TABLE channels
  ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN return_terms text;
`
