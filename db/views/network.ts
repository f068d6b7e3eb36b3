/** Reads nodes, SKUs, channels and drivers in the shape they are written in. */
import type { ChannelSettings, DriverSettings, NodeSettings, SkuSettings } from '../network'
import { row, rows, type Db, type Transaction } from '../connection'
import { Conditions, iso } from './sql'

/** A page of a list sorted by its id. `only`: the ids that may be seen; null: all. */
export interface Page {
  after?: string
  limit: number
  only?: readonly string[] | null
}

const nodeColumns = `node_id AS "nodeId", name, type, time_zone AS "timeZone", country, latitude, longitude, address, calendar, special_days AS "specialDays", cutoffs, pickups, lead_minutes AS "leadMinutes", capacity, methods, handles_hazardous AS "handlesHazardous", exports_to AS "exportsTo", active`

export const findNode = (db: Db | Transaction, nodeId: string): Promise<NodeSettings | undefined> => row(db, `SELECT ${nodeColumns} FROM nodes WHERE node_id = ?`, [nodeId])

export const nodeList = (db: Db, page: Page): Promise<NodeSettings[]> => pageOf(db, nodeColumns, 'nodes', 'node_id', page)

const skuColumns = `sku, name, weight_grams AS "weightGrams", length_mm AS "lengthMm", width_mm AS "widthMm", height_mm AS "heightMm", backorder, hazardous, export_controlled AS "exportControlled", category,
  CASE WHEN preorder_cap IS NOT NULL THEN json_build_object('cap', preorder_cap, 'shipBy', ${iso('preorder_ship_by')}, 'promised', preorder_promised) END AS preorder,
  (SELECT json_agg(json_build_object('sku', component, 'quantity', quantity) ORDER BY position) FROM kit_components k WHERE k.kit = skus.sku) AS kit`

export const findSku = (db: Db | Transaction, sku: string): Promise<SkuSettings | undefined> => row(db, `SELECT ${skuColumns} FROM skus WHERE sku = ?`, [sku])

export const skuList = (db: Db, page: Page): Promise<SkuSettings[]> => pageOf(db, skuColumns, 'skus', 'sku', page)

export interface ChannelView extends Omit<ChannelSettings, 'shopifySecret' | 'apiToken' | 'apiSecret'> {
  hasShopifySecret: boolean
  hasApiToken: boolean
  hasApiSecret: boolean
}

export const findChannel = (db: Db | Transaction, channelId: string): Promise<ChannelView | undefined> =>
  row(
    db,
    `SELECT channel_id AS "channelId", name, currency, time_zone AS "timeZone", claim, stock_buffer AS "stockBuffer", stock_threshold AS "stockThreshold", kind, order_page_url AS "orderPageUrl", flags, limits, return_terms AS "returnTerms", silence, api,
       api_token IS NOT NULL AS "hasApiToken", api_secret IS NOT NULL AS "hasApiSecret", shopify_secret IS NOT NULL AS "hasShopifySecret" FROM channels WHERE channel_id = ?`,
    [channelId],
  )

export const findDriver = (db: Db | Transaction, driverId: string): Promise<DriverSettings | undefined> =>
  row(db, 'SELECT driver_id AS "driverId", name, home_nodes AS "homeNodes", shift, vehicle FROM drivers WHERE driver_id = ?', [driverId])

/** Which of `nodeIds` do not exist. */
export async function unknownNodes(db: Db | Transaction, nodeIds: readonly string[]): Promise<string[]> {
  const found = await rows<{ nodeId: string }>(db, 'SELECT node_id AS "nodeId" FROM nodes WHERE node_id = ANY(?)', [[...nodeIds]])
  return nodeIds.filter((id) => !found.some((f) => f.nodeId === id))
}

/** Of those of `nodeIds` that exist. */
export async function nodeTypesOf(db: Db | Transaction, nodeIds: readonly string[]): Promise<Map<string, string>> {
  const found = await rows<{ nodeId: string; type: string }>(db, 'SELECT node_id AS "nodeId", type FROM nodes WHERE node_id = ANY(?)', [[...nodeIds]])
  return new Map(found.map((n) => [n.nodeId, n.type]))
}

/** Which of `skus` do not exist. */
export async function unknownSkus(db: Db | Transaction, skus: readonly string[]): Promise<Set<string>> {
  const found = await rows<{ sku: string }>(db, 'SELECT sku FROM skus WHERE sku = ANY(?)', [[...skus]])
  const known = new Set(found.map((f) => f.sku))
  return new Set(skus.filter((s) => !known.has(s)))
}

function pageOf<Row>(db: Db, columns: string, table: string, key: string, page: Page): Promise<Row[]> {
  const where = new Conditions().when(page.after, `${key} > ?`).when(page.only && [...page.only], `${key} = ANY(?)`)
  return rows<Row>(db, `SELECT ${columns} FROM ${table} ${where.where} ORDER BY ${key} LIMIT ?`, [...where.bindings, page.limit])
}
