/** How much waits in the durable queues, for the metrics. */
import { row, type Db } from '../connection'

export interface QueueDepths {
  workflow_starts: number
  inbound_events: number
  commands: number
  /** Of endpoints that are enabled. */
  webhook_deliveries: number
}

export async function queueDepths(db: Db): Promise<QueueDepths> {
  const depths = await row<QueueDepths>(
    db,
    `SELECT (SELECT count(*) FROM workflow_starts WHERE done_at IS NULL) AS workflow_starts,
            (SELECT count(*) FROM inbound_events WHERE status = 'queued') AS inbound_events,
            (SELECT count(*) FROM idempotency_keys WHERE answered_at IS NULL AND update_name IS NOT NULL) AS commands,
            (SELECT count(*) FROM webhook_deliveries d JOIN webhook_endpoints e USING (endpoint_id) WHERE d.status = 'pending' AND e.status = 'enabled') AS webhook_deliveries`,
  )
  return depths!
}

/** How long the oldest delivery has waited for an endpoint that is enabled, in seconds; 0 when none waits. */
export async function oldestDelivery(db: Db): Promise<number> {
  const oldest = await row<{ seconds: number }>(
    db,
    `SELECT coalesce(extract(epoch FROM now() - min(d.queued_at)), 0)::float8 AS seconds FROM webhook_deliveries d JOIN webhook_endpoints e USING (endpoint_id) WHERE d.status = 'pending' AND e.status = 'enabled'`,
  )
  return oldest!.seconds
}

/** Whether the database answers at all. */
export async function isReachable(db: Db): Promise<boolean> {
  return db.raw('SELECT 1').then(
    () => true,
    () => false,
  )
}
