/** Intended calls to carriers, recorded before they are made, and how they ended. */
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db } from './connection'

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
