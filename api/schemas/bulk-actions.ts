/** Bulk actions as they are asked for and shown. */
import { z } from 'zod'
import { bulkActions, mostInBulk } from '../../domain/order/bulk'
import { orderStatuses } from '../../domain/order/status'
import { at, channelId, duration, instant, minor, nodeId, sku, text, uuid } from './fields'
import { holdType } from './holds'

const filter = z
  .strictObject({
    status: z.enum(orderStatuses).optional(),
    channel: channelId.optional(),
    nodeId: nodeId.optional(),
    sku: sku.optional(),
    holdType: holdType.optional(),
    placedFrom: instant.optional(),
    placedTo: instant.optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), 'Must name at least one thing')

export const bulkBody = z
  .strictObject({
    action: z.enum(bulkActions),
    orderIds: z.array(uuid).min(1).max(mostInBulk).optional().meta({ description: 'These orders; or those that match `filter`' }),
    filter: filter.optional().meta({ description: 'Live orders to which all of this applies' }),
    reason: text(300),
    holdType: holdType.optional().meta({ description: 'For `release`: only holds of this type' }),
    undoWithin: duration.optional().meta({ description: 'How long it waits before it begins, and can be withdrawn as if it had never been; `PT30S` for cancel and re-promise, else none, unless told otherwise' }),
  })
  .superRefine((ask, ctx) => {
    if ((ask.orderIds === undefined) === (ask.filter === undefined)) ctx.addIssue({ code: 'custom', path: ['orderIds'], message: 'Give either orderIds or filter' })
    if (ask.holdType !== undefined && ask.action !== 'release') ctx.addIssue({ code: 'custom', path: ['holdType'], message: 'Is for release only' })
    const named = ask.orderIds ?? []
    if (new Set(named).size !== named.length) ctx.addIssue({ code: 'custom', path: ['orderIds'], message: 'Name each order once' })
  })

const counted = z.array(z.object({ code: z.string(), orders: z.int() }))
const forecast = {
  willDo: z.int().meta({ description: 'Orders for which it would be done as they stand now' }),
  refused: counted,
  units: z.int(),
  money: z.array(z.object({ currency: z.string(), letGoMinor: minor, refundElsewhereMinor: minor })).meta({ description: 'What is held and would be let go, and what the channel has taken and would have to give back' }),
}
const undo = { undo: z.string().meta({ description: 'What can be done about it afterwards' }) }

export const bulkPreview = z.object({ preview: z.literal(true), action: z.enum(bulkActions), orders: z.int(), ...forecast, ...undo }).meta({ id: 'BulkPreview' })

export const bulkAnswer = z
  .object({
    bulkActionId: z.string(),
    action: z.enum(bulkActions),
    reason: z.string(),
    actor: z.string(),
    status: z.enum(['waiting', 'running', 'done', 'withdrawn']),
    orders: z.int(),
    preview: z.object(forecast),
    createdAt: at,
    startsAt: at.meta({ description: 'Until then nothing is done, and it can be withdrawn' }),
    startedAt: at.nullable(),
    endedAt: at.nullable(),
    progress: z.object({ waiting: z.int(), done: z.int(), refused: z.int(), failed: z.int(), withdrawn: z.int() }),
    refusedBy: counted,
    ...undo,
    allowedActions: z.array(z.string()),
  })
  .meta({ id: 'BulkAction' })

export const bulkOutcomes = ['waiting', 'done', 'refused', 'failed', 'withdrawn'] as const
export const bulkResult = z.object({
  position: z.int(),
  orderId: z.string(),
  channelOrderId: z.string(),
  outcome: z.enum(bulkOutcomes),
  code: z.string().nullable().meta({ description: 'Why it was refused' }),
  data: z.record(z.string(), z.unknown()).nullable(),
  at: at.nullable(),
})
