/** How a customer stands on orders, accounts and in Temporal: by a keyed hash of the reference her channel gave her. */
import { createHmac } from 'node:crypto'

export const customerRefHmac = (customerRef: string, secret: string): string => createHmac('sha256', secret).update(customerRef).digest('hex').slice(0, 32)
