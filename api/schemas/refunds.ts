/** A refund that somebody asked for, as it is answered: by its own routes, and for a claim that waits for another person's yes. */
import { z } from 'zod'
import type { GoodwillRow } from '../../db/goodwill'
import { at, minor } from './fields'

export const refundAnswer = z
  .object({
    refundId: z.string(),
    orderId: z.string(),
    status: z.enum(['waiting', 'given', 'rejected']),
    amountMinor: minor,
    aboveMinor: minor,
    tenderId: z.string().nullable(),
    remedy: z.enum(['refund', 'credit']).nullable().meta({ description: 'Of a claim: what is given for its units' }),
    returnId: z.string().nullable().meta({ description: 'Of a claim that was given: the return it became' }),
    reason: z.string(),
    askedBy: z.string(),
    askedAt: at,
    decidedBy: z.string().nullable(),
    decidedAt: at.nullable(),
  })
  .meta({ id: 'Refund' })

export const shownRefund = ({ lines: _, ...refund }: GoodwillRow): object => refund
