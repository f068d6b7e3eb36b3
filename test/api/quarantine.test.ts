/** Messages in quarantine have an owner and an age; they are repaired, or dismissed with a reason, and nobody forgets them. */
import { once } from 'node:events'
import { Registry } from 'prom-client'
import type { AddressInfo } from 'node:net'
import { createMetricsApp } from '../../api/metrics'
import { openForStuck } from '../../db/watch'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const unpaid = async (): Promise<string> => (await sendShopify(edge.url, { ...freshShopifyOrder(), financial_status: 'pending' })).body.quarantineId!
const on = (quarantineId: string, action: string, body: object, key = 'demo-support'): Promise<Reply> => edge.post(`/v1/quarantine/${quarantineId}/${action}`, body, { key })

it('gives a message an owner, and says how old it is', async () => {
  const quarantineId = await unpaid()
  await edge.db.raw(`UPDATE quarantine SET received_at = now() - interval '1 hour' WHERE quarantine_id = ?`, [quarantineId])
  expect(await on(quarantineId, 'assign', { assignee: 'night shift' })).toMatchObject({ status: 200, body: { assignee: 'night shift', status: 'open', topic: 'order', channelOrderId: expect.stringMatching(/^\d+$/) } })
  const { items } = (await edge.get('/v1/quarantine?channel=web&status=open', 'demo-support')).body as { items: { quarantineId: string; ageSeconds: number; assignee: string }[] }
  expect(items.find((m) => m.quarantineId === quarantineId)).toMatchObject({ assignee: 'night shift', ageSeconds: expect.any(Number) })
  expect(items.find((m) => m.quarantineId === quarantineId)!.ageSeconds).toBeGreaterThanOrEqual(3_600)
})

it('dismisses a message with a reason, once, and keeps it', async () => {
  const quarantineId = await unpaid()
  expect((await on(quarantineId, 'dismiss', {})).status).toBe(400)
  expect(await on(quarantineId, 'dismiss', { reason: 'a test of the shop' })).toMatchObject({ status: 200, body: { status: 'dismissed', resolution: 'a test of the shop', body: { financial_status: 'pending' } } })
  for (const [action, body] of [['dismiss', { reason: 'again' }], ['assign', { assignee: 'x' }], ['retry', {}]] as const) expect(await on(quarantineId, action, body)).toMatchObject({ status: 409, body: { code: 'quarantine.ended' } })
  expect(await edge.db('audit').where({ action: 'quarantine.dismiss', subject: quarantineId })).toHaveLength(1)
})

it('makes one case of what has waited too long at a channel, and settles it when nothing has', async () => {
  const cases = async (): Promise<number> => (await edge.db('exceptions').where({ kind: 'quarantine.overdue', subject: 'web' }).whereNull('resolved_at')).length
  const quarantineId = await unpaid()
  await openForStuck(edge.db)
  expect(await cases()).toBe(0)
  await edge.db.raw(`UPDATE quarantine SET received_at = now() - interval '5 hours' WHERE quarantine_id = ?`, [quarantineId])
  await openForStuck(edge.db)
  await openForStuck(edge.db)
  expect(await cases()).toBe(1)
  await on(quarantineId, 'dismiss', { reason: 'the shop has cancelled it' })
  await openForStuck(edge.db)
  expect(await cases()).toBe(0)
})

it('shows in the metrics how much waits, and for how long', async () => {
  await unpaid()
  const server = createMetricsApp({ db: edge.db, metrics: { registry: new Registry(), observe: () => undefined } }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const text = await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)).text()
    expect(text).toMatch(/throughline_quarantine_open\{channel="web"\} [1-9]/)
    expect(text).toMatch(/throughline_quarantine_open\{channel="pos"\} 0/)
    expect(text).toMatch(/throughline_quarantine_oldest_seconds\{channel="web"\} \d+/)
  } finally {
    server.close()
  }
})
