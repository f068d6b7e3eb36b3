/** Changes of an order that ask for nothing more than it has: fewer units, or another door at the same place. */
import { refuse } from '../refusals'
import { wantedUnits, type LineInPlaces } from './cancellation'
import type { Units } from '../payment/shares'

export interface Address {
  country: string
  postalCode: string
  [field: string]: unknown
}
export type ChangeOperation = { op: 'setQuantity'; lineId: string; quantity: number } | { op: 'removeLine'; lineId: string } | { op: 'setShipTo'; shipTo: Address }

/** The units that are not wanted any more. @throws `order.lines_repeated`, `order.line_unknown`, `order.kit_in_part`; `order.change_raises` for more than the order has */
export function unitsGivenUp(lines: readonly LineInPlaces[], operations: readonly ChangeOperation[]): Units[] {
  const fewer = operations.flatMap((o) => (o.op === 'setShipTo' ? [] : [{ lineId: o.lineId, to: o.op === 'removeLine' ? 0 : o.quantity }]))
  const repeated = fewer.find((f, i) => fewer.findIndex((other) => other.lineId === f.lineId) < i)
  if (repeated) throw refuse('order.lines_repeated', { lineId: repeated.lineId })
  return wantedUnits(lines, fewer.map(({ lineId, to }) => ({ lineId, quantity: fewerThan(keptOf(lines, lineId), lineId, to) }))).filter((u) => u.quantity > 0)
}

function fewerThan(kept: number, lineId: string, to: number): number {
  if (to > kept) throw refuse('order.change_raises', { lineId, has: kept, asked: to })
  return kept - to
}

/** How many of a line the order still has; of a kit, how many whole ones. */
function keptOf(lines: readonly LineInPlaces[], lineId: string): number {
  const named = lines.filter((l) => (l.kit?.lineId ?? l.lineId) === lineId)
  const kept = named.map((l) => Math.floor((l.quantity - l.cancelled) / (l.kit ? l.quantity / l.kit.quantity : 1)))
  return kept.length ? Math.min(...kept) : Number.MAX_SAFE_INTEGER // unknown lines are refused by their name
}

/** The last address given, if any. @throws `order.address_elsewhere` for another postal code or country: its promise and its nodes would be others */
export function newAddress(was: Address | null, operations: readonly ChangeOperation[]): Address | undefined {
  const address = operations.flatMap((o) => (o.op === 'setShipTo' ? [o.shipTo] : [])).at(-1)
  if (address && (was === null || was.country !== address.country || was.postalCode !== address.postalCode)) throw refuse('order.address_elsewhere', { country: was?.country ?? null, postalCode: was?.postalCode ?? null })
  return address
}
