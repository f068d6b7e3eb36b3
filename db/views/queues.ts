/** How much waits in the durable queues, for the metrics. */
import { row, type Db } from '../connection'

export interface QueueDepths {
  workflow_starts: number
  inbound_events: number
  commands: number
}

export async function queueDepths(db: Db): Promise<QueueDepths> {
  const depths = await row<QueueDepths>(
    db,
    `SELECT (SELECT count(*) FROM workflow_starts WHERE done_at IS NULL) AS workflow_starts,
            (SELECT count(*) FROM inbound_events WHERE status = 'queued') AS inbound_events,
            (SELECT count(*) FROM idempotency_keys WHERE answered_at IS NULL AND update_name IS NOT NULL) AS commands`,
  )
  return depths!
}

/** Whether the database answers at all. */
export async function isReachable(db: Db): Promise<boolean> {
  return db.raw('SELECT 1').then(
    () => true,
    () => false,
  )
}
