/** Stock levels, movements, counts and adjustments. */
import { z } from 'zod'
import { at, instant, nodeId, sku, text, units } from './fields'

const whole = z.int()

export const levelAnswer = z
  .object({
    sku: z.string(),
    nodeId: z.string(),
    onHand: units,
    unsellable: units,
    reserved: units,
    allocated: units,
    safetyStock: units.meta({ description: 'What was set, and up to four units more the less the count is trusted' }),
    trust: z.number().meta({ description: '0–1: rejections lower it, the next count restores it' }),
    available: units,
    channels: z.record(z.string(), units),
    expected: z.array(z.object({ quantity: units, expectedAt: at, reference: z.string() })).meta({ description: 'Announced and not yet delivered, the next first' }),
    countedAsOf: at.nullable(),
    components: z
      .array(z.object({ sku: z.string(), quantity: units, available: units }))
      .optional()
      .meta({ description: 'Of a kit, which has no stock of its own: `available` is how many could be made of these' }),
  })
  .meta({ id: 'StockLevel' })

export const movementAnswer = z
  .object({
    movementId: whole,
    nodeId: z.string(),
    type: z.string(),
    onHandDelta: whole,
    unsellableDelta: whole,
    reservedDelta: whole,
    allocatedDelta: whole,
    orderId: z.string().nullable(),
    reason: z.string().nullable(),
    actor: z.string(),
    at,
  })
  .meta({ id: 'StockMovement' })

export const mostCounts = 5_000
export const countRow = z.strictObject({ sku, nodeId, onHand: units, asOf: instant }).meta({ id: 'StockCount' })
/** Rows are checked one by one, so that a bad one rejects itself and not the others. */
export const countFeed = z.array(z.unknown()).min(1).max(mostCounts)

export const countsAnswer = z
  .object({ accepted: units, ignored: units, rejected: z.array(z.object({ index: whole, code: z.string(), message: z.string() })) })
  .meta({ id: 'CountsAnswer' })

export const countFileAnswer = z
  .union([
    z.object({ index: whole, code: z.string(), message: z.string() }).meta({ id: 'RejectedCount', description: 'A row that was not taken; `index` counts rows from 0' }),
    z
      .object({ rows: units, accepted: units, ignored: units, rejected: units, done: z.boolean() })
      .meta({ id: 'CountFileProgress', description: 'After every batch, all numbers from the beginning; `done` in the last line only' }),
  ])
  .meta({ id: 'CountFileLine' })

export const shelfBody = z.strictObject({ safetyStock: units }).meta({ id: 'ShelfSettings' })

const delta = z.int().min(-1_000_000).max(1_000_000).refine((value) => value !== 0, 'Must not be zero')
export const adjustmentBody = z
  .strictObject({ sku, nodeId, delta, reason: text(200), supplyReference: text(100).optional().meta({ description: 'The announcement that was delivered: so many fewer units are expected' }) })
  .refine((adjustment) => adjustment.supplyReference === undefined || adjustment.delta > 0, { message: 'Must be above zero for what was delivered', path: ['delta'] })
  .meta({ id: 'StockAdjustment' })

export const supplyBody = z
  .strictObject({
    sku,
    nodeId,
    quantity: units.meta({ description: 'Still to come; 0 withdraws what was announced' }),
    expectedAt: instant.optional().meta({ description: 'When it can be picked at the node' }),
    reference: text(100).meta({ description: 'The supplier’s word for it, e.g. a purchase order' }),
  })
  .refine((supply) => supply.quantity === 0 || supply.expectedAt !== undefined, { message: 'Is needed for what is still to come', path: ['expectedAt'] })
  .meta({ id: 'Supply' })
