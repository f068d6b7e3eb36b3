/** The single view of an order, its list and its timeline, as answers show them. */
import { z } from 'zod'
import { choiceReasons, lossReasons } from '../../domain/delivery/choice'
import { eventTypes } from '../../domain/events'
import { fulfillmentStatuses } from '../../domain/fulfillment/moves'
import { orderFulfillmentStatuses, orderStatuses, paymentStatuses, waitReasons } from '../../domain/order/status'
import { at, minor } from './fields'
import { holdAnswer } from './holds'
import { runOfTask } from './runs'

const count = z.int().min(0)
const lineQuantity = z.object({ lineId: z.string(), quantity: count })

export const packageView = z
  .object({
    packageId: z.string(),
    number: z.int(),
    weightGrams: z.int(),
    lengthMm: z.int().nullable(),
    widthMm: z.int().nullable(),
    heightMm: z.int().nullable(),
    lines: z.array(lineQuantity),
    carrier: z.string().nullable(),
    service: z.string().nullable(),
    trackingNumber: z.string().nullable(),
    label: z.record(z.string(), z.unknown()).nullable(),
    status: z.string(),
  })
  .meta({ id: 'Package' })

const workLine = z.object({ lineId: z.string(), sku: z.string(), name: z.string(), quantity: count, picked: count, rejected: count, cancelled: count.meta({ description: 'Taken out of the work because the customer no longer wants them; not part of `quantity`' }), bin: z.string().nullable() })
const status = z.enum(fulfillmentStatuses)

export const fulfillmentAnswer = z
  .object({
    fulfillmentId: z.string(),
    orderId: z.string(),
    channel: z.string(),
    channelOrderId: z.string(),
    nodeId: z.string(),
    method: z.string(),
    toNodeId: z.string().nullable().meta({ description: 'Of a transfer: the node that receives it' }),
    service: z.string().nullable(),
    status,
    assignee: z.string().nullable(),
    dueAt: at.meta({ description: 'By when it must be handed over for its promise to be kept; where nothing was promised, by when it must be packed' }),
    packBy: at.nullable(),
    priority: z.int(),
    releasedAt: at,
    packedAt: at.nullable(),
    handedOverAt: at.nullable(),
    pickup: z.object({ readyAt: at, pickupBy: at, collectedBy: z.enum(['code', 'identity document']).nullable() }).nullable(),
    endedAt: at.nullable(),
    heldBy: z.array(z.object({ holdId: z.string(), type: z.string(), owner: z.string() })).nullable().meta({ description: 'What keeps the node from going on with it; null: nothing' }),
    lines: z.array(workLine),
    packages: z.array(packageView),
    allowedActions: z.array(z.string()),
  })
  .meta({ id: 'Fulfillment' })

export const waitingOn = z
  .object({ what: z.enum(waitReasons), since: at, deadline: at.nullable() })
  .nullable()
  .meta({ description: 'What the order waits on, since when and until when; null when it has come to its end' })

export const guard = z
  .object({
    paymentId: z.string(),
    state: z.enum(['held', 'charged', 'let_go', 'asked']).meta({ description: '`asked`: the bank has not answered yet' }),
    amountMinor: minor,
    chargedMinor: minor.meta({ description: 'Taken for what did not come back' }),
    heldUntil: at.nullable().meta({ description: 'By the bank; it is held anew before, while the goods are still to come' }),
  })
  .nullable()
  .meta({ description: 'What is held over the goods of a return, because others were sent before they are back' })

const line = z.object({
  lineId: z.string(),
  sku: z.string(),
  name: z.string(),
  quantity: count,
  unitPriceMinor: minor,
  discountMinor: minor,
  taxMinor: minor,
  allocated: count,
  picked: count,
  shipped: count,
  delivered: count,
  cancelled: count,
  returned: count,
  credited: count.meta({ description: 'Units whose money was given back' }),
  replaces: z.string().nullable().meta({ description: 'The line that this one is sent in place of' }),
  backordered: count,
  shipBy: at.nullable().meta({ description: 'The date it is promised for, where it was sold before it was there' }),
  kit: z.object({ lineId: z.string(), sku: z.string(), quantity: count }).nullable().meta({ description: 'The line as it was ordered, where this is a component of a kit' }),
})

const offer = {
  carrier: z.string(),
  service: z.string(),
  priceMinor: minor,
  currency: z.string(),
  kept: z.number().optional().meta({ description: 'Probability that all is delivered by the promised day' }),
  withinDays: z.int().optional().meta({ description: 'Days until all is delivered with the confidence asked for' }),
}
const carrierChoice = z
  .object({
    chosen: z.object({ ...offer, reason: z.enum(choiceReasons) }).optional(),
    others: z.array(z.object({ ...offer, priceMinor: minor.optional(), currency: z.string().optional(), lost: z.enum(lossReasons), says: z.string() })),
    hurry: z.object({ insteadOf: z.string(), costMinor: minor }).optional().meta({ description: 'A dearer service was taken than the one the date was promised on' }),
  })
  .meta({ id: 'CarrierChoice', description: 'Which carrier service carries the parcels, and why each other lost' })

