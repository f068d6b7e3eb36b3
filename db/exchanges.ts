/** The rows of what is sent in place of what: which line stands for which, under which return, and what of the difference was given back. Under the order's lock. */
import type { ExchangedLine } from '../domain/returns/exchange'
import type { Units } from '../domain/payment/shares'
import { row, rows, run, type Transaction } from './connection'

/** SQL of the lines of an order `o` as they were sold and exchanged. */
export const exchangedLinesJson = `(SELECT json_agg(json_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'unitPriceMinor', l.unit_price_minor, 'discountMinor', l.discount_minor, 'taxMinor', l.tax_minor,
    'raised', l.raised, 'cancelled', l.cancelled, 'credited', l.credited, 'replaces', l.replaces, 'insteadOf', x.instead_of, 'less', json_build_object('minor', coalesce(x.less_minor, 0), 'taxMinor', coalesce(x.less_tax_minor, 0)),
    'lessGiven', coalesce(x.less_given, 0), 'lessTaken', coalesce(x.less_taken, 0), 'value', json_build_object('minor', coalesce(x.value_minor, 0), 'taxMinor', coalesce(x.value_tax_minor, 0)),
    'charged', coalesce(x.charged, 0), 'chargedBack', coalesce(x.charged_back, 0)) ORDER BY l.position) FROM order_lines l LEFT JOIN exchanges x USING (order_id, line_id) WHERE l.order_id = o.order_id)`

/** The line that was sent under a return in place of one of its lines. */
export const sentFor = async (tx: Transaction, lines: readonly ExchangedLine[], returnId: string, lineId: string): Promise<ExchangedLine | undefined> => {
  const sent = await row<{ lineId: string }>(tx, 'SELECT line_id AS "lineId" FROM exchanges WHERE return_id = ? AND instead_of = ?', [returnId, lineId])
  return lines.find((l) => l.lineId === sent?.lineId)
}

/** Units of a line: the difference was given back, or counts no more because the rest was given back too; what they stand for was charged, or that given back. */
export const countUnits = (tx: Transaction, orderId: string, units: readonly Units[], what: 'less_given' | 'less_taken' | 'charged' | 'charged_back'): Promise<void> =>
  run(tx, `UPDATE exchanges x SET ${what} = ${what} + u.quantity FROM jsonb_to_recordset(?::jsonb) AS u("lineId" text, quantity int) WHERE x.order_id = ? AND x.line_id = u."lineId"`, [JSON.stringify(units), orderId])

/**
 * Units that were sent in place of others will not come. Of those others the money is given back once they are there: some now, the rest when they are counted.
 * @returns for how many it is due now
 */
export async function giveUpReplacing(tx: Transaction, orderId: string, { lineId, quantity }: Units): Promise<number> {
  let [left, due] = [quantity, 0]
  for (const line of await returnLinesBehind(tx, orderId, lineId)) {
    const units = Math.min(left, line.quantity - line.unreplaced)
    left -= units
    due += await repay(tx, { ...line, unreplaced: line.unreplaced + units }, line.method === 'none' ? line.quantity : line.received)
  }
  return due + left
}

/** Units are counted for which nothing was sent: others left before these had come, and leave no more. What was sent before there were exchanges was sent for all. */
export const countNeverSent = (tx: Transaction, returnId: string, counted: readonly Units[]): Promise<void> =>
  run(
    tx,
    `UPDATE return_lines rl SET unreplaced = unreplaced + greatest(0, received - sent) - greatest(0, received - c.quantity - sent)
     FROM (SELECT "lineId" AS line_id, sum(quantity)::int AS quantity FROM jsonb_to_recordset(:counted::jsonb) AS u("lineId" text, quantity int) GROUP BY 1) c,
       LATERAL (SELECT coalesce((SELECT l.quantity FROM exchanges x JOIN order_lines l USING (order_id, line_id) WHERE x.return_id = :returnId AND x.instead_of = c.line_id), 0) AS sent) s
     WHERE rl.return_id = :returnId AND rl.line_id = c.line_id AND EXISTS (SELECT 1 FROM exchanges x WHERE x.return_id = :returnId)`,
    { returnId, counted: JSON.stringify(counted) },
  )

/** Units of a return are there. @returns of how many the money is due, because nothing is sent in their place any more */
export async function dueOnReceipt(tx: Transaction, returnId: string, lineId: string): Promise<number> {
  const line = await row<BehindLine>(tx, `SELECT ${behind} FROM return_lines rl JOIN returns r USING (return_id) WHERE rl.return_id = ? AND rl.line_id = ?`, [returnId, lineId])
  return repay(tx, line!, line!.received)
}

interface BehindLine {
  returnId: string
  lineId: string
  method: string
  quantity: number
  received: number
  unreplaced: number
  repaid: number
}
const behind = `rl.return_id AS "returnId", rl.line_id AS "lineId", r.method, rl.quantity, rl.received, rl.unreplaced, rl.repaid`

/** What a line was sent for: known by its exchange; of one from before there were exchanges, whatever is open of what it replaces. */
async function returnLinesBehind(tx: Transaction, orderId: string, lineId: string): Promise<BehindLine[]> {
  const exact = await rows<BehindLine>(
    tx,
    `SELECT ${behind} FROM exchanges x JOIN returns r USING (return_id) JOIN return_lines rl ON rl.return_id = r.return_id AND rl.line_id = x.instead_of WHERE x.order_id = ? AND x.line_id = ?`,
    [orderId, lineId],
  )
  if (exact.length) return exact
  return rows<BehindLine>(
    tx,
    `SELECT ${behind} FROM order_lines sent JOIN order_lines old ON old.order_id = sent.order_id AND coalesce(old.replaces, old.line_id) = sent.replaces
       JOIN return_lines rl ON rl.order_id = old.order_id AND rl.line_id = old.line_id JOIN returns r USING (return_id)
     WHERE sent.order_id = ? AND sent.line_id = ? AND r.remedy = 'replacement' AND r.ended_at IS NULL AND rl.quantity > rl.unreplaced ORDER BY r.number`,
    [orderId, lineId],
  )
}

/** As many as are there of those for which nothing is sent. */
async function repay(tx: Transaction, { returnId, lineId, unreplaced, repaid }: BehindLine, there: number): Promise<number> {
  const now = Math.max(repaid, Math.min(unreplaced, there))
  await run(tx, 'UPDATE return_lines SET unreplaced = ?, repaid = ? WHERE return_id = ? AND line_id = ?', [unreplaced, now, returnId, lineId])
  return now - repaid
}
