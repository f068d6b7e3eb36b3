/** A scanner that sends the same scan twice has not found the same unit twice: every scan has an id and counts once. */
import { refuse } from '../domain/refusals'
import { row, run, type Transaction } from './connection'
import type { FulfillmentRow } from './fulfillments'

export interface ScannedLine {
  lineId: string
  scanId?: string
}

/** To be called under the order's lock. @throws `fulfillment.scan_repeated` with what was counted before, by whom and when */
export async function countScans(tx: Transaction, { fulfillmentId, status, assignee }: FulfillmentRow, lines: readonly ScannedLine[], actor: string): Promise<void> {
  for (const { lineId, scanId } of lines) {
    if (scanId === undefined) continue
    const before = await row<{ lineId: string; actor: string; at: string }>(tx, 'SELECT line_id AS "lineId", actor, at FROM pick_scans WHERE fulfillment_id = ? AND scan_id = ?', [fulfillmentId, scanId])
    if (before) throw refuse('fulfillment.scan_repeated', { scanId, ...before, state: status, assignee })
    await run(tx, 'INSERT INTO pick_scans (fulfillment_id, scan_id, line_id, actor) VALUES (?, ?, ?, ?)', [fulfillmentId, scanId, lineId, actor])
  }
}
