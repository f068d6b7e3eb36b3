/**
 * An order as the Universal Commerce Protocol writes it: capability `dev.ucp.shopping.order`, version 2026-01-23. Amounts are minor units. What the customer may
 * expect and what has happened are two lists; lines count what is still wanted of them.
 */
import { chargedFor, parcelOf, partsToCustomer, said, soldLines, textOf, type AgentFacts, type AgentLine, type AgentOrder } from './facts'
import { adjustments, happenings } from './happenings'

const version = '2026-01-23'

export function ucpOrder({ order, events, permalink }: AgentFacts): Record<string, unknown> {
  const { subtotalMinor, discountMinor, shippingMinor, taxMinor, totalMinor } = chargedFor(order)
  return {
    ucp: { version, capabilities: { 'dev.ucp.shopping.order': [{ version }] } },
    id: order.orderId,
    checkout_id: order.channelOrderId,
    permalink_url: permalink,
    line_items: soldLines(order).map(lineItem),
    fulfillment: { expectations: expectations(order), events: fulfillmentEvents(order, events, permalink) },
    adjustments: adjustments(events).map(({ id, at, type, status, amountMinor, lines }) =>
      said({ id, type, occurred_at: at, status, amount: amountMinor, line_items: lines?.map((l) => ({ id: l.lineId, quantity: l.quantity })) }),
    ),
    totals: [
      { type: 'subtotal', amount: subtotalMinor },
      { type: 'discount', amount: discountMinor },
      { type: 'fulfillment', display_text: 'Shipping', amount: shippingMinor },
      { type: 'tax', amount: taxMinor },
      { type: 'total', amount: totalMinor },
    ],
  }
}

function lineItem({ lineId, sku, name, quantity, unitPriceMinor, discountMinor, cancelled, returned, shipped }: AgentLine): object {
  const total = quantity - cancelled - returned
  const fulfilled = Math.min(total, shipped - returned)
  const subtotal = unitPriceMinor * quantity
  return {
    id: lineId,
    item: { id: sku, title: name, price: unitPriceMinor },
    quantity: { total, fulfilled },
    totals: [{ type: 'subtotal', amount: subtotal }, ...(discountMinor > 0 ? [{ type: 'items_discount', amount: discountMinor }] : []), { type: 'total', amount: subtotal - discountMinor }],
    status: fulfilled === total ? 'fulfilled' : fulfilled > 0 ? 'partial' : 'processing',
  }
}

/** What is given up is expected no more: parts that ended with nothing for the customer are left out, and units without a part are expected together. */
function expectations(order: AgentOrder): object[] {
  const parts = partsToCustomer(order).filter((p) => !['rejected', 'cancelled', 'expired', 'lost', 'returned'].includes(p.status))
  const inParts = parts.map((part) => ({ id: part.fulfillmentId, method: part.method, units: part.lines.map((l) => ({ id: l.lineId, quantity: l.quantity })).filter((u) => u.quantity > 0) }))
  const open = soldLines(order)
    .map((l) => ({ id: l.lineId, quantity: l.quantity - l.cancelled - inParts.flatMap((p) => p.units).filter((u) => u.id === l.lineId).reduce((sum, u) => sum + u.quantity, 0) }))
    .filter((u) => u.quantity > 0)
  const { promisedBy } = order.promise
  return [...inParts, ...(open.length && order.status !== 'cancelled' ? [{ id: `${order.orderId}:open`, method: String(order.delivery.method), units: open }] : [])]
    .filter((expected) => expected.units.length > 0)
    .map(({ id, method, units }) => said({ id, line_items: units, method_type: method === 'delivery' ? 'shipping' : 'pickup', destination: destination(order), description: promisedBy === null ? undefined : `Arrives by ${promisedBy}` }))
}

/** Of parcels alone is the way known; the page of the order shows it. */
function fulfillmentEvents(order: AgentOrder, events: AgentFacts['events'], permalink: string): object[] {
  return happenings(order, events).flatMap(({ id, at, word, fulfillmentId }) => {
    const part = order.fulfillments.find((f) => f.fulfillmentId === fulfillmentId && f.method !== 'transfer')
    const units = part?.lines.map((l) => ({ id: l.lineId, quantity: l.quantity })).filter((u) => u.quantity > 0) ?? []
    if (units.length === 0) return []
    const parcel = parcelOf(order, fulfillmentId)
    return [said({ id, occurred_at: at, type: word, line_items: units, tracking_number: parcel?.trackingNumber, tracking_url: parcel?.trackingNumber ? permalink : undefined, carrier: parcel?.carrier })]
  })
}

function destination({ shipTo }: AgentOrder): object {
  const of = (field: string): string | undefined => textOf(shipTo?.[field])
  return said({
    full_name: of('name'), street_address: of('line1'), extended_address: of('line2'), address_locality: of('city'), address_region: of('region'), address_country: of('country'), postal_code: of('postalCode'),
  })
}
