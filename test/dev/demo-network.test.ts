/** The demo shop: what the documentation promises is there, and a later start changes nothing. */
import { Client } from 'pg'
import { connect, row, rows, type Db } from '../../db/connection'
import { skus } from '../../dev/demo-assortment'
import { apiKeys, nodes } from '../../dev/demo-network'
import { seedDemoNetwork } from '../../dev/seed-demo'

const database = `demo_network_${process.pid}`
let db: Db

async function asAdmin(sql: string): Promise<void> {
  const client = new Client(process.env.TEST_DATABASE_URL)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

beforeAll(async () => {
  await asAdmin(`CREATE DATABASE ${database} TEMPLATE ${process.env.TEST_TEMPLATE_DATABASE}`)
  db = connect(new URL(`/${database}`, process.env.TEST_DATABASE_URL).href, { poolMax: 2 })
  await seedDemoNetwork(db)
})
afterAll(async () => {
  await db.destroy()
  await asAdmin(`DROP DATABASE ${database}`)
})

const onHand = async (sku: string): Promise<Record<string, number>> => {
  const levels = await rows<{ nodeId: string; onHand: number }>(db, 'SELECT node_id AS "nodeId", on_hand AS "onHand" FROM stock_levels WHERE sku = ?', [sku])
  return Object.fromEntries(levels.map((l) => [l.nodeId, l.onHand]))
}
const none = { 'dc-01': 0, 'store-mitte': 0, 'store-kreuzberg': 0, 'store-charlottenburg': 0 }

it('has the last light-blue pairs of 42 in one store, and those of 41 in the warehouse alone', async () => {
  expect(await onHand('SHOE-LB-42')).toEqual({ ...none, 'store-mitte': 3 })
  expect(await onHand('SHOE-LB-41')).toEqual({ ...none, 'dc-01': 12 })
  expect((await onHand('SOCKS-3P'))['store-mitte']).toBeGreaterThanOrEqual(10)
  expect((await onHand('SHIRT-RUN-M'))['dc-01']).toBeGreaterThanOrEqual(100)
})

it('sells about sixty things, each with a weight, at four nodes over three channels', async () => {
  expect(skus.length).toBeGreaterThanOrEqual(55)
  expect(new Set(skus.map((s) => s.sku)).size).toBe(skus.length)
  const counted = await row(db, 'SELECT (SELECT count(*) FROM skus WHERE weight_grams > 0) AS skus, (SELECT count(*) FROM nodes) AS nodes, (SELECT count(*) FROM channels) AS channels')
  expect(counted).toEqual({ skus: skus.length, nodes: 4, channels: 3 })
  expect(nodes.map((n) => n.nodeId)).toEqual(['dc-01', 'store-mitte', 'store-kreuzberg', 'store-charlottenburg'])
})

it('has a key for every channel, node, driver and desk, and all of them are demo keys', async () => {
  const kept = await rows<{ name: string }>(db, 'SELECT name FROM api_keys WHERE demo')
  expect(kept.map((k) => k.name).sort()).toEqual(apiKeys.map((k) => k.key).sort())
  for (const key of ['demo-channel-pos', 'demo-store-dc-01', 'demo-courier-driver-ada', 'demo-finance']) expect(kept).toContainEqual({ name: key })
})

const different = `SELECT l.sku, l.node_id FROM stock_levels l LEFT JOIN (SELECT sku, node_id, sum(on_hand_delta) AS on_hand FROM stock_movements GROUP BY 1, 2) m USING (sku, node_id)
  WHERE l.on_hand <> coalesce(m.on_hand, 0)`

it('accounts for every unit by a movement, and resets neither stock nor settings when it is started again', async () => {
  expect(await rows(db, different)).toEqual([])
  await db.raw(`UPDATE stock_levels SET on_hand = on_hand - 1 WHERE sku = 'SHOE-LB-42' AND node_id = 'store-mitte'`)
  await db.raw(`UPDATE nodes SET active = false WHERE node_id = 'store-kreuzberg'`)
  expect(await rows(db, different)).toHaveLength(1)
  await seedDemoNetwork(db)
  expect((await onHand('SHOE-LB-42'))['store-mitte']).toBe(2)
  expect(await row(db, `SELECT active FROM nodes WHERE node_id = 'store-kreuzberg'`)).toEqual({ active: false })
  expect(await rows(db, different)).toHaveLength(1)
})
