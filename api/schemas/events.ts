/** What each event of the timeline says, as schemas: the `data` of the timeline and the `details` of webhooks. One table per version of the payloads, so that a later shape can come beside this one. */
import { z } from 'zod'
import type { EventType } from '../../domain/events'
import { payloadVersions, testEventType, type PayloadVersion } from '../../domain/webhooks/message'
import { at } from './fields'

const text = z.string()
const count = z.int().min(0)
const amount = z.int()
const strict = z.strictObject
const line = { lineId: text, quantity: count }
const lines = z.array(strict(line))
const nothing = strict({})
const work = { fulfillmentId: text }
const workAt = { ...work, nodeId: text }
const assignee = text.optional()

const money = { tenderId: text, amountMinor: amount, currency: text }
const payment = strict({ ...money, reference: text.nullable(), declineCode: text.optional() })
const dispute = { disputeId: text, tenderId: text, reference: text, amountMinor: amount, currency: text, reason: text }
/** With the data of the refusal, which errors.md lists by code. */
const refused = z.looseObject({ code: text })
const promise = { promisedFrom: at.nullable(), promisedBy: at, confidence: z.number() }
const scan = strict({ trackingNumber: text.optional(), fulfillmentId: text.optional(), status: text, at, runId: text.optional() })
const parcelBack = { returnId: text, trackingNumber: text }
const exception = { exceptionId: text, kind: text }

