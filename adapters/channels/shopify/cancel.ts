/** A shop on Shopify is told of what was cancelled here, and gives the money back, which is with it. It is first asked what it knows: so a lost answer cancels nothing twice. */
import { z } from 'zod'
import { ChannelRefusal, type CancelCause, type CancelledHere, type Told, type Units } from '../channel-api'
import { nodes, userErrors, type Ask } from './ask'

/** By this a refund of ours is known: the shop keeps it with the refund. */
export const noteOf = (operationId: string): string => `throughline:${operationId}`

export const operationOf = (note: string | undefined): string | undefined => /^throughline:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(note ?? '')?.[1]

export const tellCancelled = (ask: Ask, cancelled: CancelledHere, reference: string | null): Promise<Told> => (cancelled.whole ? cancelWhole(ask, cancelled, reference) : giveBack(ask, cancelled))

const orderId = ({ channelOrderId }: Pick<CancelledHere, 'channelOrderId'>): string => `gid://shopify/Order/${channelOrderId}`

const cancelledQuery = `query ($id: ID!) { order(id: $id) { cancelledAt } }`
const cancelledShape = z.object({ order: z.object({ cancelledAt: z.string().nullable() }).nullable() })
const orderCancel = `mutation ($orderId: ID!, $refundMethod: OrderCancelRefundMethodInput!, $reason: OrderCancelReason!, $staffNote: String) {
  orderCancel(orderId: $orderId, notifyCustomer: true, restock: true, refundMethod: $refundMethod, reason: $reason, staffNote: $staffNote) { job { id } orderCancelUserErrors { message } } }`
const cancelShape = z.object({ orderCancel: z.object({ job: z.object({ id: z.string() }).nullable(), orderCancelUserErrors: userErrors }) })
const reasons: Record<CancelCause, string> = { customer: 'CUSTOMER', fraud: 'FRAUD', stock: 'INVENTORY', other: 'OTHER' }

const jobShape = z.object({ job: z.object({ done: z.boolean() }).nullable() })

/** The shop does it in the background: until the order says that it is cancelled, it is looked at again. */
async function cancelWhole(ask: Ask, cancelled: CancelledHere, job: string | null): Promise<Told> {
  const id = orderId(cancelled)
  if (await isCancelled(ask, id)) return { reference: id }
  if (job !== null) return stillAtIt(ask, id, job)
  const variables = { orderId: id, refundMethod: { originalPaymentMethodsRefund: true }, reason: reasons[cancelled.cause], staffNote: noteOf(cancelled.operationId) }
  const { orderCancel: asked } = await ask(orderCancel, variables, cancelShape)
  if (!asked.job) throw new ChannelRefusal(asked.orderCancelUserErrors.map((e) => e.message).join('; '))
  return (await isCancelled(ask, id)) ? { reference: asked.job.id } : { reference: asked.job.id, pending: true }
}

async function stillAtIt(ask: Ask, id: string, reference: string): Promise<Told> {
  const { job } = await ask(`query ($id: ID!) { job(id: $id) { done } }`, { id: reference }, jobShape)
  if (!job?.done) return { reference, pending: true }
  if (await isCancelled(ask, id)) return { reference }
  throw new ChannelRefusal('the shop has ended the cancellation, and the order is not cancelled')
}

async function isCancelled(ask: Ask, id: string): Promise<boolean> {
  const { order } = await ask(cancelledQuery, { id }, cancelledShape)
  if (!order) throw new ChannelRefusal('the shop has no such order')
  return order.cancelledAt !== null
}

const unitsQuery = `query ($id: ID!) { order(id: $id) {
  refunds(first: 100) { id note }
  lineItems(first: 250) { nodes { id refundableQuantity unfulfilledQuantity } } } }`
const unitsShape = z.object({
  order: z
    .object({
      refunds: z.array(z.object({ id: z.string(), note: z.string().nullable() })),
      lineItems: nodes(z.object({ id: z.string(), refundableQuantity: z.int(), unfulfilledQuantity: z.int() })),
    })
    .nullable(),
})
type KnownLine = NonNullable<z.output<typeof unitsShape>['order']>['lineItems']['nodes'][number]

const suggestedQuery = `query ($id: ID!, $refundLineItems: [RefundLineItemInput!]) { order(id: $id) {
  suggestedRefund(refundLineItems: $refundLineItems) { suggestedTransactions { gateway amountSet { shopMoney { amount } } parentTransaction { id } } } } }`
const suggestedShape = z.object({
  order: z.object({
    suggestedRefund: z.object({
      suggestedTransactions: z.array(z.object({ gateway: z.string(), amountSet: z.object({ shopMoney: z.object({ amount: z.string() }) }), parentTransaction: z.object({ id: z.string() }).nullable() })),
    }),
  }),
})
const refundCreate = `mutation ($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { message } } }`
const refundShape = z.object({ refundCreate: z.object({ refund: z.object({ id: z.string() }).nullable(), userErrors }) })

async function giveBack(ask: Ask, cancelled: CancelledHere): Promise<Told> {
  const id = orderId(cancelled)
  const { order } = await ask(unitsQuery, { id }, unitsShape)
  if (!order) throw new ChannelRefusal('the shop has no such order')
  const note = noteOf(cancelled.operationId)
  const known = order.refunds.find((r) => r.note === note)
  if (known) return { reference: known.id }
  const refundLineItems = refundable(order.lineItems.nodes, cancelled.lines)
  if (refundLineItems.length === 0) return { reference: id } // it has given them back already, or never sold them
  const { order: worth } = await ask(suggestedQuery, { id, refundLineItems }, suggestedShape)
  const transactions = worth.suggestedRefund.suggestedTransactions.map(({ gateway, amountSet, parentTransaction }) => ({ orderId: id, kind: 'REFUND', gateway, amount: amountSet.shopMoney.amount, ...(parentTransaction && { parentId: parentTransaction.id }) }))
  const { refundCreate: made } = await ask(refundCreate, { input: { orderId: id, note, notify: true, refundLineItems, transactions }, key: cancelled.operationId }, refundShape)
  if (!made.refund) throw new ChannelRefusal(made.userErrors.map((e) => e.message).join('; '))
  return { reference: made.refund.id }
}

/** As many of the units as the shop has not given back yet. What it thinks it has sent does not go back to its stock. */
export function refundable(items: readonly KnownLine[], lines: readonly Units[]): { lineItemId: string; quantity: number; restockType: 'CANCEL' | 'NO_RESTOCK' }[] {
  return lines.flatMap(({ lineId, quantity }) => {
    const item = items.find((i) => i.id === `gid://shopify/LineItem/${lineId}`)
    const units = Math.min(quantity, item?.refundableQuantity ?? 0)
    return item && units > 0 ? [{ lineItemId: item.id, quantity: units, restockType: item.unfulfilledQuantity >= units ? ('CANCEL' as const) : ('NO_RESTOCK' as const) }] : []
  })
}
