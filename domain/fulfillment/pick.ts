/** What a pick report and a set of packages mean for a fulfillment: pure checks over (line, quantity) pairs. */
import { refuse } from '../refusals'

export interface WorkLine {
  lineId: string
  sku: string
  quantity: number
  picked: number
  rejected: number
}
export interface PickReport {
  lineId: string
  picked: number
  rejected: number
}

export const rejectReasons = ['not_in_stock', 'damaged', 'mismatch', 'no_time'] as const
export type RejectReason = (typeof rejectReasons)[number]

/** Adds a report to what was reported before. @throws `fulfillment.quantity` when a line would exceed what it still has open, or is not part of the work. */
export function addPick(lines: readonly WorkLine[], report: readonly PickReport[]): WorkLine[] {
  const next = lines.map((line) => ({ ...line }))
  for (const entry of report) {
    const line = next.find((l) => l.lineId === entry.lineId)
    const open = line ? line.quantity - line.picked - line.rejected : 0
    const given = entry.picked + entry.rejected
    if (!line || given > open) throw refuse('fulfillment.quantity', { lineId: entry.lineId, open, given })
    line.picked += entry.picked
    line.rejected += entry.rejected
  }
  return next
}

/** Every unit was either picked or rejected, and there is something to pack. */
export const isAllPicked = (lines: readonly WorkLine[]): boolean => lines.every((l) => l.picked + l.rejected === l.quantity) && lines.some((l) => l.picked > 0)

/** Nothing is left to fill. */
export const isAllRejected = (lines: readonly WorkLine[]): boolean => lines.every((l) => l.rejected === l.quantity)

/** @throws `fulfillment.packages_differ` unless the packages hold exactly what was picked. */
export function checkPackages(lines: readonly WorkLine[], packages: readonly { lines: readonly { lineId: string; quantity: number }[] }[]): void {
  const packed = new Map<string, number>()
  for (const content of packages.flatMap((p) => p.lines)) packed.set(content.lineId, (packed.get(content.lineId) ?? 0) + content.quantity)
  const picked = new Map(lines.map((l) => [l.lineId, l.picked]))
  for (const lineId of new Set([...picked.keys(), ...packed.keys()])) {
    const [inBoxes, inHand] = [packed.get(lineId) ?? 0, picked.get(lineId) ?? 0]
    if (inBoxes !== inHand) throw refuse('fulfillment.packages_differ', { lineId, picked: inHand, packed: inBoxes })
  }
}
