/** Units that returns paid for before they came, and ended without: what comes of them later comes for nothing. Under the order's lock. */
import type { Units } from '../domain/payment/shares'
import { beforeItComes, whenCounted, type Reckoned } from '../domain/returns/given'
import { rows, run, type Transaction } from './connection'
import type { ReturnLine, ReturnRow } from './returns'

/** As SQL, of a line `rl` of a return: paid for by it, and not here. */
const missingSql = 'greatest(0, rl.given - (rl.received - rl.covered_back) - rl.came_later)'
const givesBack = `r.remedy = 'refund' AND r.method <> 'none'`

/** Of each line of an order, what ended returns paid for and is not back, and no open return is to bring. */
export async function paidAhead(tx: Transaction, orderId: string): Promise<(lineId: string) => number> {
  const free = await rows<Units>(
    tx,
    `SELECT rl.line_id AS "lineId", sum(CASE WHEN r.ended_at IS NULL THEN rl.covered_back - rl.covered ELSE ${missingSql} END)::int AS quantity
     FROM return_lines rl JOIN returns r USING (return_id) WHERE rl.order_id = ? AND ${givesBack} GROUP BY 1`,
    [orderId],
  )
  return (lineId) => Math.max(0, free.find((f) => f.lineId === lineId)?.quantity ?? 0)
}

/** Its money is to be given before it comes. @returns for which units; its lines say so from now on */
export async function payAhead(tx: Transaction, back: ReturnRow): Promise<Units[]> {
  const free = await paidAhead(tx, back.orderId)
  const reckoned = back.lines.map((line) => ({ lineId: line.lineId, ...beforeItComes(line, free(line.lineId)) }))
  await keep(tx, back, reckoned.map((r) => ({ lineId: r.lineId, given: r.due, covered: r.taken, here: 0 })))
  return due(reckoned)
}

/**
 * It is counted, and its lines have it already. @param back as it was before
 * @returns for which units money is to be given, and which returns gave it for the others
 */
export async function countAhead(tx: Transaction, back: ReturnRow, counted: readonly Units[]): Promise<{ due: Units[]; paidBy: string[] }> {
  const free = await paidAhead(tx, back.orderId)
  const reckoned = back.lines.map((line) => ({ lineId: line.lineId, ...whenCounted(line, unitsOf(counted, line), back.remedy === 'refund' ? free(line.lineId) : 0) }))
  const paid = back.remedy !== 'refund' || back.inAdvance
  await keep(tx, back, reckoned.map((r) => ({ lineId: r.lineId, given: paid ? 0 : r.due, covered: r.taken, here: r.covered + r.taken })))
  const paidBy = reckoned.some((r) => r.before > 0) ? [back.returnId] : []
  for (const { lineId, covered, taken } of reckoned) paidBy.push(...(await bring(tx, back.orderId, { lineId, quantity: covered + taken })))
  return { due: paid ? [] : due(reckoned), paidBy: [...new Set(paidBy)] }
}

const unitsOf = (units: readonly Units[], { lineId }: ReturnLine): number => units.reduce((sum, u) => (u.lineId === lineId ? sum + u.quantity : sum), 0)
const due = (lines: readonly ({ lineId: string } & Reckoned)[]): Units[] => lines.flatMap((l) => (l.due > 0 ? [{ lineId: l.lineId, quantity: l.due }] : []))

async function keep(tx: Transaction, { returnId }: ReturnRow, lines: readonly { lineId: string; given: number; covered: number; here: number }[]): Promise<void> {
  for (const { lineId, given, covered, here } of lines.filter((l) => l.given + l.covered + l.here > 0))
    await run(tx, 'UPDATE return_lines SET given = given + ?, covered = covered + ?, covered_back = covered_back + ? WHERE return_id = ? AND line_id = ?', [given, covered, here, returnId, lineId])
}

/** Units of ended returns are here, of the oldest first. @returns of which */
async function bring(tx: Transaction, orderId: string, { lineId, quantity }: Units): Promise<string[]> {
  if (quantity === 0) return []
  const brought = await rows<{ returnId: string }>(
    tx,
    `WITH missing AS (SELECT rl.return_id, ${missingSql} AS n, sum(${missingSql}) OVER (ORDER BY r.number) AS upto FROM return_lines rl JOIN returns r USING (return_id)
       WHERE rl.order_id = :orderId AND rl.line_id = :lineId AND r.ended_at IS NOT NULL AND ${givesBack})
     UPDATE return_lines rl SET came_later = came_later + least(n, :quantity - (upto - n)) FROM missing m
     WHERE rl.return_id = m.return_id AND rl.line_id = :lineId AND n > 0 AND upto - n < :quantity RETURNING rl.return_id AS "returnId"`,
    { orderId, lineId, quantity },
  )
  return brought.map((b) => b.returnId)
}

/** What a return paid for and is not here. */
export const missingOf = (tx: Transaction, returnId: string): Promise<Units[]> =>
  rows(tx, `SELECT rl.line_id AS "lineId", ${missingSql}::int AS quantity FROM return_lines rl WHERE return_id = ? AND ${missingSql} > 0 ORDER BY 1`, [returnId])
