/** Intended calls to carriers, recorded before they are made, and how they ended. */
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'

export interface ManifestJob {
  status: string
  carrier: string
  trackingNumbers: string[]
}

export async function manifestJob(db: Db, operationId: string): Promise<ManifestJob> {
  const job = await row<ManifestJob>(
    db,
    `SELECT op.status, op.carrier, ARRAY(SELECT tracking_number FROM packages p WHERE p.fulfillment_id = op.fulfillment_id ORDER BY number) AS "trackingNumbers"
     FROM carrier_operations op WHERE operation_id = ?`,
    [operationId],
  )
  invariant(job, `carrier operation ${operationId} has a row`)
  return job
}

export interface ClaimJob {
  status: string
  orderId: string
  channel: string
  carrier: string
  trackingNumber: string
  reason: 'lost' | 'damaged'
  amountMinor: number
  currency: string
}

export async function claimJob(db: Db, operationId: string): Promise<ClaimJob> {
  const job = await row<ClaimJob>(
    db,
    `SELECT op.status, o.order_id AS "orderId", o.channel, op.carrier, p.tracking_number AS "trackingNumber", p.undelivered AS reason, op.amount_minor AS "amountMinor", o.currency
     FROM carrier_operations op JOIN packages p USING (package_id) JOIN orders o ON o.order_id = op.order_id WHERE operation_id = ?`,
    [operationId],
  )
  invariant(job, `carrier operation ${operationId} has a row`)
  return job
}

/** The carrier has taken the claim, under a number of its own; told once. */
export async function saveClaim(tx: Transaction, operationId: string, claimReference: string, { orderId, channel, carrier, trackingNumber, amountMinor, currency }: ClaimJob): Promise<void> {
  const settled = await row(tx, `UPDATE carrier_operations SET status = 'succeeded', settled_at = now(), reference = ? WHERE operation_id = ? AND status <> 'succeeded' RETURNING 1`, [claimReference, operationId])
  if (settled) await record(tx, { orderId, channel }, { type: 'shipment.claimed', actor: self, data: { carrier, trackingNumber, claimReference, amountMinor, currency } })
}

/** Labels that were or may have been bought for a fulfillment and are not given back yet; or only those it does not travel by. */
export const labelsToVoid = (db: Db, fulfillmentId: string, onlyStray: boolean): Promise<{ operationId: string; carrier: string }[]> =>
  rows(
    db,
    `SELECT operation_id AS "operationId", carrier FROM carrier_operations WHERE fulfillment_id = ? AND kind = 'label' AND status ${onlyStray ? "= 'stray'" : "<> 'abandoned'"} ORDER BY operation_id`,
    [fulfillmentId],
  )

export async function settleCarrierOperation(db: Db, operationId: string, status: 'succeeded' | 'abandoned'): Promise<void> {
  await run(db, 'UPDATE carrier_operations SET status = ?, settled_at = now() WHERE operation_id = ?', [status, operationId])
}
