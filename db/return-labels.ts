/** The label of what comes back by mail, as rows: what a carrier must know, one operation per try recorded before any call, and how it ended. */
import { uuidv7 } from 'uuidv7'
import { invariant } from '../domain/invariant'
import { hasEnded } from '../domain/returns/status'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'
import { lockReturn } from './returns'
import { wakeKeptEvents } from './shipments'

export interface ReturnLabelOperation {
  operationId: string
  carrier: string
  service: string
}
export interface ReturnLabelJob {
  /** The return has come to its end: nothing is bought for it any more. */
  ended: boolean
  currency: string
  weightGrams: number
  /** The customer, whose address goes to the carrier and nowhere else; null: nobody knows it. */
  from: Record<string, string> | null
  /** Where the goods came from, or another of our nodes. */
  to: { nodeId: string; name: string; country: string; address: Record<string, string> } | null
  refused: { carrier: string; service: string; says: string }[]
  standing: ReturnLabelOperation | null
  bought: { carrier: string; trackingNumber: string } | null
}

const openStatuses = `status IN ('intended', 'unknown')`

export async function returnLabelJob(db: Db, returnId: string): Promise<ReturnLabelJob> {
  const job = await row<ReturnLabelJob>(
    db,
    `SELECT r.ended_at IS NOT NULL AS ended, o.currency, o.ship_to AS "from",
       (SELECT greatest(1, sum(s.weight_grams * rl.quantity))::int FROM return_lines rl JOIN order_lines l USING (order_id, line_id) JOIN skus s USING (sku) WHERE rl.return_id = r.return_id) AS "weightGrams",
       (SELECT json_build_object('nodeId', n.node_id, 'name', n.name, 'country', n.country, 'address', n.address) FROM nodes n LEFT JOIN LATERAL (
          SELECT max(f.ended_at) AS at FROM fulfillments f JOIN fulfillment_lines fl USING (fulfillment_id) JOIN return_lines rl ON rl.return_id = r.return_id AND rl.line_id = fl.line_id
          WHERE f.order_id = r.order_id AND f.node_id = n.node_id AND f.method <> 'transfer') sent ON true
        WHERE n.active ORDER BY sent.at DESC NULLS LAST, n.type = 'warehouse' DESC, n.node_id LIMIT 1) AS "to",
       (SELECT coalesce(json_agg(json_build_object('carrier', carrier, 'service', service, 'says', refusal)), '[]') FROM return_labels WHERE return_id = r.return_id AND refusal IS NOT NULL) AS refused,
       (SELECT json_build_object('operationId', operation_id, 'carrier', carrier, 'service', service) FROM return_labels WHERE return_id = r.return_id AND ${openStatuses}) AS standing,
       (SELECT json_build_object('carrier', carrier, 'trackingNumber', tracking_number) FROM return_labels WHERE return_id = r.return_id AND status = 'succeeded') AS bought
     FROM returns r JOIN orders o USING (order_id) WHERE r.return_id = ?`,
    [returnId],
  )
  invariant(job, `return ${returnId} has a row`)
  return job
}

/** Writes the choice, the intention to buy it with it. @returns undefined where the return has ended, or another try stands meanwhile */
export async function intendReturnLabel(tx: Transaction, returnId: string, choice: { carrier: string; service: string; nodeId: string; weightGrams: number }): Promise<ReturnLabelOperation | undefined> {
  const { order, back } = await lockReturn(tx, returnId)
  if (hasEnded(back.status)) return undefined
  const { carrier, service, nodeId, weightGrams } = choice
  return row<ReturnLabelOperation>(
    tx,
    `INSERT INTO return_labels (operation_id, return_id, order_id, node_id, carrier, service, weight_grams) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (return_id) WHERE status IN ('intended', 'unknown', 'succeeded') DO NOTHING RETURNING operation_id AS "operationId", carrier, service`,
    [uuidv7(), returnId, order.orderId, nodeId, carrier, service, weightGrams],
  )
}

/** Written before every call: from now on the outcome is unknown until it is recorded. */
export const beginReturnLabelCall = async (db: Db, operationId: string): Promise<boolean> =>
  (await row(db, `UPDATE return_labels SET status = 'unknown', attempts = attempts + 1, last_called_at = now() WHERE operation_id = ? AND ${openStatuses} RETURNING 1`, [operationId])) !== undefined

/** The carrier has said no: this service is not asked again for this return. */
export const refuseReturnLabel = (db: Db, operationId: string, says: string): Promise<void> =>
  run(db, `UPDATE return_labels SET status = 'abandoned', settled_at = now(), refusal = ? WHERE operation_id = ? AND ${openStatuses}`, [says.slice(0, 300), operationId])

