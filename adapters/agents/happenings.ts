/** What happened on the way to the customer and to her money, read off the timeline: which of its sentences an agent is told, under which word. */
import { textOf, type AgentEvent, type AgentOrder } from './facts'

const words: Readonly<Record<string, string>> = {
  'fulfillment.released': 'processing',
  'shipment.handed_over': 'shipped',
  'shipment.in_transit': 'in_transit',
  'fulfillment.ready': 'ready_for_pickup',
  'shipment.delivered': 'delivered',
  'fulfillment.collected': 'delivered',
  'fulfillment.expired': 'canceled',
  'shipment.out_for_delivery': 'out_for_delivery',
  'shipment.attempt_failed': 'failed_attempt',
  'shipment.undelivered': 'undeliverable',
}

export interface Happening {
  id: string
  at: string
  word: string
  fulfillmentId: string
}

/** Carriers speak of a parcel by its number, and say when it was so. */
export const happenings = ({ shipments }: Pick<AgentOrder, 'shipments'>, events: readonly AgentEvent[]): Happening[] =>
  events.flatMap(({ seq, at, type, data }) => {
    const word = words[type]
    const fulfillmentId = textOf(data.fulfillmentId) ?? shipments.find((s) => s.trackingNumber !== null && s.trackingNumber === data.trackingNumber)?.fulfillmentId
    return word !== undefined && fulfillmentId !== undefined ? [{ id: String(seq), at: textOf(data.at) ?? at, word, fulfillmentId }] : []
  })

export interface Adjustment {
  id: string
  at: string
  type: 'refund' | 'credit' | 'return' | 'cancellation' | 'dispute'
  status: 'completed' | 'pending'
  amountMinor?: number
  lines?: { lineId: string; quantity: number }[]
}

/** Money given back, goods given up or sent back, and what a bank takes back. */
export const adjustments = (events: readonly AgentEvent[]): Adjustment[] =>
  events.flatMap(({ seq, at, type, data }): Adjustment[] => {
    const of = { id: String(seq), at }
    const amountMinor = typeof data.amountMinor === 'number' ? { amountMinor: data.amountMinor } : {}
    const lines = unitsIn(data.lines)
    if (type === 'payment.refunded') return [{ ...of, type: 'refund', status: 'completed', ...amountMinor }]
    if (type === 'payment.credited') return [{ ...of, type: 'credit', status: 'completed', ...amountMinor }]
    if (type === 'order.lines_cancelled') return [{ ...of, type: 'cancellation', status: 'completed', ...lines }]
    if (type === 'order.cancelled') return [{ ...of, type: 'cancellation', status: 'completed' }]
    if (type === 'return.received') return [{ ...of, type: 'return', status: 'completed', ...lines }]
    if (type === 'payment.disputed') return [{ ...of, type: 'dispute', status: 'pending', ...amountMinor }]
    return []
  })

function unitsIn(lines: unknown): { lines?: { lineId: string; quantity: number }[] } {
  if (!Array.isArray(lines)) return {}
  const units = (lines as { lineId?: unknown; quantity?: unknown }[]).flatMap(({ lineId, quantity }) => (typeof lineId === 'string' && typeof quantity === 'number' && quantity > 0 ? [{ lineId, quantity }] : []))
  return units.length ? { lines: units } : {}
}
