/** Waves and bins as they are asked for and shown. */
import { z } from 'zod'
import { fulfillmentStatuses } from '../../domain/fulfillment/moves'
import { at, sku, text } from './fields'

export const waveBody = z.strictObject({
  maxOrders: z.int().min(1).max(500),
  assignee: text(100).optional().meta({ description: 'Who picks: gets all of the work in it' }),
})

const count = z.int().min(0)
const summary = { waveId: z.string(), nodeId: z.string(), assignee: z.string().nullable(), openedAt: at, closedAt: at.nullable(), orders: count, toPick: count }
const member = { fulfillmentId: z.string(), orderId: z.string(), channelOrderId: z.string(), position: z.int(), status: z.enum(fulfillmentStatuses) }
const bin = z.string().nullable()

export const waveSummary = z.object(summary).meta({ id: 'WaveSummary' })

export const waveAnswer = z
  .object({
    ...summary,
    pickList: z
      .array(
        z.object({
          bin,
          sku: z.string(),
          name: z.string(),
          quantity: count,
          for: z.array(z.object({ fulfillmentId: z.string(), lineId: z.string(), position: z.int(), quantity: count })),
        }),
      )
      .meta({ description: 'What is still to be taken, sorted by bin; what has no bin comes last' }),
    fulfillments: z.array(z.object({ ...member, assignee: z.string().nullable(), dueAt: at })),
    left: z
      .array(z.object({ ...member, why: z.enum(['cancelled', 'rejected', 'closed']), leftAt: at, putBack: z.array(z.object({ sku: z.string(), name: z.string(), bin, quantity: count })) }))
      .meta({ description: 'Not to be picked any more; `putBack`: what was picked already goes back to its bin' }),
  })
  .meta({ id: 'Wave' })

export const binsBody = z.strictObject({
  bins: z
    .array(z.strictObject({ sku, bin: text(40).nullable() }))
    .min(1)
    .max(5_000)
    .refine((bins) => new Set(bins.map((b) => b.sku)).size === bins.length, 'Name every SKU once'),
})
export const binAnswer = z.object({ sku: z.string(), bin: z.string() }).meta({ id: 'Bin' })