const statuses = { status: z.enum(orderStatuses), paymentStatus: z.enum(paymentStatuses), fulfillmentStatus: z.enum(orderFulfillmentStatuses), workflowOpen: z.boolean() }

export const orderAnswer = z
  .object({
    orderId: z.string(),
    channel: z.string(),
    channelOrderId: z.string(),
    draftId: z.string().nullable().meta({ description: 'The draft it was before' }),
    version: z.int(),
    ...statuses,
    placedAt: at,
    acceptedAt: at,
    closedAt: at.nullable(),
    currency: z.string(),
    totalMinor: minor,
    taxIncluded: z.boolean(),
    shipping: z.object({ priceMinor: minor, taxMinor: minor }),
    claim: z.enum(['required', 'later']),
    priority: z.int(),
    customer: z.record(z.string(), z.unknown()).nullable(),
    shipTo: z.record(z.string(), z.unknown()).nullable(),
    billTo: z.record(z.string(), z.unknown()).nullable(),
    flags: z.array(z.string()).nullable(),
    delivery: z.record(z.string(), z.unknown()),
    lines: z.array(line),
    holds: z.array(holdAnswer),
    fulfillments: z.array(
      z.object({
        fulfillmentId: z.string(),
        nodeId: z.string(),
        method: z.string(),
        status,
        assignee: z.string().nullable(),
        readyAt: at.nullable(),
        lines: z.array(workLine),
        packages: z.array(packageView),
      }),
    ),
    shipments: z.array(
      z.object({
        shipmentId: z.string(),
        packageId: z.string(),
        fulfillmentId: z.string(),
        carrier: z.string(),
        service: z.string(),
        trackingNumber: z.string().nullable(),
        status: z.string(),
        promisedBy: at.nullable(),
        handedOverAt: at.nullable(),
        deliveredAt: at.nullable(),
        run: runOfTask,
        choice: carrierChoice.nullable(),
      }),
    ),
    returns: z.array(z.object({ returnId: z.string(), status: z.string(), method: z.string(), remedy: z.string(), dueAt: at, guard, lines: z.array(lineQuantity.extend({ received: count })) })),
    payments: z.array(
      z.object({
        paymentId: z.string(),
        takenAtOnce: z.boolean().meta({ description: 'Taken instead of being held, as by a bank debit' }),
        action: z
          .object({ type: z.string(), clientSecret: z.string(), url: z.string().nullable() })
          .optional()
          .meta({ description: 'What the customer’s browser needs to go on at her bank, while that is waited for; for the channel and support' }),
        tenderId: z.string(),
        purpose: z.enum(['order', 'difference', 'guard']).meta({ description: '`difference`: what the new goods of an exchange cost more; `guard`: held over the old ones until they are back' }),
        provider: z.string(),
        reference: z.string().nullable(),
        status: z.string(),
        amountMinor: minor,
        authorizedMinor: minor,
        capturedMinor: minor,
        refundedMinor: minor,
        goodwillMinor: minor.meta({ description: 'Given back beyond what came back; part of `refundedMinor`' }),
        againMinor: minor.meta({ description: 'Of `refundedMinor`, what another payment had given before, and it came back' }),
        creditedMinor: minor.meta({ description: 'Given as store credit in place of a refund' }),
        authorizationExpiresAt: at.nullable(),
        declineCode: z.string().nullable(),
      }),
    ),
    promise: z.object({ promisedFrom: at.nullable(), promisedBy: at.nullable(), confidence: z.number().nullable(), state: z.enum(['on_track', 'at_risk', 'missed', 'kept']) }),
    money: z.object({ currency: z.string(), authorizedMinor: minor, capturedMinor: minor, refundedMinor: minor, refundsOwedMinor: minor.meta({ description: 'Of `refundedMinor`, what came back to the provider and was not given another way yet' }), creditedMinor: minor, owedMinor: minor }),
    waitingOn,
    pickupCode: z.string().optional().meta({ description: 'What the customer says at the counter while something waits there; for channels and support' }),
    allowedActions: z.array(z.string()),
  })
  .meta({ id: 'Order' })

export const orderSummary = z
  .object({
    orderId: z.string(),
    channel: z.string(),
    channelOrderId: z.string(),
    version: z.int(),
    ...statuses,
    placedAt: at,
    currency: z.string(),
    totalMinor: minor,
    customerName: z.string().nullable(),
    waitingOn,
    hasException: z.boolean(),
  })
  .meta({ id: 'OrderSummary' })

const timelineEventShape = {
  seq: z.int(),
  at,
  type: z.string().meta({ description: Object.entries(eventTypes).map(([type, says]) => `\`${type}\`: ${says}`).join('; ') }),
  actor: z.string(),
  data: z.record(z.string(), z.unknown()),
}
export const timelineEvent = z.object(timelineEventShape).meta({ id: 'TimelineEvent' })
