/** What a channel changed of an order, read off two of its documents: only what it said otherwise than before, and only where the order is not so already. */
import type { ChangeOperation } from './change'
import type { NewLine, ShipTo } from './new-order'

export interface Said {
  lines: readonly Omit<NewLine, 'kit'>[]
  shipTo?: ShipTo
  /** What the order costs as the channel has it, and whether the channel has the money for that. */
  money?: { totalMinor: number; isPaid: boolean }
}

/** @param keptOf how many of a line the order still has; undefined: it has no such line. */
export function changesSaid(before: Said, after: Said, keptOf: (lineId: string) => number | undefined): ChangeOperation[] {
  const was = new Map(before.lines.map((line) => [line.lineId, line.quantity]))
  const is = new Map(after.lines.map((line) => [line.lineId, line.quantity]))
  const named = [...was].flatMap(([lineId, quantity]): ChangeOperation[] => {
    const [now, kept] = [is.get(lineId) ?? 0, keptOf(lineId)]
    if (now === quantity || kept === undefined || kept === now) return []
    if (now > quantity) return [{ op: 'setQuantity', lineId, quantity: kept + now - quantity }]
    if (kept < now) return [] // more of it is cancelled here than there
    return [now === 0 ? { op: 'removeLine', lineId } : { op: 'setQuantity', lineId, quantity: now }]
  })
  const added = after.lines.filter((line) => !was.has(line.lineId) && line.quantity > 0 && keptOf(line.lineId) === undefined)
  const nothingLeft = added.length === 0 && named.length > 0 && [...was.keys()].every((lineId) => (is.get(lineId) ?? 0) === 0)
  if (nothingLeft) return [{ op: 'cancel' }]
  return [...named, ...added.map((line): ChangeOperation => ({ op: 'addLine', line })), ...doorSaid(before, after)]
}

/** By how much the channel says that the order has become dearer; undefined where it does not say. */
export const dearerSaid = ({ money: was }: Said, { money: is }: Said): number | undefined => (was && is ? is.totalMinor - was.totalMinor : undefined)

/** Another address: the whole of it takes the place of the one before. */
function doorSaid({ shipTo: was }: Said, { shipTo: is }: Said): ChangeOperation[] {
  if (!is || isSame(was, is)) return []
  const { postalCode = '', ...rest } = is
  return [{ op: 'setShipTo', shipTo: { ...rest, postalCode } }]
}

const isSame = (a: ShipTo | undefined, b: ShipTo): boolean => {
  const fields = new Set([...Object.keys(a ?? {}), ...Object.keys(b)]) as Set<keyof ShipTo>
  return [...fields].every((field) => a?.[field] === b[field])
}