export async function saveReturnLabel(tx: Transaction, returnId: string, { operationId, carrier, service }: ReturnLabelOperation, label: { trackingNumber: string }): Promise<void> {
  const { order } = await lockReturn(tx, returnId)
  const { trackingNumber } = label
  const settled = await row(tx, `UPDATE return_labels SET status = 'succeeded', settled_at = now(), tracking_number = ?, label = ?::jsonb WHERE operation_id = ? AND ${openStatuses} RETURNING 1`, [trackingNumber, JSON.stringify(label), operationId])
  if (!settled) return
  await run(tx, 'UPDATE orders SET search = search || ? WHERE order_id = ?', [` ${trackingNumber.toLowerCase()}`, order.orderId])
  await record(tx, order, { type: 'return.labelled', actor: self, data: { returnId, carrier, service, trackingNumber } })
  await wakeKeptEvents(tx, carrier, [trackingNumber])
}

/** Nobody sells one for it: the customer sends it as she likes, and is told so. */
export async function goWithoutLabel(tx: Transaction, returnId: string, why: { code: string; says: string }): Promise<void> {
  const { order } = await lockReturn(tx, returnId)
  const first = await row(tx, 'UPDATE returns SET no_label = ?::jsonb WHERE return_id = ? AND no_label IS NULL RETURNING 1', [JSON.stringify(why), returnId])
  if (first) await record(tx, order, { type: 'return.not_labelled', actor: self, data: { returnId, ...why } })
}

/** A label that nobody will use: bought or perhaps bought, and never scanned. */
export const unusedReturnLabel = (db: Db, returnId: string): Promise<ReturnLabelOperation | undefined> =>
  row(db, `SELECT operation_id AS "operationId", carrier, service FROM return_labels WHERE return_id = ? AND status IN ('intended', 'unknown', 'succeeded') AND parcel_status = 'label_created'`, [returnId])

export async function returnLabelGivenBack(tx: Transaction, returnId: string, { operationId, carrier }: ReturnLabelOperation, trackingNumber: string | undefined): Promise<void> {
  const { order } = await lockReturn(tx, returnId)
  const first = await row(tx, `UPDATE return_labels SET status = ?, settled_at = now() WHERE operation_id = ? AND status IN ('intended', 'unknown', 'succeeded') RETURNING 1`, [trackingNumber === undefined ? 'abandoned' : 'given_back', operationId])
  if (first && trackingNumber !== undefined) await record(tx, order, { type: 'return.label_given_back', actor: self, data: { returnId, carrier, trackingNumber } })
}

export interface ReturnClaimJob {
  returnId: string
  carrier: string
  trackingNumber: string
  amountMinor: number
  currency: string
  claimReference: string | null
}

export async function returnClaimJob(db: Db, claimId: string): Promise<ReturnClaimJob> {
  const job = await row<ReturnClaimJob>(
    db,
    `SELECT return_id AS "returnId", carrier, tracking_number AS "trackingNumber", claim_minor AS "amountMinor", currency, claim_reference AS "claimReference" FROM return_labels JOIN orders USING (order_id) WHERE claim_id = ?`,
    [claimId],
  )
  invariant(job, `claim ${claimId} has a row`)
  return job
}

export async function saveReturnClaim(tx: Transaction, claimId: string, claimReference: string, { returnId, carrier, trackingNumber, amountMinor, currency }: ReturnClaimJob): Promise<void> {
  const { order } = await lockReturn(tx, returnId)
  const first = await row(tx, 'UPDATE return_labels SET claim_reference = ? WHERE claim_id = ? AND claim_reference IS NULL RETURNING 1', [claimReference, claimId])
  if (first) await record(tx, order, { type: 'return.claimed', actor: self, data: { returnId, carrier, trackingNumber, claimReference, amountMinor, currency } })
}

/** What is printed, and shown to whoever may see the return. */
export const returnLabelsOf = (db: Db, returnId: string): Promise<{ nodeId: string; trackingNumber: string | null; status: string }[]> =>
  rows(db, 'SELECT node_id AS "nodeId", tracking_number AS "trackingNumber", status FROM return_labels WHERE return_id = ? ORDER BY operation_id', [returnId])

/** She has given it away: a carrier has brought some of it, or has lost it. */
export const isGone = async (tx: Transaction, returnId: string): Promise<boolean> => (await row(tx, `SELECT 1 FROM return_labels WHERE return_id = ? AND (arrived_at IS NOT NULL OR parcel_status IN ('lost', 'damaged')) LIMIT 1`, [returnId])) !== undefined

/** A carrier has brought it, or some of it. */
export const isWithUs = async (tx: Transaction, returnId: string): Promise<boolean> => (await row(tx, 'SELECT 1 FROM return_labels WHERE return_id = ? AND arrived_at IS NOT NULL LIMIT 1', [returnId])) !== undefined
