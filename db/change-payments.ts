/**
 * The money that a change adds to an order: a tender of its own, on the method the customer paid with. Its row is no tender of the order (part 0) until the bank has
 * said yes and the change is carried out in the same transaction; a no leaves the order as it was.
 */
import { uuidv7 } from 'uuidv7'
import type { ChangeCharge } from '../domain/messages'
import { refuse } from '../domain/refusals'
import { row, rows, run, type Transaction } from './connection'
import { methodNow } from './given-methods'
import { changeReservationLives } from './reservations'

/** Records the operation that holds it, before the provider is asked. What the change has reserved stays so until the answer. @throws `order.change_under_way` while another change of the order waits for its money */
export async function intendCharge(tx: Transaction, ask: { orderId: string; changeId: string; amountMinor: number; paymentMethod: string | null; deadline: string }): Promise<ChangeCharge> {
  if (await row(tx, `SELECT 1 FROM order_changes WHERE order_id = ? AND state = 'paying'`, [ask.orderId])) throw refuse('order.change_under_way')
  await needMethod(tx, ask.orderId, { chargeMinor: ask.amountMinor, paymentMethod: ask.paymentMethod })
  const [paymentId, operationId] = [uuidv7(), uuidv7()]
  await run(tx, chargeSql, { ...ask, paymentId, operationId })
  await changeReservationLives(tx, ask.changeId, ask.deadline)
  return { paymentId, operationId, amountMinor: ask.amountMinor, deadline: ask.deadline }
}

const chargeSql = `
  WITH first AS (SELECT * FROM payments WHERE order_id = :orderId AND part = 1 AND (provider = 'stripe' OR :paymentMethod::text IS NOT NULL)
                 ORDER BY provider = 'stripe' DESC, payment_id LIMIT 1),
    held AS (
      INSERT INTO payments (payment_id, order_id, tender_id, provider, payment_method, payer, amount_minor, currency, status, part)
      SELECT :paymentId, order_id, tender_id || '+' || (SELECT count(*) + 1 FROM order_changes c WHERE c.order_id = first.order_id AND payment_id IS NOT NULL),
        'stripe',
        coalesce(:paymentMethod, now.method), CASE WHEN :paymentMethod::text IS NULL THEN now.payer END, :amountMinor, currency, 'opened', 0
      FROM first LEFT JOIN LATERAL (${methodNow('first', "AND m.provider = 'stripe'")}) now ON true RETURNING payment_id, order_id),
    paying AS (UPDATE order_changes SET state = 'paying', payment_id = held.payment_id, charge_minor = :amountMinor FROM held WHERE change_id = :changeId)
  INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
  SELECT :operationId, payment_id, order_id, 'authorize', 'authorize', :amountMinor FROM held`

/** What a change costs more was paid to the channel, as what it sold first was: a tender of its own, taken. */
export const tenderElsewhere = (tx: Transaction, ask: { orderId: string; changeId: string; amountMinor: number }): Promise<void> =>
  run(
    tx,
    `WITH first AS (SELECT * FROM payments WHERE order_id = :orderId AND part = 1 ORDER BY provider = 'paid_elsewhere' DESC, payment_id LIMIT 1),
       taken AS (
         INSERT INTO payments (payment_id, order_id, tender_id, provider, amount_minor, currency, status, authorized_minor, captured_minor, joined_at)
         SELECT :paymentId, order_id, tender_id || '+' || (SELECT count(*) + 1 FROM order_changes c WHERE c.order_id = first.order_id AND payment_id IS NOT NULL), 'paid_elsewhere', :amountMinor, currency, 'captured', :amountMinor, :amountMinor, clock_timestamp()
         FROM first RETURNING payment_id)
     UPDATE order_changes SET payment_id = taken.payment_id, charge_minor = :amountMinor FROM taken WHERE change_id = :changeId`,
    { ...ask, paymentId: uuidv7() },
  )

/** What was paid to others, or with a gift card or store credit alone, can only be charged for to a card that comes with the change. @throws `order.change_not_payable` */
export async function needMethod(tx: Transaction, orderId: string, { chargeMinor, paymentMethod }: { chargeMinor: number; paymentMethod: string | null }): Promise<void> {
  if (chargeMinor === 0 || paymentMethod !== null) return
  if (!(await row(tx, `SELECT 1 FROM payments WHERE order_id = ? AND part = 1 AND provider = 'stripe' LIMIT 1`, [orderId]))) throw refuse('order.change_not_payable', { chargeMinor })
}

/** How much of it is held now, or was taken at once. */
export const heldOf = async (tx: Transaction, paymentId: string): Promise<number> =>
  (await row<{ heldMinor: number }>(tx, `SELECT CASE status WHEN 'authorized' THEN authorized_minor WHEN 'captured' THEN captured_minor ELSE 0 END AS "heldMinor" FROM payments WHERE payment_id = ?`, [paymentId]))!.heldMinor

/** What is held is a tender of the order from now on. */
export const makeTender = (tx: Transaction, paymentId: string): Promise<void> => run(tx, 'UPDATE payments SET part = 1, joined_at = clock_timestamp() WHERE payment_id = ? AND part = 0', [paymentId])

/** What is held, or may be, for a change that is not carried out is let go. @returns the operation, none when nothing can be held */
export async function voidCharge(tx: Transaction, paymentId: string): Promise<string[]> {
  const voids = await rows<{ operationId: string }>(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
     SELECT gen_random_uuid(), payment_id, order_id, 'void', 'void', amount_minor FROM payments WHERE payment_id = ? AND status NOT IN ('declined', 'voided', 'captured')
     ON CONFLICT (payment_id, purpose) DO UPDATE SET purpose = excluded.purpose RETURNING operation_id AS "operationId"`,
    [paymentId],
  )
  return voids.map((v) => v.operationId)
}
