/**
 * The money that is held for an exchange before anything is sent: on the card the customer paid with, or one that comes with the request. Until it is used its payment is part 0, and counts
 * nowhere. What the new goods cost more becomes a tender of the order with their lines.
 */
import { uuidv7 } from 'uuidv7'
import { refuse } from '../domain/refusals'
import { voidCharge } from './change-payments'
import { row, rows, run, type Transaction } from './connection'
import { methodNow } from './given-methods'
import { closeTenders } from './part-payments'

/** `guard`: over the value of the old goods, until those are back. */
export type ExchangeRole = 'difference' | 'guard'

export interface ExchangeHold {
  role: ExchangeRole
  paymentId: string
  operationId: string
  amountMinor: number
  /** The bank has until then to answer. */
  deadline: string
}

/** Records the operation that holds it, before the provider is asked. */
export async function intendExchangeHold(tx: Transaction, ask: { orderId: string; returnId: string; role: ExchangeRole; amountMinor: number; paymentMethod?: string; deadline: string }): Promise<ExchangeHold> {
  const { role, amountMinor, deadline } = ask
  const [paymentId, operationId] = [uuidv7(), uuidv7()]
  await run(tx, holdSql, { ...ask, paymentMethod: ask.paymentMethod ?? null, paymentId, operationId })
  return { role, paymentId, operationId, amountMinor, deadline }
}

/** On the card that comes with the request; or, held anew, on the one it is held on; or on the one the order is paid with. */
const holdSql = `
  WITH before AS (SELECT coalesce(saved_method, payment_method) AS method, payer FROM exchange_payments x JOIN payments m USING (payment_id)
                  WHERE x.return_id = :returnId AND x.role = :role AND authorized_minor > 0 ORDER BY payment_id DESC LIMIT 1),
    first AS (SELECT * FROM payments WHERE order_id = :orderId AND part = 1 AND (provider = 'stripe' AND NOT taken_at_once OR :paymentMethod::text IS NOT NULL OR EXISTS (SELECT 1 FROM before))
              ORDER BY provider = 'stripe' DESC, taken_at_once, payment_id LIMIT 1),
    own AS (SELECT * FROM before UNION ALL SELECT now.method, now.payer FROM first, LATERAL (${methodNow('first', "AND m.provider = 'stripe'")}) now WHERE NOT EXISTS (SELECT 1 FROM before)),
    held AS (
      INSERT INTO payments (payment_id, order_id, tender_id, provider, payment_method, payer, amount_minor, currency, status, part)
      SELECT :paymentId, order_id, tender_id || '+x' || (SELECT count(*) + 1 FROM exchange_payments x WHERE x.order_id = first.order_id), 'stripe',
        coalesce(:paymentMethod, own.method), CASE WHEN :paymentMethod::text IS NULL THEN own.payer END, :amountMinor, currency, 'opened', 0
      FROM first LEFT JOIN own ON true RETURNING payment_id, order_id),
    kept AS (INSERT INTO exchange_payments (payment_id, order_id, return_id, role) SELECT payment_id, order_id, :returnId, :role FROM held)
  INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
  SELECT :operationId, payment_id, order_id, 'authorize', 'authorize', :amountMinor FROM held`

/** What was paid to others, with a gift card or store credit alone, or with a debit, which cannot be held, needs a card that comes with the request. @throws `exchange.not_payable` */
export async function needCard(tx: Transaction, orderId: string, { amountMinor, paymentMethod }: { amountMinor: number; paymentMethod?: string }): Promise<void> {
  if (amountMinor === 0 || paymentMethod !== undefined) return
  if (!(await row(tx, `SELECT 1 FROM payments WHERE order_id = ? AND part = 1 AND provider = 'stripe' AND NOT taken_at_once LIMIT 1`, [orderId]))) throw refuse('exchange.not_payable', { amountMinor })
}

/** What is held now for an exchange, by role. */
export async function heldForExchange(tx: Transaction, returnId: string): Promise<Record<ExchangeRole, number>> {
  const held = await rows<{ role: ExchangeRole; heldMinor: number }>(
    tx,
    `SELECT role, sum(CASE WHEN status = 'authorized' THEN authorized_minor ELSE 0 END)::int8 AS "heldMinor" FROM exchange_payments JOIN payments USING (payment_id) WHERE return_id = ? GROUP BY 1`,
    [returnId],
  )
  return { difference: 0, guard: 0, ...Object.fromEntries(held.map((h) => [h.role, h.heldMinor])) }
}

/** What is held for what the new goods cost more is a tender of the order from now on, and pays for that. To be called before their lines are there. */
export async function makeTenderOfDifference(tx: Transaction, orderId: string, returnId: string): Promise<void> {
  await closeTenders(tx, orderId)
  await run(tx, `UPDATE payments SET part = 1, joined_at = clock_timestamp() WHERE part = 0 AND payment_id IN (SELECT payment_id FROM exchange_payments WHERE return_id = ? AND role = 'difference')`, [returnId])
}

/** The exchange does not take place, or the old goods are back: what is held for it, or may be, and is not to be taken is let go. @returns the operations that do */
export async function letGoOfExchange(tx: Transaction, returnId: string, { but }: { but?: string } = {}): Promise<string[]> {
  const held = await rows<{ paymentId: string }>(
    tx,
    `SELECT payment_id AS "paymentId" FROM exchange_payments x JOIN payments p USING (payment_id) WHERE return_id = ? AND part = 0 AND p.status <> 'captured' AND payment_id IS DISTINCT FROM ?
       AND NOT EXISTS (SELECT 1 FROM payment_operations op WHERE op.payment_id = x.payment_id AND op.kind IN ('capture', 'void') AND op.status <> 'abandoned')`,
    [returnId, but ?? null],
  )
  const voids: string[] = []
  for (const { paymentId } of held) voids.push(...(await letGoOfHold(tx, paymentId)))
  return voids
}

/** Nothing counts on it any more, not even where its customer says yes to it later. @returns the operation, none when nothing can be held yet */
export async function letGoOfHold(tx: Transaction, paymentId: string): Promise<string[]> {
  await run(tx, 'UPDATE exchange_payments SET over = true WHERE payment_id = ? AND NOT over', [paymentId])
  return voidCharge(tx, paymentId)
}
