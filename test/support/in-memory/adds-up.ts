/** One order at its end, by sums that are not made of our own shares: what the provider says, what customers see, what is on the shelf. */
import { rows } from '../../../db/connection'
import type { OrderView } from '../../../db/views/orders'
import type { InMemory } from './system'

/** @returns what is wrong with it. */
export async function wrongWith({ db, provider }: InMemory, order: OrderView): Promise<string[]> {
  const booked = provider.books().filter((i) => i.orderRef === order.orderId)
  const ours = order.payments.filter((p) => p.provider === 'stripe')
  const wrong: string[] = []
  const same = (what: string, one: number, other: number): void => void (one === other || wrong.push(`${what}: ${one} and ${other}`))
  for (const sum of ['authorizedMinor', 'capturedMinor', 'refundedMinor'] as const)
    for (const { id } of booked) same(`${sum} of ${id} with the provider and with us`, total(booked.filter((i) => i.id === id), (i) => i[sum]), total(ours.filter((p) => p.reference === id), (p) => p[sum]))
  same('holds with the provider that are still open, and none', booked.filter((i) => i.status === 'authorized').length, 0)
  for (const l of order.lines) same(`units of line ${l.lineId} ordered, and shipped or cancelled`, l.quantity, l.shipped + l.cancelled)

  const paidUs = order.payments.filter((p) => p.provider !== 'paid_elsewhere')
  const isKept = ours.length > 0 && order.status !== 'cancelled'
  // A line that was sent in place of another costs what it costs more; what one costs less was given back, as long as that counts; what did not come back was charged at what it was paid with.
  const less = await rows<{ minor: number }>(db, `SELECT ((less_minor * (less_given - less_taken) - value_minor * (charged - charged_back)) / quantity)::int8 AS minor FROM exchanges JOIN order_lines USING (order_id, line_id) WHERE order_id = ?`, [order.orderId])
  const goods = total(order.lines, (l) => l.unitPriceMinor * (l.quantity - l.cancelled - l.credited)) - total(less, (l) => l.minor)
  const kept = total(paidUs, (p) => p.capturedMinor - p.refundedMinor - p.creditedMinor)
  const refunds = await rows<{ feeMinor: number; countedMinor: number; byBankMinor: number }>(
    db,
    `SELECT -coalesce((parts->>'feeMinor')::int8, 0) AS "feeMinor", 0 AS "countedMinor", 0 AS "byBankMinor" FROM payment_operations WHERE order_id = :orderId AND kind IN ('refund', 'credit') AND status = 'succeeded'
     UNION ALL SELECT -coalesce((parts->>'feeMinor')::int8, 0), amount_minor - coalesce((parts->'goodwill'->>'minor')::int8, 0), CASE given_by WHEN 'bank' THEN amount_minor ELSE 0 END FROM counted_goodwill WHERE order_id = :orderId`,
    { orderId: order.orderId },
  )
  const byHand = total(paidUs, (p) => p.goodwillMinor) - total(refunds, (r) => r.countedMinor)
  const shipping = kept + byHand - total(refunds, (r) => r.feeMinor) - goods
  if (isKept && (shipping < 0 || shipping > order.shipping.priceMinor)) wrong.push(`kept ${kept}, of it goods ${goods}: leaves ${shipping} for shipping`)
  if (!isKept && ours.length > 0) same('kept of a cancelled order, less what she has of it by her bank or by hand, and nothing', kept + byHand, 0)
  const [lost] = await rows<{ minor: number }>(db, `SELECT coalesce(sum(d.amount_minor), 0)::int8 AS minor FROM disputes d JOIN payments USING (payment_id) WHERE order_id = ? AND d.status = 'lost'`, [order.orderId])
  if (total(refunds, (r) => r.byBankMinor) > lost!.minor) wrong.push(`counted of what her bank gave ${total(refunds, (r) => r.byBankMinor)}, and it gave ${lost!.minor}`)

  const tenders = await rows<{ tender: string }>(
    db,
    `SELECT tender_id AS tender FROM payments WHERE order_id = ? GROUP BY 1
     HAVING sum(captured_minor) > max(amount_minor) FILTER (WHERE part = 1) OR max(amount_minor) > max(amount_minor) FILTER (WHERE part = 1)`,
    [order.orderId],
  )
  for (const { tender } of tenders) wrong.push(`payments of tender ${tender} take or hold more than it is`)

  const charges = await rows<{ what: string; returnId: string }>(
    db,
    `SELECT 'more was charged than did not come back' AS what, x.return_id AS "returnId" FROM exchanges x JOIN return_lines rl ON rl.return_id = x.return_id AND rl.line_id = x.instead_of WHERE x.order_id = :orderId AND x.charged - x.charged_back > greatest(0, rl.quantity - rl.received - (rl.unreplaced - rl.repaid))
     UNION ALL SELECT 'the charge and its journal' AS what, return_id FROM (SELECT return_id, bool_or(charged > 0) AS charged FROM exchanges WHERE order_id = :orderId GROUP BY 1) x
       WHERE charged <> EXISTS (SELECT 1 FROM ledger_entries e WHERE e.journal_id = 'charge:' || x.return_id AND kind = 'charge')
     UNION ALL SELECT 'the capture of the guard and its journal' AS what, x.return_id FROM exchange_payments x JOIN payment_operations op USING (payment_id) WHERE op.order_id = :orderId AND x.role = 'guard' AND op.kind = 'capture'
       AND op.amount_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.journal_id = 'charge:' || x.return_id AND account = 'receivable')`,
    { orderId: order.orderId },
  )
  for (const { what, returnId } of charges) wrong.push(`${what}: ${returnId}`)

  const claims = await rows(db, `SELECT 1 FROM allocations WHERE order_id = ? AND status IN ('open', 'in_transfer')`, [order.orderId])
  same('claims that are still open, and none', claims.length, 0)
  return wrong
}

const total = <Item>(all: readonly Item[], of: (item: Item) => number): number => all.reduce((sum, item) => sum + of(item), 0)
