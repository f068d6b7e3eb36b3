/**
 * An order as the Agentic Commerce Protocol writes it: `Order` of its schema 2026-04-17, described in its RFC on orders. Amounts are minor units.
 * The number under which the agent's checkout became an order with us is its checkout session.
 */
import { chargedFor, parcelOf, partsToCustomer, said, soldLines, textOf, type AgentFacts, type AgentLine, type AgentOrder } from './facts'
import { adjustments, happenings } from './happenings'

const statuses: Readonly<Record<string, string>> = {
  placed: 'confirmed', held: 'manual_review', sourcing: 'processing', backordered: 'processing', in_fulfillment: 'processing', partially_shipped: 'processing', shipped: 'shipped', delivered: 'completed', completed: 'completed', cancelled: 'canceled',
}
const partStatuses: Readonly<Record<string, string>> = {
  released: 'processing', picking: 'processing', picked: 'processing', packed: 'processing', ready: 'ready_for_pickup', handed_over: 'shipped', in_transit: 'in_transit', delivered: 'delivered', collected: 'delivered', expired: 'canceled', rejected: 'canceled', cancelled: 'canceled',
  returning: 'failed', returned: 'failed', lost: 'failed',
}

export function acpOrder({ order, events, permalink }: AgentFacts): Record<string, unknown> {
  return {
    type: 'order',
    id: order.orderId,
    checkout_session_id: order.channelOrderId,
    permalink_url: permalink,
    order_number: order.channelOrderId,
    status: statuses[order.status] ?? 'processing',
    ...estimate(order),
    line_items: soldLines(order).map(lineItem),
    fulfillments: partsToCustomer(order).map((part) => fulfillment(order, events, part)),
    adjustments: adjustments(events).map(({ id, at, type, status, amountMinor, lines }) =>
      said({ id, type, occurred_at: at, status, amount: amountMinor, currency: amountMinor === undefined ? undefined : order.currency.toLowerCase(), line_items: lines?.map((l) => ({ id: l.lineId, quantity: l.quantity })) }),
    ),
    totals: totals(order),
  }
}

function lineItem(line: AgentLine): object {
  const { quantity, cancelled, returned, shipped } = line
  const current = quantity - cancelled - returned
  const fulfilled = Math.min(current, shipped - returned)
  const status = current === 0 ? 'removed' : fulfilled === current ? 'fulfilled' : fulfilled > 0 ? 'partial' : 'processing'
  return { id: line.lineId, title: line.name, product_id: line.sku, quantity: { ordered: quantity, current, fulfilled }, unit_price: line.unitPriceMinor, subtotal: line.unitPriceMinor * quantity - line.discountMinor, status }
}

function fulfillment(order: AgentOrder, events: AgentFacts['events'], part: AgentOrder['fulfillments'][number]): object {
  const parcel = parcelOf(order, part.fulfillmentId)
  return said({
    id: part.fulfillmentId,
    type: part.method === 'delivery' ? 'shipping' : 'pickup',
    status: partStatuses[part.status] ?? 'processing',
    line_items: part.lines.filter((l) => l.quantity > 0).map((l) => ({ id: l.lineId, quantity: l.quantity })),
    carrier: parcel?.carrier,
    tracking_number: parcel?.trackingNumber,
    destination: part.method === 'delivery' ? destination(order) : undefined,
    ...estimate(order),
    events: happenings(order, events).filter((h) => h.fulfillmentId === part.fulfillmentId).map(({ id, at, word }) => ({ id, type: word, occurred_at: at })),
  })
}

function destination({ shipTo }: AgentOrder): object | undefined {
  if (!shipTo) return undefined
  const of = (field: string): string => textOf(shipTo[field]) ?? ''
  return { name: of('name'), line_one: of('line1'), ...said({ line_two: textOf(shipTo.line2) }), city: of('city'), state: of('region'), country: of('country'), postal_code: of('postalCode') }
}

const estimate = ({ promise: { promisedFrom, promisedBy } }: AgentOrder): object => (promisedBy === null ? {} : { estimated_delivery: { earliest: promisedFrom ?? promisedBy, latest: promisedBy } })

/** `total` stays what was charged at the checkout; what was given back stands beside it. */
function totals(order: AgentOrder): object[] {
  const { subtotalMinor, discountMinor, shippingMinor, taxMinor, totalMinor } = chargedFor(order)
  const back = order.money.refundedMinor + order.money.creditedMinor
  return [
    { type: 'subtotal', display_text: 'Subtotal', amount: subtotalMinor },
    { type: 'discount', display_text: 'Discount', amount: discountMinor },
    { type: 'fulfillment', display_text: 'Shipping', amount: shippingMinor },
    { type: 'tax', display_text: 'Tax', amount: taxMinor },
    { type: 'total', display_text: 'Total', amount: totalMinor },
    ...(back > 0 ? [{ type: 'amount_refunded', display_text: 'Refunded', amount: back }] : []),
  ]
}
