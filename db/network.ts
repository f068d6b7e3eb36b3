/** Sets up who sells, where goods are and what they are packed into: nodes, SKUs, channels, drivers, cartons. A PUT is the whole document; what it leaves out goes back to its default. */
import { writeAudit } from './audit'
import type { ChannelStock } from '../domain/inventory/level'
import type { ChannelFacts } from '../domain/policy/channel-facts'
import type { KitPart } from '../domain/order/kits'
import { refuse } from '../domain/refusals'
import { row, run, type Db, type Transaction } from './connection'
import { putKit } from './kits'

export interface NodeSettings {
  nodeId: string
  name: string
  type: string
  timeZone: string
  country: string
  latitude: number
  longitude: number
  address: Record<string, unknown>
  calendar: Record<string, unknown>
  /** By local date, instead of the weekday's hours. */
  specialDays: Record<string, unknown>
  cutoffs: Record<string, unknown>
  /** By carrier, when it collects. */
  pickups: Record<string, unknown>
  /** Working minutes from the beginning of the work until the parcel stands at the door, for four in five. */
  leadMinutes: number
  capacity: Record<string, unknown>
  methods: readonly string[]
  handlesHazardous: boolean
  /** Countries for which it has papers for goods under export control. */
  exportsTo: readonly string[]
  active: boolean
}

/** @returns whether the node is new. */
export async function putNode(db: Db | Transaction, node: NodeSettings, actor: string): Promise<boolean> {
  return put(db, {
    table: 'nodes',
    key: 'node_id',
    action: 'node.put',
    actor,
    values: {
      node_id: node.nodeId, name: node.name, type: node.type, time_zone: node.timeZone, country: node.country, latitude: node.latitude, longitude: node.longitude,
      address: JSON.stringify(node.address), calendar: JSON.stringify(node.calendar), special_days: JSON.stringify(node.specialDays), cutoffs: JSON.stringify(node.cutoffs),
      pickups: JSON.stringify(node.pickups), lead_minutes: node.leadMinutes, capacity: JSON.stringify(node.capacity),
      methods: [...node.methods], handles_hazardous: node.handlesHazardous, exports_to: [...node.exportsTo], active: node.active, updated_at: new Date(),
    },
  })
}

export interface SkuSettings {
  sku: string
  name: string
  weightGrams: number
  lengthMm: number | null
  widthMm: number | null
  heightMm: number | null
  /** May orders be accepted for announced supply? */
  backorder: boolean
  hazardous: boolean
  exportControlled: boolean
  /** What rules of returns know it by; null: none. */
  category: string | null
  /** How many units may be promised, and for when, before any are there. */
  preorder: { cap: number; shipBy: string } | null
  /** What it is made of; null: it is one thing. */
  kit: readonly KitPart[] | null
}

/** @throws `request.invalid` where the new cap is below what is promised already, or a kit cannot be made of what it names */
export const putSku = (db: Db | Transaction, sku: SkuSettings, actor: string): Promise<boolean> =>
  db.transaction(async (tx) => {
    await run(tx, 'SELECT 1 FROM skus WHERE sku = ANY(?) ORDER BY sku FOR NO KEY UPDATE', [[sku.sku, ...(sku.kit ?? []).map((part) => part.sku)]])
    await checkCap(tx, sku)
    const values = {
      sku: sku.sku, name: sku.name, weight_grams: sku.weightGrams, length_mm: sku.lengthMm, width_mm: sku.widthMm, height_mm: sku.heightMm,
      backorder: sku.backorder, hazardous: sku.hazardous, export_controlled: sku.exportControlled, category: sku.category, preorder_cap: sku.preorder?.cap ?? null, preorder_ship_by: sku.preorder?.shipBy ?? null, updated_at: new Date(),
    }
    const fresh = await put(tx, { table: 'skus', key: 'sku', action: 'sku.put', actor, values })
    await putKit(tx, sku.sku, sku.kit)
    return fresh
  })

async function checkCap(tx: Transaction, { sku, preorder }: SkuSettings): Promise<void> {
  const known = await row<{ promised: number }>(tx, 'SELECT preorder_promised AS promised FROM skus WHERE sku = ?', [sku])
  if (!known || !preorder || preorder.cap >= known.promised) return
  const message = `Must be at least ${known.promised}: so many are promised already`
  throw refuse('request.invalid', {}, `/preorder/cap: ${message}`, [{ pointer: '/preorder/cap', message }])
}

