/** What a pick report means for a fulfillment: pure checks over (line, quantity) pairs. */
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

/** Adds a report to what was reported before. @param now who has the work and how far it is, for whoever is refused. @throws `fulfillment.quantity` when a line would exceed what it still has open, or is not part of the work. */
export function addPick(lines: readonly WorkLine[], report: readonly PickReport[], now: { state?: string; assignee?: string | null } = {}): WorkLine[] {
  const next = lines.map((line) => ({ ...line }))
  for (const entry of report) {
    const line = next.find((l) => l.lineId === entry.lineId)
    const open = line ? line.quantity - line.picked - line.rejected : 0
    const given = entry.picked + entry.rejected
    if (!line || given > open) throw refuse('fulfillment.quantity', { lineId: entry.lineId, open, given, ...now })
    line.picked += entry.picked
    line.rejected += entry.rejected
  }
  return next
}

/** Every unit was either picked or rejected, and there is something to pack. */
export const isAllPicked = (lines: readonly WorkLine[]): boolean => lines.every((l) => l.picked + l.rejected === l.quantity) && lines.some((l) => l.picked > 0)

/** Nothing is left to fill. */
export const isAllRejected = (lines: readonly WorkLine[]): boolean => lines.every((l) => l.rejected === l.quantity)
