/** Reads one work order of a store or warehouse. */
import { fulfillmentActions, type FulfillmentStatus, type WorkMethod } from '../../domain/fulfillment/moves'
import { refuse } from '../../domain/refusals'
import { row, rows, type Db, type Transaction } from '../connection'
import { heldByJson } from './holds'
import { iso, list } from './sql'

export interface FulfillmentView {
  fulfillmentId: string
  orderId: string
  channel: string
  channelOrderId: string
  nodeId: string
  method: WorkMethod
  /** Of a transfer: the node that receives it. */
  toNodeId: string | null
  service: string | null
  status: FulfillmentStatus
  assignee: string | null
  /** By when it must be handed over for its promise to be kept; where nothing was promised, by when it must be packed. */
  dueAt: string
  /** By when it must be packed. */
  packBy: string | null
  priority: number
  releasedAt: string
  packedAt: string | null
  handedOverAt: string | null
  /** Of goods that are fetched: since when they wait at the counter, until when, and when and how they were given. */
  pickup: PickupView | null
  endedAt: string | null
  /** What keeps the node from going on with it; null: nothing. */
  heldBy: { holdId: string; type: string; owner: string }[] | null
  lines: FulfillmentLineView[]
  packages: PackageView[]
  allowedActions: string[]
}
export interface PickupView {
  readyAt: string
  pickupBy: string
  collectedBy: 'code' | 'identity document' | null
}
export interface FulfillmentLineView {
  lineId: string
  sku: string
  name: string
  quantity: number
  picked: number
  rejected: number
  /** Taken out of the work because the customer no longer wants them; not part of `quantity`. */
  cancelled: number
  /** Where it lies in the building. */
  bin: string | null
}
export interface PackageView {
  packageId: string
  number: number
  weightGrams: number
  lengthMm: number | null
  widthMm: number | null
  heightMm: number | null
  lines: { lineId: string; quantity: number }[]
  carrier: string | null
  service: string | null
  trackingNumber: string | null
  label: Record<string, unknown> | null
  status: string
}

/** The packages of fulfillment `f`, as JSON. */
export const packagesJson = list(
  `json_build_object('packageId', p.package_id, 'number', p.number, 'weightGrams', p.weight_grams, 'lengthMm', p.length_mm, 'widthMm', p.width_mm, 'heightMm', p.height_mm,
     'lines', p.lines, 'carrier', p.carrier, 'service', (SELECT s.service FROM shipments s WHERE s.shipment_id = p.shipment_id), 'trackingNumber', p.tracking_number,
     'label', p.label, 'status', p.status)`,
  'packages p WHERE p.fulfillment_id = f.fulfillment_id',
  'p.number',
)

/** The lines of fulfillment `f`, as JSON. */
export const workLinesJson = list(
  `json_build_object('lineId', fl.line_id, 'sku', fl.sku, 'name', s.name, 'quantity', fl.quantity, 'picked', fl.picked, 'rejected', fl.rejected, 'cancelled', fl.cancelled, 'bin', b.bin)`,
  'fulfillment_lines fl JOIN skus s USING (sku) LEFT JOIN bins b ON b.sku = fl.sku AND b.node_id = f.node_id WHERE fl.fulfillment_id = f.fulfillment_id',
  'fl.line_id',
)

/** How long the goods of fulfillment `f` wait at the counter; null while they do not. What was proven stays with the row. */
const pickupJson = `CASE WHEN f.ready_at IS NOT NULL THEN json_build_object('readyAt', ${iso('f.ready_at')}, 'pickupBy', ${iso('f.pickup_by')},
  'collectedBy', (SELECT CASE WHEN (c.proof->>'idChecked')::boolean THEN 'identity document' ELSE 'code' END FROM collection_proofs c WHERE c.proof_id = f.proof_id)) END`

export const fulfillmentColumns = `f.fulfillment_id AS "fulfillmentId", f.order_id AS "orderId", o.channel, o.channel_order_id AS "channelOrderId", f.node_id AS "nodeId", f.method, f.to_node_id AS "toNodeId",
  nullif(f.service, '') AS service, f.status, f.assignee, f.due_first AS "dueAt", f.due_at AS "packBy", 9 - f.urgency AS priority, f.released_at AS "releasedAt", f.packed_at AS "packedAt",
  f.handed_over_at AS "handedOverAt", f.ended_at AS "endedAt", ${pickupJson} AS pickup, ${heldByJson} AS "heldBy", ${workLinesJson} AS lines, ${packagesJson} AS packages`

export const isLabelled = (packages: readonly { trackingNumber: string | null }[]): boolean => packages.length > 0 && packages.every((p) => p.trackingNumber !== null)

/** Roles that work in a building; everybody else only looks. */
const working = ['store', 'operations', 'admin']

/** As they are read, before it is said what may be done. */
export type FulfillmentFacts = Omit<FulfillmentView, 'allowedActions'>

/** What a hold on picking or shipping refuses. */
const stoppedByHolds = ['pick', 'pack', 'ready-for-pickup', 'hand-over', 'collect']

export const withActions = (found: FulfillmentFacts, role?: string): FulfillmentView => ({
  ...found,
  allowedActions: role === undefined || working.includes(role) ? fulfillmentActions(found, isLabelled(found.packages)).filter((action) => !found.heldBy || !stoppedByHolds.includes(action)) : [],
})

/** One work order; `role` narrows what is allowed to what that role may do. */
export async function fulfillmentView(db: Db | Transaction, fulfillmentId: string, viewer: { role?: string } = {}): Promise<FulfillmentView | undefined> {
  const found = await row<FulfillmentFacts>(db, `SELECT ${fulfillmentColumns} FROM fulfillments f JOIN orders o USING (order_id) WHERE f.fulfillment_id = ?`, [fulfillmentId])
  return found && withActions(found, viewer.role)
}

/** Where a work order is, for the check of who may see it. */
export const fulfillmentPlace = (db: Db | Transaction, fulfillmentId: string): Promise<{ nodeId: string; toNodeId: string | null; orderId: string } | undefined> =>
  row(db, 'SELECT node_id AS "nodeId", to_node_id AS "toNodeId", order_id AS "orderId" FROM fulfillments WHERE fulfillment_id = ?', [fulfillmentId])

/** The packages of a work order, for whoever holds one in the hand. @throws `fulfillment.label_missing` while the carrier has not labelled them all */
export async function labelledPackages(db: Db, fulfillmentId: string): Promise<{ packageId: string; number: number; trackingNumber: string }[]> {
  const found = await rows<{ packageId: string; number: number; trackingNumber: string | null }>(
    db,
    'SELECT package_id AS "packageId", number, tracking_number AS "trackingNumber" FROM packages WHERE fulfillment_id = ? ORDER BY number',
    [fulfillmentId],
  )
  return found.map((p) => {
    if (p.trackingNumber === null) throw refuse('fulfillment.label_missing', { waitingOn: 'carrier' })
    return { ...p, trackingNumber: p.trackingNumber }
  })
}
