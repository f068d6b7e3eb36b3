/** What is told of an order to agents who bought it for somebody: the same facts for every protocol, lines as they were ordered, money as it was charged. */

export interface AgentLine {
  lineId: string
  sku: string
  name: string
  quantity: number
  unitPriceMinor: number
  discountMinor: number
  taxMinor: number
  shipped: number
  delivered: number
  cancelled: number
  returned: number
  replaces: string | null
}

/** As the single view shows it. */
export interface AgentOrder {
  orderId: string
  channelOrderId: string
  status: string
  currency: string
  totalMinor: number
  taxIncluded: boolean
  shipping: { priceMinor: number; taxMinor: number }
  shipTo: Record<string, unknown> | null
  delivery: Record<string, unknown>
  lines: readonly AgentLine[]
  fulfillments: readonly { fulfillmentId: string; nodeId: string; method: string; status: string; lines: readonly { lineId: string; quantity: number }[] }[]
  shipments: readonly { fulfillmentId: string; carrier: string; trackingNumber: string | null; status: string }[]
  promise: { promisedFrom: string | null; promisedBy: string | null }
  money: { refundedMinor: number; creditedMinor: number }
}
export interface AgentEvent {
  seq: number
  at: string
  type: string
  data: Record<string, unknown>
}
export interface AgentFacts {
  order: AgentOrder
  /** Its timeline, first to last. */
  events: readonly AgentEvent[]
  /** Where the customer finds her order. */
  permalink: string
}

/** A line of goods, or of a component of a kit: what an agent can be told units of. What was sent in place of others is no line of its own. */
export const soldLines = ({ lines }: AgentOrder): readonly AgentLine[] => lines.filter((line) => line.replaces === null)

export interface Money {
  subtotalMinor: number
  discountMinor: number
  shippingMinor: number
  taxMinor: number
  totalMinor: number
}

/** What the customer was charged. Where prices have their tax in them it is taken out, so that the parts add up to the total. */
export function chargedFor(order: AgentOrder): Money {
  const lines = soldLines(order)
  const sum = (of: (line: AgentLine) => number): number => lines.reduce((total, line) => total + of(line), 0)
  const linesTax = sum((l) => l.taxMinor)
  const inside = order.taxIncluded ? 1 : 0
  return {
    subtotalMinor: sum((l) => l.unitPriceMinor * l.quantity) - inside * linesTax,
    discountMinor: sum((l) => l.discountMinor),
    shippingMinor: order.shipping.priceMinor - inside * order.shipping.taxMinor,
    taxMinor: linesTax + order.shipping.taxMinor,
    totalMinor: order.totalMinor,
  }
}

/** Of a part: the parcel it is in, if it is in one. */
export const parcelOf = (order: AgentOrder, fulfillmentId: string): AgentOrder['shipments'][number] | undefined => order.shipments.find((s) => s.fulfillmentId === fulfillmentId)

/** Parts that are or were on their way to the customer, not between two nodes. */
export const partsToCustomer = ({ fulfillments }: AgentOrder): AgentOrder['fulfillments'] => fulfillments.filter((f) => f.method !== 'transfer')

/** What is left out where there is nothing to say. */
export const said = (fields: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
