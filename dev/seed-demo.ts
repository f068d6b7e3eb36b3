/** Writes the demo network into the database: what is there already stays as it is, so a later start resets neither stock nor what somebody has changed. */
import type { Knex } from 'knex'
import { putApiKey } from '../db/api-keys'
import { openingStock, skus } from './demo-assortment'
import { apiKeys, cartons, channels, country, currency, drivers, nodes, timeZone } from './demo-network'

/** One transaction; harmless to repeat. Stock comes in as receipts, so levels equal the replay of their movements. */
export async function seedDemoNetwork(db: Knex): Promise<void> {
  await db.transaction(async (tx) => {
    await tx('channels').insert(channels.map(channelRow)).onConflict('channel_id').ignore()
    await tx('nodes').insert(nodes.map(nodeRow)).onConflict('node_id').ignore()
    await tx('skus').insert(skus.map(skuRow)).onConflict('sku').ignore()
    await tx('drivers').insert(drivers.map(driverRow)).onConflict('driver_id').ignore()
    await tx('cartons').insert(cartons.map(cartonRow)).onConflict('carton_id').ignore()
    for (const key of apiKeys) await putApiKey(tx, key)
    await receiveOpeningStock(tx)
  })
}

/** Long ago, so that any count a user sends is newer than it. */
const openedAt = '2026-01-01T00:00:00Z'

async function receiveOpeningStock(tx: Knex.Transaction): Promise<void> {
  const levels = nodes.flatMap((node) => skus.map(({ sku }) => ({ sku, node_id: node.nodeId, on_hand: openingStock(sku, node) })))
  const made: typeof levels = await tx('stock_levels').insert(levels).onConflict(['sku', 'node_id']).ignore().returning(['sku', 'node_id', 'on_hand'])
  const receipts = made.filter((level) => level.on_hand > 0)
  if (receipts.length === 0) return
  await tx('stock_movements').insert(
    receipts.map(({ sku, node_id, on_hand }) => ({ sku, node_id, type: 'receipt', on_hand_delta: on_hand, reason: 'opening stock', actor: 'throughline', at: openedAt })),
  )
}

const channelRow = (c: (typeof channels)[number]): object => ({
  channel_id: c.channelId,
  name: c.name,
  currency,
  time_zone: timeZone,
  claim: c.claim,
  kind: c.kind,
  shopify_secret: c.shopifySecret ?? null,
})

const nodeRow = (n: (typeof nodes)[number]): object => ({
  node_id: n.nodeId,
  name: n.name,
  type: n.type,
  time_zone: timeZone,
  country,
  latitude: n.latitude,
  longitude: n.longitude,
  address: JSON.stringify(n.address),
  calendar: JSON.stringify(n.calendar),
  cutoffs: JSON.stringify(n.cutoffs),
  capacity: JSON.stringify(n.capacity),
  methods: [...n.methods],
})

const skuRow = (s: (typeof skus)[number]): object => ({
  sku: s.sku,
  name: s.name,
  weight_grams: s.weightGrams,
  length_mm: s.lengthMm,
  width_mm: s.widthMm,
  height_mm: s.heightMm,
})

const driverRow = (d: (typeof drivers)[number]): object => ({
  driver_id: d.driverId,
  name: d.name,
  home_nodes: [...d.homeNodes],
  shift: JSON.stringify(d.shift),
  vehicle: JSON.stringify(d.vehicle),
})

const cartonRow = ({ innerMm: [length, width, height], ...c }: (typeof cartons)[number]): object => ({
  carton_id: c.cartonId,
  name: c.name,
  inner_length_mm: length,
  inner_width_mm: width,
  inner_height_mm: height,
  max_weight_grams: c.maxWeightGrams,
  tare_grams: c.tareGrams,
  cost_minor: c.costMinor,
})
