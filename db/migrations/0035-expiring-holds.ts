/** Holds by when they run out: looked at all the time, and few of them are near their end. */
export const name = '0035-expiring-holds'

export const up = `
CREATE INDEX payments_by_expiry ON payments (authorization_expires_at) WHERE status IN ('authorized', 'voided');
`
