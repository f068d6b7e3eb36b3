/** The label of a return: how far it is, as answers show it, and what is printed on it. */
import { row, type Db } from '../connection'
import type { LabelPaper } from './papers'

export const returnLabelStatuses = ['being_bought', 'ready', 'used', 'given_back'] as const
export interface ReturnLabelView {
  status: (typeof returnLabelStatuses)[number]
  carrier: string
  service: string
  trackingNumber: string | null
  /** Where it goes. */
  nodeId: string
  /** What the carrier says of the parcel. */
  parcelStatus: string
}

/** The newest of the return `r`; those that were refused do not count. */
export const returnLabelJson = `(SELECT json_build_object(
  'status', CASE WHEN parcel_status <> 'label_created' THEN 'used' WHEN status = 'succeeded' THEN 'ready' WHEN status = 'given_back' THEN 'given_back' ELSE 'being_bought' END,
  'carrier', carrier, 'service', service, 'trackingNumber', tracking_number, 'nodeId', node_id, 'parcelStatus', parcel_status)
  FROM return_labels WHERE return_id = r.return_id AND status <> 'abandoned' ORDER BY operation_id DESC LIMIT 1)`

export type ReturnLabelPaper = LabelPaper & { label: ReturnLabelView | null; noLabel: { code: string; says: string } | null; status: string }

/** From the customer to the node that takes it in. */
export const returnLabelPaper = (db: Db, returnId: string): Promise<ReturnLabelPaper | undefined> =>
  row(
    db,
    `SELECT o.channel_order_id || ' · return ' || r.number AS "channelOrderId", n.node_id AS "nodeId", coalesce(o.ship_to, '{}') AS "from", jsonb_build_object('country', n.country, 'name', n.name) || n.address AS "to",
       r.return_id AS "fulfillmentId", r.status, 1 AS number, 1 AS of, p.weight_grams AS "weightGrams", NULL AS "lengthMm", NULL AS "widthMm", NULL AS "heightMm", p.carrier, p.service, p.tracking_number AS "trackingNumber",
       ${returnLabelJson} AS label, r.no_label AS "noLabel"
     FROM returns r JOIN orders o USING (order_id) LEFT JOIN return_labels p ON p.return_id = r.return_id AND p.status = 'succeeded' LEFT JOIN nodes n ON n.node_id = p.node_id WHERE r.return_id = ?`,
    [returnId],
  )
