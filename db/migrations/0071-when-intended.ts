/** When an operation was recorded: the watch looks for those that nobody makes. */
export const name = '0071-when-intended'

export const up = `
ALTER TABLE payment_operations ADD COLUMN intended_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX payment_operations_intended ON payment_operations (intended_at) WHERE status = 'intended';
`
