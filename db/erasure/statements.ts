/** What erasing takes away, table by table, for orders that have ended. The ledger, movements, timelines and the audit hold nothing personal and stay as they are. */

export interface Erasing {
  table: string
  /** Changes rows of `:orders`, and none a second time. */
  sql: string
}

const ofOrders = 'order_id = ANY(:orders::uuid[])'
const fulfillments = `SELECT fulfillment_id FROM fulfillments WHERE ${ofOrders}`
/** Of an address the country stays: taxes and carriers are reported by it. */
const country = (address: string): string => `jsonb_build_object('country', ${address}->'country')`

/** Of a draft what was to be sold, for how much; not to whom, and none of what people wrote. */
const withoutWords = `jsonb_strip_nulls(jsonb_build_object('channel', document->'channel', 'currency', document->'currency', 'taxIncluded', document->'taxIncluded', 'shipping', document->'shipping', 'delivery', document->'delivery',
            'discount', (document->'discount') - 'reason', 'lines', (SELECT coalesce(jsonb_agg(l #- '{override,reason}' #- '{discount,reason}'), '[]') FROM jsonb_array_elements(document->'lines') l)))`

export const erasing: readonly Erasing[] = [
  {
    table: 'orders',
    sql: `UPDATE orders o SET customer = NULL, ship_to = CASE WHEN ship_to IS NOT NULL THEN ${country('ship_to')} END, bill_to = CASE WHEN bill_to IS NOT NULL THEN ${country('bill_to')} END, customer_ref_hmac = NULL, erased_at = now(), erase_when_ended = NULL,
            search = lower(concat_ws(' ', channel_order_id, (SELECT string_agg(tracking_number, ' ') FROM packages p JOIN fulfillments f USING (fulfillment_id) WHERE f.order_id = o.order_id), (SELECT string_agg(tracking_number, ' ') FROM return_labels b WHERE b.order_id = o.order_id)))
          WHERE ${ofOrders} AND (erased_at IS NULL OR erase_when_ended IS NOT NULL)`,
  },
  { table: 'drafts', sql: `UPDATE drafts SET document = ${withoutWords}, quote = quote - 'token', customer_ref_hmac = NULL, end_reason = NULL, erased_at = now() WHERE ${ofOrders} AND erased_at IS NULL` },
  { table: 'draft_links', sql: `UPDATE draft_links SET url = NULL, payer = NULL WHERE ${ofOrders} AND num_nonnulls(url, payer) > 0` },
  { table: 'order_versions', sql: `UPDATE order_versions SET document = jsonb_set(document, '{shipTo}', ${country("(document->'shipTo')")}) WHERE ${ofOrders} AND jsonb_exists(document->'shipTo', 'line1')` },
  {
    table: 'order_changes',
    sql: `UPDATE order_changes SET reason = NULL, payment_method = NULL,
            operations = coalesce((SELECT jsonb_agg(CASE WHEN o->>'op' = 'setShipTo' THEN jsonb_build_object('op', 'setShipTo') ELSE o END) FROM jsonb_array_elements(operations) o), '[]')
          WHERE ${ofOrders} AND (reason IS NOT NULL OR payment_method IS NOT NULL OR EXISTS (SELECT 1 FROM jsonb_array_elements(operations) o WHERE o->>'op' = 'setShipTo' AND jsonb_exists(o, 'shipTo')))`,
  },
  { table: 'holds', sql: `UPDATE holds SET reason = 'erased' WHERE ${ofOrders} AND ended_at IS NOT NULL AND reason <> 'erased'` },
  { table: 'payments', sql: `UPDATE payments SET payment_method = NULL, payer = NULL, saved_method = NULL, action = NULL WHERE ${ofOrders} AND num_nonnulls(payment_method, payer, saved_method, action) > 0` },
  { table: 'given_methods', sql: `UPDATE given_methods SET payment_method = NULL WHERE ${ofOrders} AND payment_method IS NOT NULL` },
  { table: 'packages', sql: `UPDATE packages SET label = '{}' WHERE fulfillment_id IN (${fulfillments}) AND label <> '{}'` },
  { table: 'carrier_operations', sql: `UPDATE carrier_operations SET refusal = 'erased' WHERE ${ofOrders} AND refusal <> 'erased'` },
  { table: 'collection_proofs', sql: `UPDATE collection_proofs SET proof = '{}' WHERE fulfillment_id IN (${fulfillments}) AND proof <> '{}'` },
  { table: 'delivery_proofs', sql: `UPDATE delivery_proofs SET proof = '{}' WHERE task_id IN (SELECT task_id FROM stop_tasks WHERE ${ofOrders}) AND proof <> '{}'` },
  { table: 'return_labels', sql: `UPDATE return_labels SET label = '{}', refusal = CASE WHEN refusal IS NOT NULL THEN 'erased' END WHERE ${ofOrders} AND (label <> '{}' OR refusal <> 'erased')` },
  { table: 'goodwill_refunds', sql: `UPDATE goodwill_refunds SET reason = 'erased' WHERE ${ofOrders} AND reason <> 'erased'` },
  { table: 'return_proofs', sql: `UPDATE return_proofs SET proof = '{}' WHERE ${ofOrders} AND proof <> '{}'` },
  { table: 'return_lines', sql: `UPDATE return_lines SET reason = 'erased' WHERE ${ofOrders} AND reason <> 'erased'` },
  { table: 'stop_tasks', sql: `UPDATE stop_tasks SET reason = 'erased' WHERE ${ofOrders} AND reason <> 'erased'` },
  {
    // Where the door was becomes where the driver came from; the customer's link leads nowhere.
    table: 'stops',
    sql: `UPDATE stops s SET latitude = n.latitude, longitude = n.longitude, token = 'erased:' || s.stop_id FROM delivery_runs r JOIN nodes n USING (node_id)
          WHERE r.run_id = s.run_id AND s.${ofOrders} AND s.token <> 'erased:' || s.stop_id`,
  },
  { table: 'dispatch_queue', sql: `UPDATE dispatch_queue SET latitude = NULL, longitude = NULL WHERE ${ofOrders} AND status = 'done' AND latitude IS NOT NULL` },
  {
    table: 'collections',
    sql: `UPDATE collections c SET latitude = n.latitude, longitude = n.longitude FROM nodes n WHERE n.node_id = c.node_id AND c.${ofOrders} AND c.status = 'done' AND (c.latitude, c.longitude) <> (n.latitude, n.longitude)`,
  },
  {
    table: 'exceptions',
    sql: `UPDATE exceptions SET summary = 'erased', data = '{}', resolution = 'erased' WHERE ${ofOrders} AND resolved_at IS NOT NULL AND (summary, resolution) IS DISTINCT FROM ('erased', 'erased')`,
  },
  { table: 'channel_documents', sql: `UPDATE channel_documents d SET body = '{}' FROM orders o WHERE o.channel = d.channel AND o.channel_order_id = d.channel_order_id AND o.${ofOrders} AND d.body::text <> '{}'` },
  { table: 'quarantine', sql: `UPDATE quarantine SET body = '{}', reasons = '[]', resolution = CASE WHEN resolution IS NOT NULL THEN 'erased' END WHERE ${ofOrders} AND body::text <> '{}'` },
]

/** Messages that never became an order of hers, known by what she is called in them. */
export const erasingQuarantined = `
  UPDATE quarantine SET body = '{}', reasons = '[]', resolution = CASE WHEN resolution IS NOT NULL THEN 'erased' END, status = CASE WHEN status = 'open' THEN 'dismissed' ELSE status END
  WHERE body::text <> '{}' AND EXISTS (SELECT 1 FROM unnest(:called::text[]) AS name WHERE strpos(lower(body::text), lower(name)) > 0)`

/** Drafts that never became an order of hers; those that wait for her money end first. */
export const erasingDrafts = `UPDATE drafts SET document = ${withoutWords}, quote = quote - 'token', customer_ref_hmac = NULL, end_reason = NULL, erased_at = now(),
  state = 'discarded', ended_at = coalesce(ended_at, now()), ended_by = coalesce(ended_by, 'throughline')
  WHERE state IN ('open', 'quoted', 'discarded') AND erased_at IS NULL AND (customer_ref_hmac = :hmac OR erase_when_ended IS NOT NULL AND draft_id = :draftId::uuid)`
