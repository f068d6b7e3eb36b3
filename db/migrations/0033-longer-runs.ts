/** Runs that take on more: until when a customer was first told to expect the driver binds whatever comes to the run later. */
export const name = '0033-longer-runs'

export const up = `
ALTER TABLE stops ADD COLUMN told_until timestamptz;
UPDATE stops SET told_until = eta_to;
`
