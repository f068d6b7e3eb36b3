/** Goods that wait at a counter: the code that fetches them, and the proof that they were given. */
import { randomInt } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { pickupCodeOf, pickupCodes, type CollectionProof } from '../domain/fulfillment/collection'
import { openCalendar, type CalendarSettings, type NodeCalendar } from '../domain/promise/calendar'
import { isObstacle } from '../domain/promise/obstacle'
import { row, run, type Db, type Transaction } from './connection'

/** The hours of a node; undefined while they make no calendar. */
export async function calendarOf(tx: Transaction, nodeId: string): Promise<NodeCalendar | undefined> {
  const settings = await row<Pick<CalendarSettings, 'timeZone' | 'weekly' | 'specialDays'>>(
    tx,
    'SELECT time_zone AS "timeZone", calendar AS weekly, special_days AS "specialDays" FROM nodes WHERE node_id = ?',
    [nodeId],
  )
  const calendar = openCalendar({ ...settings!, cutoffs: {}, pickups: {} })
  return isObstacle(calendar) ? undefined : calendar
}

/** One code per order: whatever of it waits is fetched with it. */
export async function keepReady(tx: Transaction, { orderId, fulfillmentId, pickupBy }: { orderId: string; fulfillmentId: string; pickupBy: string }): Promise<void> {
  await run(
    tx,
    `UPDATE fulfillments SET pickup_by = ?, pickup_code = coalesce((SELECT max(pickup_code) FROM fulfillments WHERE order_id = ?), ?) WHERE fulfillment_id = ?`,
    [pickupBy, orderId, pickupCodeOf(randomInt(pickupCodes)), fulfillmentId],
  )
}

export interface PickupRow {
  pickupCode: string
  pickupTries: number
  pickupBy: string
}

export const pickupOf = async (tx: Transaction, fulfillmentId: string): Promise<PickupRow> =>
  (await row<PickupRow>(tx, 'SELECT pickup_code AS "pickupCode", pickup_tries AS "pickupTries", pickup_by AS "pickupBy" FROM fulfillments WHERE fulfillment_id = ?', [fulfillmentId]))!

/** @returns how many wrong codes were tried by now. */
export const countWrongCode = async (tx: Transaction, fulfillmentId: string): Promise<number> =>
  (await row<{ tries: number }>(tx, 'UPDATE fulfillments SET pickup_tries = pickup_tries + 1 WHERE fulfillment_id = ? RETURNING pickup_tries AS tries', [fulfillmentId]))!.tries

/** What the associate saw, before it is judged: the command carries its id alone. */
export async function keepProof(db: Db, fulfillmentId: string, proof: CollectionProof): Promise<string> {
  const proofId = uuidv7()
  await run(db, 'INSERT INTO collection_proofs (proof_id, fulfillment_id, proof) VALUES (?, ?, ?::jsonb)', [proofId, fulfillmentId, JSON.stringify(proof)])
  return proofId
}

export const proofOf = async (tx: Transaction, proofId: string, fulfillmentId: string): Promise<CollectionProof | undefined> =>
  (await row<{ proof: CollectionProof }>(tx, 'SELECT proof FROM collection_proofs WHERE proof_id = ? AND fulfillment_id = ?', [proofId, fulfillmentId]))?.proof

/** What proved nothing is not kept. */
export async function dropProof(tx: Transaction, proofId: string): Promise<void> {
  await run(tx, 'DELETE FROM collection_proofs WHERE proof_id = ?', [proofId])
}

/** This one proved it; what was kept of other attempts goes. */
export async function acceptProof(tx: Transaction, fulfillmentId: string, proofId: string): Promise<void> {
  await run(tx, 'DELETE FROM collection_proofs WHERE fulfillment_id = ? AND proof_id <> ?', [fulfillmentId, proofId])
  await run(tx, 'UPDATE fulfillments SET proof_id = ? WHERE fulfillment_id = ?', [proofId, fulfillmentId])
}
