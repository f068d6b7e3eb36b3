/** What is sent in place of others becomes lines of the order, with what it costs more as their price. Under the order's lock. */
import type { WaitingOn } from '../../domain/order/status'
import { partOfWish } from '../../domain/returns/exchange-money'
import { run, type Transaction } from '../connection'
import { makeTenderOfDifference } from '../exchange-payments'
import { keepFirstVersion, keepVersion } from '../order-versions'
import type { OrderRow } from '../orders'
import { needsRemainder } from '../part-payments'
import { soldOf } from '../refunds'
import type { ReturnRow, WantedLine } from '../returns'

/**
 * The lines that stand for what is sent in place of others: they cost what they cost more, as what they replace stays paid for.
 * The order is to be refreshed then, waiting for `sourcingNow`.
 * @returns whether money for it is not held any more
 */
export async function sendReplacements(tx: Transaction, order: OrderRow, { returnId, wanted, actor }: { returnId: string; wanted: readonly WantedLine[]; actor: string }): Promise<{ remainder?: true }> {
  const { orderId } = order
  const moreMinor = wanted.reduce((sum, w) => sum + moreOf(w), 0)
  await keepFirstVersion(tx, orderId)
  if (moreMinor > 0) await makeTenderOfDifference(tx, orderId, returnId)
  await run(tx, linesSql, { orderId, returnId, wanted: JSON.stringify(wanted.map(asRow)), moreMinor })
  await keepVersion(tx, orderId, { actor, cause: `replacement ${returnId}` })
  return moreMinor > 0 && (await needsRemainder(tx, orderId)) ? { remainder: true } : {}
}

/**
 * Of what was to be sent once the old goods are back, as much as is back of them leaves, in one go: when all of them are counted, or when the rest has not come in time or will not. For what comes
 * after that nothing is sent any more; its money is given back.
 * @returns undefined where nothing waits to be sent, or nothing of it is back
 */
export async function sendForReceived(tx: Transaction, order: OrderRow, { returnId, wanted, lines, actor }: Pick<ReturnRow, 'returnId' | 'wanted' | 'lines'> & { actor: string }): Promise<{ remainder?: true } | undefined> {
  if (wanted === null) return undefined
  const receivedOf = (lineId: string): number => lines.find((l) => l.lineId === lineId)?.received ?? 0
  const { taxIncluded } = await soldOf(tx, order.orderId)
  const sent = wanted.flatMap((w) => (receivedOf(w.lineId) > 0 ? [partOfWish(w, Math.min(w.quantity, receivedOf(w.lineId)), taxIncluded)] : []))
  if (sent.length === 0) return undefined
  await run(tx, 'UPDATE returns SET wanted = NULL WHERE return_id = ?', [returnId])
  return sendReplacements(tx, order, { returnId, wanted: sent, actor })
}

/** What the order waits on then. */
export const sourcingNow = (): WaitingOn => ({ what: 'sourcing', since: new Date().toISOString(), deadline: null })

/** By what the order's total grows. */
const moreOf = ({ deltaMinor = 0 }: WantedLine): number => Math.max(0, deltaMinor)

const asRow = ({ lineId, sku, quantity, unitPriceMinor, paidMinor, paidTaxMinor, more, less }: WantedLine, i: number) => ({
  lineId, sku, quantity, number: i + 1, unitPriceMinor, paidMinor, paidTaxMinor,
  moreUnitPriceMinor: more?.unitPriceMinor, discountMinor: more?.discountMinor, taxMinor: more?.taxMinor, lessMinor: less?.minor, lessTaxMinor: less?.taxMinor,
})

/** Lines are named by whoever sells as well: the first numbers by which none is named, `r<number>-`, in their order. */
const freeSql = `
  SELECT n, row_number() OVER (ORDER BY n) AS number FROM generate_series(1, (SELECT count(*)::int FROM order_lines WHERE order_id = :orderId) + jsonb_array_length(:wanted::jsonb)) n
  WHERE NOT EXISTS (SELECT 1 FROM order_lines WHERE order_id = :orderId AND line_id LIKE 'r' || n || '-%')`

const linesSql = `
  WITH sent AS (
      INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price_minor, discount_minor, tax_minor, replaces)
      SELECT :orderId, 'r' || f.n || '-' || coalesce(l.replaces, l.line_id), b.positions + w.number, w.sku, w.quantity,
        coalesce(w."moreUnitPriceMinor", 0), coalesce(w."discountMinor", 0), coalesce(w."taxMinor", 0), coalesce(l.replaces, l.line_id)
      FROM (SELECT max(position)::int AS positions FROM order_lines WHERE order_id = :orderId) b,
        jsonb_to_recordset(:wanted::jsonb) AS w("lineId" text, sku text, quantity int, number int, "moreUnitPriceMinor" bigint, "discountMinor" bigint, "taxMinor" bigint)
        JOIN (${freeSql}) f ON f.number = w.number
        JOIN order_lines l ON l.order_id = :orderId AND l.line_id = w."lineId"
      RETURNING line_id, position),
    grown AS (UPDATE orders SET total_minor = total_minor + :moreMinor WHERE order_id = :orderId)
  INSERT INTO exchanges (order_id, line_id, return_id, instead_of, unit_price_minor, less_minor, less_tax_minor, value_minor, value_tax_minor)
  SELECT :orderId, sent.line_id, :returnId, w."lineId", w."unitPriceMinor", coalesce(w."lessMinor", 0), coalesce(w."lessTaxMinor", 0), coalesce(w."paidMinor", 0), coalesce(w."paidTaxMinor", 0)
  FROM sent, (SELECT max(position)::int AS positions FROM order_lines WHERE order_id = :orderId) b,
    jsonb_to_recordset(:wanted::jsonb) AS w("lineId" text, number int, "unitPriceMinor" bigint, "lessMinor" bigint, "lessTaxMinor" bigint, "paidMinor" bigint, "paidTaxMinor" bigint) WHERE sent.position = b.positions + w.number`
