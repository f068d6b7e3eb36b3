/** What stands on a label and on a packing slip. Names and addresses leave the database here only for paper. */
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import { row, type Db } from '../connection'
import { workLinesJson, packagesJson, type FulfillmentLineView, type PackageView } from './fulfillments'

/** Parts of an address; whatever is missing is left out on paper. */
export type AddressLines = Partial<Record<'name' | 'line1' | 'line2' | 'city' | 'region' | 'postalCode' | 'country', string>>

interface Parties {
  channelOrderId: string
  nodeId: string
  from: AddressLines
  /** null: the customer fetches it. */
  to: AddressLines | null
}
export interface LabelPaper extends Parties {
  fulfillmentId: string
  status: FulfillmentStatus
  number: number
  of: number
  weightGrams: number
  lengthMm: number | null
  widthMm: number | null
  heightMm: number | null
  carrier: string | null
  service: string | null
  trackingNumber: string | null
}
export interface SlipPaper extends Parties {
  fulfillmentId: string
  method: string
  placedAt: string
  lines: FulfillmentLineView[]
  packages: PackageView[]
}

/** What goes to another of our nodes has that node's address. */
const parties = `o.channel_order_id AS "channelOrderId", f.node_id AS "nodeId", jsonb_build_object('country', n.country, 'name', n.name) || n.address AS "from",
  CASE WHEN t.node_id IS NOT NULL THEN jsonb_build_object('country', t.country, 'name', t.name) || t.address WHEN f.method = 'delivery' THEN o.ship_to END AS "to"`
const joined = 'fulfillments f JOIN orders o USING (order_id) JOIN nodes n ON n.node_id = f.node_id LEFT JOIN nodes t ON t.node_id = f.to_node_id'

export const labelPaper = (db: Db, packageId: string): Promise<LabelPaper | undefined> =>
  row(
    db,
    `SELECT ${parties}, f.fulfillment_id AS "fulfillmentId", f.status, p.number, (SELECT count(*) FROM packages WHERE fulfillment_id = p.fulfillment_id) AS of,
       p.weight_grams AS "weightGrams", p.length_mm AS "lengthMm", p.width_mm AS "widthMm", p.height_mm AS "heightMm", p.carrier, s.service, p.tracking_number AS "trackingNumber"
     FROM ${joined} JOIN packages p ON p.fulfillment_id = f.fulfillment_id LEFT JOIN shipments s ON s.shipment_id = p.shipment_id WHERE p.package_id = ?`,
    [packageId],
  )

export const slipPaper = (db: Db, fulfillmentId: string): Promise<SlipPaper | undefined> =>
  row(
    db,
    `SELECT ${parties}, f.fulfillment_id AS "fulfillmentId", f.method, o.placed_at AS "placedAt", ${workLinesJson} AS lines, ${packagesJson} AS packages FROM ${joined} WHERE f.fulfillment_id = ?`,
    [fulfillmentId],
  )