export interface ChannelSettings extends ChannelStock, ChannelFacts {
  name: string
  /** Where a customer finds her order; `{channelOrderId}` stands for its number. */
  orderPageUrl: string | null
  /** How long it may say nothing before somebody looks. */
  silence: string | null
  /** Its own api, where we can ask it. */
  api: ChannelApi | null
  /** undefined: stays as it is; null: taken away. Never given out. */
  shopifySecret?: string | null
  apiToken?: string | null
  apiSecret?: string | null
}

export type ChannelApi =
  | {
      kind: 'shopify'
      url: string
      /** By node, the place of the shop whose stock that node's is. */
      locations: Record<string, string>
    }
  | {
      kind: 'amazon'
      url: string
      marketplaceId: string
      /** Of the application that sellers have authorised, and where its tokens are had. */
      clientId: string
      tokenUrl: string
    }

/** What it takes to call a channel. */
export interface ChannelAccess {
  api: ChannelApi
  token: string
  secret: string | null
}
/** Of a channel `c`. */
export const accessColumns = 'c.api, c.api_token AS token, c.api_secret AS secret'

export async function putChannel(db: Db | Transaction, channel: ChannelSettings, actor: string): Promise<boolean> {
  const secrets = { ...(channel.shopifySecret !== undefined && { shopify_secret: channel.shopifySecret }), ...(channel.apiToken !== undefined && { api_token: channel.apiToken }), ...(channel.apiSecret !== undefined && { api_secret: channel.apiSecret }) }
  const values = {
    channel_id: channel.channelId, name: channel.name, currency: channel.currency, time_zone: channel.timeZone, claim: channel.claim, stock_buffer: channel.stockBuffer, stock_threshold: channel.stockThreshold,
    kind: channel.kind, order_page_url: channel.orderPageUrl, flags: [...channel.flags], limits: JSON.stringify(channel.limits), return_terms: channel.returnTerms, silence: channel.silence, api: channel.api === null ? null : JSON.stringify(channel.api), ...secrets,
  }
  return put(db, { table: 'channels', key: 'channel_id', action: 'channel.put', actor, values })
}

export interface DriverSettings {
  driverId: string
  name: string
  homeNodes: readonly string[]
  shift: Record<string, unknown>
  vehicle: Record<string, unknown>
}

export async function putDriver(db: Db | Transaction, driver: DriverSettings, actor: string): Promise<boolean> {
  const values = { driver_id: driver.driverId, name: driver.name, home_nodes: [...driver.homeNodes], shift: JSON.stringify(driver.shift), vehicle: JSON.stringify(driver.vehicle) }
  return put(db, { table: 'drivers', key: 'driver_id', action: 'driver.put', actor, values })
}

export interface CartonSettings {
  cartonId: string
  name: string
  innerLengthMm: number
  innerWidthMm: number
  innerHeightMm: number
  /** Of the goods and the carton together. */
  maxWeightGrams: number
  tareGrams: number
  /** Ranks one carton against another. */
  costMinor: number
  /** Which nodes have it; none named: all. */
  nodes: readonly string[]
  active: boolean
}

export async function putCarton(db: Db | Transaction, c: CartonSettings, actor: string): Promise<boolean> {
  const values = {
    carton_id: c.cartonId, name: c.name, inner_length_mm: c.innerLengthMm, inner_width_mm: c.innerWidthMm, inner_height_mm: c.innerHeightMm,
    max_weight_grams: c.maxWeightGrams, tare_grams: c.tareGrams, cost_minor: c.costMinor, nodes: [...c.nodes], active: c.active,
  }
  return put(db, { table: 'cartons', key: 'carton_id', action: 'carton.put', actor, values })
}

interface Put {
  table: string
  key: string
  action: string
  actor: string
  values: Record<string, unknown>
}

/** Writes the row and who did it. `xmax = 0` holds for a row this statement has inserted. */
function put(db: Db | Transaction, { table, key, action, actor, values }: Put): Promise<boolean> {
  return db.transaction(async (tx) => {
    const columns = Object.keys(values)
    const updates = columns.filter((c) => c !== key).map((c) => `${c} = excluded.${c}`)
    const written = await row<{ fresh: boolean }>(
      tx,
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
       ON CONFLICT (${key}) DO UPDATE SET ${updates.join(', ')} RETURNING xmax = 0 AS fresh`,
      Object.values(values),
    )
    await writeAudit(tx, { actor, action, subject: String(values[key]), cause: 'api' })
    return written!.fresh
  })
}

export const nodeCountry = async (db: Db, nodeId: string): Promise<string | undefined> => (await row<{ country: string }>(db, 'SELECT country FROM nodes WHERE node_id = ?', [nodeId]))?.country
