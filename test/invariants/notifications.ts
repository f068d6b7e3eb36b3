/** What must always hold of what others are told: each event is taken or given up with a reason, and is one message with one id however often it is tried. */
import { rows } from '../../db/connection'
import { query, type Invariant } from './world'

/** Since when an endpoint wants what it wants now: transactions that began to write after the one that said so. */
const endpoints = `(SELECT w.*, (SELECT max(a.xmin::text::bigint) FROM audit a WHERE a.subject = w.endpoint_id::text AND a.action IN ('webhook_endpoint.add', 'webhook_endpoint.edit')) AS since FROM webhook_endpoints w WHERE w.status <> 'deleted')`
const wanted = `v.xid::text::bigint > w.since AND (w.event_types IS NULL OR v.type = ANY(w.event_types)) AND (w.channels IS NULL OR v.channel = ANY(w.channels)) AND v.at > now() - interval '29 days'`
const lastStatus = `(d.attempts->-1->>'status')::int`

const takenWasHeard: Invariant = {
  id: 'N1-heard',
  says: 'what counts as taken was taken, by the log of whoever listens',
  when: 'always',
  async violations({ db, heard }) {
    if (!heard) return []
    const taken = new Set(heard().filter((h) => h.answered >= 200 && h.answered < 300).map((h) => h.id))
    const ours = await rows<{ webhookId: string }>(db, `SELECT webhook_id AS "webhookId" FROM webhook_deliveries WHERE status = 'delivered'`)
    return ours.filter((d) => !taken.has(d.webhookId))
  },
}

const heardUnderItsId: Invariant = {
  id: 'N2-heard',
  says: 'whoever listens hears an event under its own id, at every attempt',
  when: 'always',
  async violations({ db, heard }) {
    if (!heard) return []
    const ours = await rows<{ webhookId: string; seq: number | null }>(db, 'SELECT webhook_id AS "webhookId", seq FROM webhook_deliveries')
    const seqOf = new Map(ours.map((d) => [d.webhookId, d.seq]))
    return heard().filter((h) => seqOf.get(h.id) !== (h.data.seq ?? null)).map((h) => ({ id: h.id, seq: h.data.seq }))
  },
}

export const notifications: readonly Invariant[] = [
  query('N1', 'every event that an endpoint wants and has come to has its delivery', 'always',
    `SELECT w.endpoint_id, v.seq FROM ${endpoints} w JOIN order_events v ON (v.xid, v.seq) <= (w.cursor_xid, w.cursor_seq) AND ${wanted}
     WHERE NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = w.endpoint_id AND d.seq = v.seq)`),
  query('N1-behind', 'an endpoint that takes what it is sent has come to the end of the log', 'quiet',
    `SELECT w.endpoint_id, v.seq FROM ${endpoints} w JOIN order_events v ON (v.xid, v.seq) > (w.cursor_xid, w.cursor_seq) AND ${wanted}
     WHERE w.status = 'enabled' AND w.fenced_until IS NULL AND v.xid < pg_snapshot_xmin(pg_current_snapshot())`),
  query('N1-settled', 'a delivery that is over was taken, or says why it was given up', 'always',
    `SELECT delivery_id FROM webhook_deliveries d WHERE (status <> 'pending') <> (settled_at IS NOT NULL) OR (status = 'dead' AND coalesce(reason, '') = '')
       OR (status = 'delivered' AND (reason IS NOT NULL OR coalesce(${lastStatus}, 0) NOT BETWEEN 200 AND 299))`),
  query('N1-case', 'somebody is told of what an endpoint did not take', 'always',
    `SELECT d.delivery_id FROM webhook_deliveries d JOIN webhook_endpoints w USING (endpoint_id) WHERE d.status = 'dead' AND w.status = 'enabled'
       AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.kind LIKE 'webhook.%' AND x.subject = w.endpoint_id::text)`),
  query('N1-given-up', 'nothing is tried for longer than it may be', 'quiet',
    `SELECT d.delivery_id FROM webhook_deliveries d JOIN webhook_endpoints w USING (endpoint_id) WHERE d.status = 'pending' AND w.status = 'enabled' AND d.failures > 0 AND d.next_attempt_at > d.give_up_at + interval '1 minute'`),
  takenWasHeard,
  query('N1-messages', 'a message to a customer was sent, or says why not and before whom that was put', 'always',
    `SELECT message_id FROM customer_messages m WHERE (status IN ('sent', 'unknown', 'failed', 'suppressed')) <> (settled_at IS NOT NULL) OR (status IN ('unknown', 'failed', 'suppressed') AND coalesce(reason, '') = '')
       OR (status IN ('unknown', 'failed') AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.kind = 'message.not_sent' AND x.subject = m.message_id::text))`),
  query('N1-inbox', 'no message waits in the inbox', 'quiet', `SELECT source, event_id FROM inbound_events WHERE status = 'queued'`),
  query('N2', 'an event is one delivery per endpoint, under one id of its own', 'always',
    `SELECT endpoint_id, seq FROM webhook_deliveries WHERE seq IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1 OR min(webhook_id) <> 'msg_' || replace(endpoint_id::text, '-', '') || '_' || seq
     UNION ALL SELECT min(endpoint_id::text)::uuid, min(seq) FROM webhook_deliveries GROUP BY webhook_id HAVING count(*) > 1`),
  heardUnderItsId,
  query('N2-messages', 'a customer is told of an event once', 'always', `SELECT order_id, seq, kind FROM customer_messages GROUP BY 1, 2, 3 HAVING count(*) > 1`),
]
