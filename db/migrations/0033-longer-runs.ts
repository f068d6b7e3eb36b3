/** Runs that take on more: until when a customer was first told to expect the driver binds whatever comes to the run later. */
export const name = '0033-longer-runs'

export const up = `
ALTER TABLE stops ADD COLUMN told_until timestamptz;
UPDATE stops SET told_until = eta_to;
-- How fast its driver is on its way, as it was planned; null: as the policy says.
ALTER TABLE delivery_runs ADD COLUMN pace jsonb;
`
