/** One event of an order's timeline as one line a shopkeeper would say. Facts come from the event, else from the order's own view. */

export interface TimelineEvent {
  seq: number
  at: string
  type: string
  actor: string
  data: Record<string, unknown>
}
export interface OrderView {
  channel: string
  channelOrderId: string
  status: string
  currency?: string
  waitingOn: { what: string } | null
  lines: readonly { sku: string; quantity: number }[]
  money: { currency: string; authorizedMinor: number; capturedMinor: number; owedMinor: number }
  fulfillments: readonly { fulfillmentId: string; nodeId: string; status: string; lines: readonly { lineId: string; quantity: number }[] }[]
  shipments: readonly {
    fulfillmentId: string
    carrier: string
    service: string
    status: string
    trackingNumber: string | null
    run: { runId: string; stop: number; of: number; etaFrom: string | null; etaTo: string | null; trackingPath: string } | null
  }[]
  returns: readonly { status: string }[]
}
/** Every decision of an order; candidates that lost keep the reason. */
export interface SourcingView {
  items?: readonly Decision[]
  decisions?: readonly Decision[]
}
interface Decision {
  candidates?: readonly { nodeId: string; verdict: string }[]
}

/** @returns undefined for events that are part of what the next line says. */
export function inWords(event: TimelineEvent, seen: { order: OrderView; sourcing?: SourcingView }): string | undefined {
  const words = sentences[event.type]
  if (!words) return undefined
  return spoken(...words(event, seen))
}

export const spoken = (what: string, told: string): string => `${what.padEnd(12)} ${told}`

type Sentence = (event: TimelineEvent, seen: { order: OrderView; sourcing?: SourcingView }) => [string, string]

const sentences: Record<string, Sentence> = {
  'order.placed': ({ data }, { order }) => ['accepted', `order ${order.channelOrderId} from ${order.channel}: ${goods(order)}${amount(data.totalMinor, order, ', ')}`],
  'payment.authorized': ({ data }, { order }) => ['authorised', `${amount(data.amountMinor ?? data.authorizedMinor ?? order.money.authorizedMinor, order)} held on the card`],
  'payment.declined': ({ data }) => ['declined', `by the provider${data.declineCode ? `: ${String(data.declineCode)}` : ''}`],
  'order.sourced': ({ data }, { sourcing }) => ['sourced', `to ${[data.nodes].flat().join(' and ')}: ${String(data.reason ?? 'chosen by the rules')}${losers(sourcing)}`],
  'order.backordered': () => ['backordered', 'no node has it all'],
  'fulfillment.picked': (event, seen) => ['picked', `off the shelf at ${nodeOf(event, seen.order)}`],
  'shipment.labelled': (event, seen) => ['packed', `${carrierOf(event, seen.order)}, tracking ${tracking(event, seen.order)}`],
  'shipment.handed_over': (event, seen) => ['handed over', `the parcel has left ${nodeOf(event, seen.order)}`],
  'payment.captured': ({ data }, { order }) => ['captured', `${amount(data.amountMinor ?? data.capturedMinor ?? order.money.capturedMinor, order)} taken for what left`],
  'shipment.in_transit': () => ['in transit', 'the carrier has scanned the parcel'],
  'shipment.planned': ({ data }) => ['planned', `with an own driver, stop ${String(data.stop)} of ${String(data.of)}`],
  'shipment.out_for_delivery': () => ['on the van', 'the parcel is out for delivery'],
  'shipment.delivered': () => ['delivered', 'the parcel has arrived'],
  'replacement.requested': ({ data }) => ['exchange', `${goodsAsked(data)}; the old goods are collected at the door`],
  'return.collected': () => ['collected', 'the driver has the old goods'],
  'return.received': ({ data }) => ['counted', `${counted(data)} at ${String(data.nodeId)}`],
  'return.closed': () => ['settled', 'the exchange is settled'],
  'payment.refunded': ({ data }, { order }) => ['refunded', `${amount(data.amountMinor, order)} given back`],
  'order.cancelled': ({ data }) => ['cancelled', String(data.reason ?? '')],
  'exception.opened': ({ data }) => ['waits', String(data.summary ?? data.kind ?? 'for a person')],
}

interface AskedLine {
  lineId: string
  quantity: number
  sku?: string
  grade?: string
  disposition?: string
}
const linesOf = (data: Record<string, unknown>): readonly AskedLine[] => data.lines as readonly AskedLine[]
const goodsAsked = (data: Record<string, unknown>): string => linesOf(data).map((l) => `${l.quantity} × ${l.sku ?? 'the same'}`).join(', ')
const counted = (data: Record<string, unknown>): string => linesOf(data).map((l) => `${l.quantity} ${String(l.grade).replaceAll('_', ' ')}, ${String(l.disposition).replaceAll('_', ' ')}`).join('; ')

const goods = (order: OrderView): string => order.lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')

const amount = (minor: unknown, order: OrderView, before = ''): string =>
  typeof minor === 'number' ? `${before}${(minor / 100).toFixed(2)} ${order.money.currency}` : ''

function losers(sourcing: SourcingView | undefined): string {
  const decision = (sourcing?.items ?? sourcing?.decisions)?.at(-1)
  const lost = decision?.candidates?.filter((c) => c.verdict !== 'chosen') ?? []
  return lost.length ? ` (not ${lost.map((c) => `${c.nodeId}: ${c.verdict}`).join('; ')})` : ''
}

const workOf = ({ data }: TimelineEvent, order: OrderView): OrderView['fulfillments'][number] | undefined =>
  order.fulfillments.find((f) => f.fulfillmentId === data.fulfillmentId)

const nodeOf = (event: TimelineEvent, order: OrderView): string => String(event.data.nodeId ?? workOf(event, order)?.nodeId ?? 'the node')

const carrierOf = ({ data }: TimelineEvent, order: OrderView): string =>
  `goes with ${String(data.carrier ?? order.shipments[0]?.carrier)} ${String(data.service ?? order.shipments[0]?.service)}`

const tracking = ({ data }: TimelineEvent, order: OrderView): string =>
  Array.isArray(data.trackingNumbers) ? data.trackingNumbers.join(', ') : String(data.trackingNumber ?? order.shipments[0]?.trackingNumber)