const version1 = {
  'order.placed': strict({ channelOrderId: text, totalMinor: amount, currency: text, lines: z.array(strict({ ...line, sku: text })) }),
  'draft.placed': strict({ draftId: text, number: text }),
  'payment.method_given': strict({ ...money, provider: text }),
  'payment.authorized': payment,
  'payment.action_required': payment,
  'payment.processing': payment,
  'payment.declined': payment,
  'payment.captured': payment,
  'payment.voided': payment,
  'payment.refunded': strict({ ...money, reference: text.nullable().optional(), declineCode: text.optional(), by: z.literal('channel').optional() }),
  'payment.credited': z.looseObject({ ...money, returnId: text.optional() }),
  'payment.refund_failed': strict({ ...money, refundReference: text, reference: text, reason: text }),
  'payment.disputed': strict(dispute),
  'payment.dispute_closed': strict({ ...dispute, outcome: text }),
  'refund.counted': z.looseObject({ amountMinor: amount, currency: text }),
  'order.sourced': strict({ nodes: z.array(text), reason: text }),
  'order.re_sourced': strict({ reOptimisationId: text, from: z.array(text), to: z.array(text), savesMinor: amount, costMinor: amount }),
  'order.stock_taken_back': strict({ nodeId: text, sku: text, ...line, fulfillmentId: text.optional() }),
  'promise.at_risk': z.looseObject({ ...work, milestone: text, action: text, costMinor: amount.nullable().optional() }),
  'promise.renewed': strict({ ...workAt, milestone: text, was: strict(promise), ...promise }),
  'order.changed': strict({ changeId: text, operations: z.array(text) }),
  'order.change_requested': strict({ changeId: text, operations: z.array(text), expiresAt: at }),
  'order.change_rejected': strict({ changeId: text, reason: text }),
  'order.change_failed': strict({ changeId: text, reason: text }),
  'order.lines_cancelled': strict({ lines, reason: text }),
  'order.backordered': strict({
    short: z.array(strict({ sku: text, wanted: count, available: count })).optional(),
    lines: z.array(strict({ ...line, sku: text, shipBy: at.nullable() })).optional(),
  }),
  'fulfillment.released': strict({ ...workAt, units: count, dueAt: at.nullable() }),
  'fulfillment.moved': strict({ ...workAt, nodes: z.array(text), reason: text, costMinor: amount.nullable(), cause: text }),
  'fulfillment.assigned': strict({ ...work, assignee, from: text.optional() }),
  'fulfillment.unassigned': strict({ ...work, from: text.optional() }),
  'fulfillment.joined_wave': strict({ ...work, waveId: text, assignee }),
  'fulfillment.left_wave': strict({ ...work, waveId: text, why: z.enum(['cancelled', 'rejected', 'closed']), assignee }),
  'fulfillment.picked': strict({ ...work, lines: z.array(z.looseObject({ lineId: text })), complete: z.boolean() }),
  'fulfillment.reduced': strict({ ...workAt, status: text, lines: z.array(z.looseObject(line)), putBack: z.array(z.looseObject({ ...line, sku: text })), assignee }),
  'fulfillment.extended': strict({ ...workAt, status: text, lines: z.array(strict({ ...line, sku: text })), assignee }),
  'fulfillment.rejected': strict({ ...workAt, status: text, lines: z.array(strict({ ...line, reason: text.optional() })) }),
  'fulfillment.packed': strict({ ...work, packages: count, carrier: text.optional(), service: text.optional() }),
  'fulfillment.ready': strict({ ...workAt, pickupBy: at }),
  'fulfillment.pickup_reminded': strict(workAt),
  'fulfillment.collected': strict({ ...workAt, proof: z.enum(['code', 'identity document', 'carried out']) }),
  'fulfillment.expired': strict({ ...workAt, lines: z.array(z.looseObject(line)) }),
  'fulfillment.received': strict({ ...workAt, lines, missing: lines }),
  'shipment.labelled': strict({ ...work, shipmentId: text, carrier: text, service: text, trackingNumbers: z.array(text) }),
  'shipment.handed_over': strict({ ...workAt, toNodeId: text.nullable().optional(), runId: text.optional(), driverId: text.optional(), trackingNumbers: z.array(text) }),
  'shipment.in_transit': scan,
  'shipment.out_for_delivery': scan,
  'shipment.planned': strict({ ...work, runId: text, stop: count, of: count, etaFrom: at, etaTo: at }),
  'shipment.attempt_failed': strict({ ...work, runId: text, outcome: text, attempt: count, next: text, reason: text.optional() }),
  'shipment.delivered': scan,
  'shipment.troubled': scan,
  'shipment.intercept_asked': strict({ exceptionId: text, parcels: z.array(z.looseObject({})) }),
  'shipment.undelivered': z.looseObject({ packageId: text, ...workAt, status: text, remedy: text, goods: text }),
  'shipment.claimed': strict({ carrier: text, trackingNumber: text, claimReference: text, amountMinor: amount, currency: text }),
  'refund.asked': strict({ refundId: text, amountMinor: amount, aboveMinor: amount, currency: text, tenderId: text.optional(), remedy: z.enum(['refund', 'credit']).optional() }),
  'refund.approved': strict({ refundId: text, amountMinor: amount, currency: text, askedBy: text }),
  'refund.rejected': strict({ refundId: text, amountMinor: amount, currency: text, askedBy: text }),
  'refund.limited': z.looseObject({ amountMinor: amount, feeMinor: amount, givenMinor: amount, countedMinor: amount, owedMinor: amount, currency: text, returnId: text.optional() }),
  'refund.given_again': strict({ refundReference: text, way: z.enum(['another_payment', 'store_credit', 'bank_transfer']), amountMinor: amount, currency: text, tenderId: text.optional(), transferReference: text.optional(), sentBy: text.optional() }),
  'return.requested': strict({ returnId: text, method: text, lines: z.array(z.looseObject(line)), approved: z.boolean(), override: z.unknown().optional() }),
  'return.refused': refused,
  'return.labelled': strict({ ...parcelBack, carrier: text, service: text }),
  'return.not_labelled': strict({ returnId: text, code: z.enum(['no_carrier', 'no_address']), says: text.optional() }),
  'return.label_given_back': strict({ ...parcelBack, carrier: text }),
  'return.in_transit': strict({ ...parcelBack, status: text, at }),
  'return.arrived': strict({ ...parcelBack, nodeId: text, at }),
  'return.lost': strict({ ...parcelBack, status: text, lines: z.array(z.looseObject({ lineId: text })) }),
  'return.troubled': z.looseObject({ ...parcelBack, status: text, at }),
  'return.claimed': strict({ ...parcelBack, carrier: text, claimReference: text, amountMinor: amount, currency: text }),
  'return.reminded': strict({ returnId: text, dueAt: at, lines }),
  'return.approved': strict({ returnId: text }),
  'return.rejected': strict({ returnId: text, reason: text }),
  'return.cancelled': strict({ returnId: text, reason: text.optional() }),
  'return.collected': strict({ returnId: text, runId: text, outcome: text.optional() }),
  'return.not_expected': strict({ returnId: text, runId: text, nodeId: text, status: text, outcome: text, lines: z.array(z.looseObject({ lineId: text })) }),
  'return.not_collected': strict({ returnId: text, runId: text, outcome: text, door: text, next: text, reason: text.optional() }),
  'return.received': strict({ returnId: text, nodeId: text, lines: z.array(z.looseObject({ ...line, disposition: text })) }),
  'return.closed': strict({ returnId: text, reason: text.optional(), missing: lines.optional() }),
  'return.charged': strict({ returnId: text, lines, amountMinor: amount, currency: text, reason: text.optional() }),
  'return.charge_waived': strict({ returnId: text, reason: text.optional() }),
  'return.held_anew': strict({ returnId: text }),
  'replacement.requested': z.looseObject({ returnId: text, collectOld: text, lines: z.array(z.looseObject(line)), sends: text }),
  'replacement.failed': strict({ lines: z.array(strict({ ...line, sku: text.optional() })), reason: text }),
  'order.reopened': nothing,
  'order.cancelled': strict({ reason: text, released: z.array(strict({ ...line, sku: text, nodeId: text })) }),
  'order.command_refused': strict({ command: text, code: text, pointers: z.array(text).optional() }),
  'channel.told': strict({ fulfillmentId: text, reference: text }),
  'channel.cancellation_told': strict({ reference: text }),
  'channel.refunded': z.looseObject({ refundId: text, amountMinor: amount, currency: text.nullable() }),
  'order.cancel_refused': refused,
  'order.completed': nothing,
  'order.resubmitted': strict({ eventId: text }),
  'hold.placed': strict({ holdId: text, type: text, blocks: z.array(text), owner: text, deadline: at.nullable(), rule: text.optional(), askedBack: z.array(z.unknown()).optional() }),
  'hold.approved': strict({ holdId: text, type: text, left: count }),
  'hold.released': strict({ holdId: text, type: text, why: text }),
  'fraud.checked': strict({ checkId: text, verdict: text, reference: text.nullable() }),
  'exception.opened': strict({ ...exception, owner: text, summary: text }),
  'exception.assigned': strict({ ...exception, assignee: text }),
  'exception.retried': strict(exception),
  'exception.resolved': strict({ ...exception, resolution: text }),
} as const satisfies Record<EventType, z.ZodType>

export const eventSchemas: Readonly<Record<PayloadVersion, Readonly<Record<EventType, z.ZodType>>>> = { '1': version1 }

const order = { orderId: text, channel: text, channelOrderId: text, seq: z.int() }

/** The whole body of a webhook. */
export const webhookSchema = (type: EventType | typeof testEventType, version: PayloadVersion): z.ZodType =>
  type === testEventType
    ? strict({ type: z.literal(type), timestamp: at, data: strict({ details: nothing }) })
    : strict({ type: z.literal(type), timestamp: at, data: strict({ ...order, details: eventSchemas[version][type] }) })

export const newestVersion = payloadVersions.at(-1)!
