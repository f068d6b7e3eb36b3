/** Changes of an order after the click, as they are asked for: fewer units or more, lines added, another door, another way or date, or nothing of it any more. What is wanted of it, without yet knowing where it would come from. */
import { refuse } from '../refusals'
import { wantedUnits, type LineInPlaces } from './cancellation'
import type { NewLine } from './new-order'
import type { Units } from '../payment/shares'

export interface Address {
  country: string
  postalCode: string
  [field: string]: unknown
}
export type ChangeOperation =
  | { op: 'setQuantity'; lineId: string; quantity: number }
  | { op: 'removeLine'; lineId: string }
  | { op: 'addLine'; line: Omit<NewLine, 'kit'> }
  | { op: 'setShipTo'; shipTo: Address }
  | SetDelivery
  | { op: 'cancel'; lines?: readonly Units[] }

export interface SetDelivery {
  op: 'setDelivery'
  method: string
  service?: string
  nodeId?: string
  /** By when it shall arrive: the cheapest service that keeps it. */
  by?: string
  /** What the customer pays for it, where that is not what the policy says. */
  shipping?: { priceMinor: number; taxMinor?: number }
}

export interface WantedUnits {
  /** Given up, by line of goods. */
  fewer: Units[]
  /** More of lines that the order has. */
  more: Units[]
  /** Lines it has not. */
  added: Omit<NewLine, 'kit'>[]
}

/**
 * @throws `order.lines_repeated` for a line that is named twice, or added under an id that the order has; `order.line_unknown`, `order.kit_in_part`;
 *   `order.line_cancelled` for a line of which nothing is left; `order.kit_not_raised` for more of a kit, which is added as a line; `order.replacement_not_raised` for more of what was sent in place of other goods, whose price is only a difference
 */
export function unitsWanted(lines: readonly LineInPlaces[], operations: readonly ChangeOperation[]): WantedUnits {
  const added = operations.flatMap((o) => (o.op === 'addLine' ? [o.line] : []))
  const named = operations.flatMap((o) => (o.op === 'setQuantity' ? [{ lineId: o.lineId, to: o.quantity }] : o.op === 'removeLine' ? [{ lineId: o.lineId, to: 0 }] : []))
  refuseRepeated([...lines.flatMap((l) => [l.lineId, ...(l.kit ? [l.kit.lineId] : [])]).filter((id, i, all) => all.indexOf(id) === i), ...added.map((l) => l.lineId)])
  refuseRepeated(named.map((n) => n.lineId))
  const cancelled = operations.flatMap((o) => (o.op === 'cancel' ? (o.lines ?? [...new Set(lines.map((l) => l.kit?.lineId ?? l.lineId))].map((lineId) => ({ lineId, quantity: keptOf(lines, lineId) }))) : []))
  if (cancelled.length) return { fewer: wantedUnits(lines, cancelled).filter((u) => u.quantity > 0), more: [], added: [] }
  const over = named.find((n) => keptOf(lines, n.lineId) === 0)
  if (over) throw refuse('order.line_cancelled', { lineId: over.lineId, state: 'cancelled' })
  const changes = named.map(({ lineId, to }) => ({ lineId, by: to - keptOf(lines, lineId) }))
  const fewer = wantedUnits(lines, changes.map(({ lineId, by }) => ({ lineId, quantity: Math.max(0, -by) }))).filter((u) => u.quantity > 0)
  const more = changes.filter((c) => c.by > 0).map(({ lineId, by }) => ({ lineId, quantity: by }))
  const kit = more.find((m) => lines.some((l) => l.kit?.lineId === m.lineId))
  if (kit) throw refuse('order.kit_not_raised', { lineId: kit.lineId })
  const sent = more.find((m) => lines.some((l) => l.lineId === m.lineId && (l.replaces ?? null) !== null))
  if (sent) throw refuse('order.replacement_not_raised', { lineId: sent.lineId })
  return { fewer, more, added }
}

function refuseRepeated(lineIds: readonly string[]): void {
  const lineId = lineIds.find((id, i) => lineIds.indexOf(id) < i)
  if (lineId !== undefined) throw refuse('order.lines_repeated', { lineId })
}

/** How many of a line the order still has; of a kit, how many whole ones. */
export function keptOf(lines: readonly LineInPlaces[], lineId: string): number {
  const named = lines.filter((l) => (l.kit?.lineId ?? l.lineId) === lineId)
  const kept = named.map((l) => Math.floor((l.quantity - l.cancelled) / (l.kit ? l.quantity / l.kit.quantity : 1)))
  return kept.length ? Math.min(...kept) : Number.MAX_SAFE_INTEGER // unknown lines are refused by their name
}
