/** Changes of an order as they are asked for and answered. */
import { z } from 'zod'
import { changeStates } from '../../db/order-changes'
import { at, instant, keptLineId, minor, nodeId, text } from './fields'
import { line, shipTo } from './order'

const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('setQuantity'), lineId: keptLineId, quantity: z.int().min(1).max(100_000).meta({ description: 'How many are wanted in all; more than the order has at the price and the rate of tax of the line' }) }),
  z.strictObject({ op: z.literal('addLine'), ...line.shape }),
  z.strictObject({ op: z.literal('removeLine'), lineId: keptLineId }),
  z.strictObject({ op: z.literal('cancel'), lines: z.array(z.strictObject({ lineId: keptLineId, quantity: z.int().min(1) })).min(1).max(500).optional() }).meta({ description: 'The whole order, or these units of it; stands alone' }),
  z.strictObject({ op: z.literal('setShipTo'), shipTo: shipTo.required({ postalCode: true }).meta({ description: 'Another door; under another postal code it may come from other nodes, and is promised anew' }) }),
  z
    .strictObject({
      op: z.literal('setDelivery'),
      method: z.enum(['delivery', 'pickup', 'ship_to_store']),
      service: text(100).optional(),
      nodeId: nodeId.optional().meta({ description: 'The store where the customer fetches it' }),
      by: instant.optional().meta({ description: 'When it shall have arrived: the cheapest service that keeps that is taken' }),
      shipping: z.strictObject({ priceMinor: minor, taxMinor: minor.default(0) }).optional().meta({ description: 'What it costs; absent: what `promise.prices` says' }),
    })
    .refine((o) => (o.method === 'delivery') === (o.nodeId === undefined), 'Say in which store the customer gets it, and only then')
    .refine((o) => o.by === undefined || (o.method === 'delivery' && o.service === undefined), 'A date stands in place of a service'),
])

export const changeAnswer = z
  .object({
    changeId: z.string(),
    orderId: z.string(),
    state: z.enum(['requested', 'asked']).meta({ description: '`requested`: a merchant has to approve it' }),
    expiresAt: at,
    version: z.int().meta({ description: 'The version of the order that this was worked out on, as in its ETag' }),
    deltaMinor: z.int().meta({ description: 'By how much the order becomes dearer; below zero: cheaper' }),
    refundMinor: minor.meta({ description: 'What was taken already and goes back, by whoever has it' }),
    countedMinor: minor.meta({ description: 'What of it was given ahead by hand, and is counted' }),
    owedMinor: minor.meta({ description: 'What is due and no payment has left: a case for finance' }),
    letGoMinor: minor.meta({ description: 'What is held, or would be, and is not taken' }),
    chargeMinor: minor.meta({ description: 'What has to be held before anything is changed: what the order’s tenders do not cover, or hold no more because a card that can be charged once has been' }),
    promise: z.object({ promisedFrom: at.nullable(), promisedBy: at.nullable(), confidence: z.number().nullable() }).optional(),
  })
  .meta({ id: 'OrderChange' })

export const changePreview = changeAnswer.omit({ changeId: true, state: true, expiresAt: true }).extend({ preview: z.literal(true) }).meta({ id: 'OrderChangePreview' })

export const changeBody = z.strictObject({
  operations: z.array(operation).min(1).max(500).refine((all) => all.length === 1 || all.every((o) => o.op !== 'cancel'), 'A cancellation stands alone'),
  requestedBy: z.enum(['merchant', 'customer']).default('merchant').meta({ description: 'What the customer asks for herself waits for a merchant where `care.customerRequests` says so; of a channel’s key it is always the customer' }),
  paymentMethod: text(255).optional().meta({ description: 'What the difference is charged to, where it is not what the customer paid with; a token of the provider' }),
})
export type AskedOperation = z.output<typeof operation>

export const changeEntry = z
  .object({
    changeId: z.string(), state: z.enum([...changeStates, 'expired']), requestedBy: z.enum(['merchant', 'customer']), operations: z.array(z.record(z.string(), z.unknown())), actor: z.string(), at, expiresAt: at, deltaMinor: z.int(), chargeMinor: minor,
    decidedBy: z.string().nullable(), decidedAt: at.nullable(), reason: z.string().nullable(),
  })
  .meta({ id: 'OrderChangeEntry' })
