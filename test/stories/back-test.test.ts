/** The policy lab: what really happened is told again from the rows alone, a draft is held against it, and a job whose worker is killed comes to its end elsewhere. */
import { defaultPolicies } from '../../domain/policy/kinds'
import type { SourcingPolicy } from '../../domain/policy/sourcing'
import type { BackTestResult } from '../../domain/sourcing/back-test'
import { rows } from '../../db/connection'
import { expectInvariants } from '../support/invariants'
import { eventually, orderOf, peopleOf, type People } from '../support/people'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess } from '../support/worker-process'

let system: System
let people: People
afterEach(() => system?.stop())

interface Shown {
  status: string
  progress: { done: number; of: number }
  result?: BackTestResult
  failure?: string
}
const byCost: SourcingPolicy = {
  ...defaultPolicies.sourcing,
  mode: 'cost',
  costs: {
    rateCard: [{ upToKm: 900, tiers: [{ upToGrams: 31_500, priceMinor: 500 }] }],
    handlingMinor: 50, pickWarehouseMinor: 30, pickStoreMinor: 190, splitMinor: 100, capacityMinor: 0, stockOutMinor: 0, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0,
  },
}

async function ask(body: object): Promise<string> {
  const asked = await people.operations<{ backTestId: string }>('POST', '/v1/sourcing/back-tests', body)
  expect(asked).toMatchObject({ status: 201, body: { status: 'running' } })
  return asked.body.backTestId
}
const look = async (backTestId: string): Promise<Shown> => (await people.operations<Shown>('GET', `/v1/sourcing/back-tests/${backTestId}`)).body
const ended = async (backTestId: string, timeoutMs = 20_000): Promise<BackTestResult> => {
  const shown = await eventually(() => look(backTestId), (b) => b.status !== 'running', { timeoutMs, what: 'the back-test to end' })
  expect(shown).toMatchObject({ status: 'done', progress: { done: shown.progress.of } })
  return shown.result!
}

it('finds again what the policy in force really did, and what a draft by costs would have done instead', async () => {
  system = await startSystem()
  people = peopleOf(system)
  const from = new Date().toISOString()
  const buy = async (sku: string, quantity: number): Promise<string> => {
    const placed = await people.shop<{ orderId: string }>('POST', '/v1/orders', { ...orderOf({ lines: [{ sku, quantity }] }), placedAt: new Date().toISOString() })
    expect(placed.status).toBe(201)
    await people.until(placed.body.orderId, (o) => o.fulfillments.length === 1)
    return placed.body.orderId
  }
  const adjust = (sku: string, nodeId: string, delta: number): Promise<unknown> => people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId, delta, reason: 'found' })
  await buy('SOCKS-3P', 39)
  const called = await buy('SOCKS-3P', 1)
  await buy('SOCKS-3P', 2) // nothing is left around the corner
  await people.support('POST', `/v1/orders/${called}/cancel`, { reason: 'customer changed her mind' })
  await people.until(called, (o) => o.status === 'cancelled')
  await buy('SOCKS-3P', 1) // what was called off is sold again
  await adjust('SOCKS-3P', 'store-mitte', 4)
  const shipped = await buy('SOCKS-3P', 3)
  const [work] = (await people.order(shipped)).fulfillments
  await people.pickAll(work!)
  await people.packAll(work!)
  await people.handOver(work!)
  await buy('SOCKS-3P', 1)

  const result = await ended(await ask({ from, to: new Date(Date.now() + 1).toISOString(), draft: byCost }))
  const real = await rows<{ nodeId: string; shipments: number }>(system.db, `SELECT node_id AS "nodeId", count(*)::int AS shipments FROM fulfillments WHERE status <> 'cancelled' GROUP BY 1 ORDER BY 1`)
  expect(result.load.filter((l) => l.against.shipments > 0).map((l) => ({ nodeId: l.nodeId, shipments: l.against.shipments }))).toEqual(real)
  expect(real.length).toBe(2)
  expect(result).toMatchObject({ orders: 5, costsOf: 'draft', measures: { filledShare: { draft: 1, against: 1, low: 0, high: 0 }, lostMinor: { difference: 0 } } })
  const units = 39 + 2 + 1 + 3 + 1
  expect(result.measures.costMinor).toMatchObject({ draft: 5 * 550 + units * 30, against: 5 * 550 + units * 190 })
  expect(result.load.find((l) => l.nodeId === 'dc-01')!.draft).toMatchObject({ shipments: 5, units })
  await expectInvariants(system)
})

it('goes on elsewhere when its worker is killed over it', async () => {
  system = await startSystem({ worker: false })
  people = peopleOf(system)
  await people.place()
  await severalThousandMore(20_000)
  const first = await startWorkerProcess(system.workerEnv)
  const backTestId = await ask({ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', draft: byCost })
  await eventually(() => look(backTestId), (b) => b.progress.done > 0, { what: 'the first progress' })
  await first.kill()
  expect((await look(backTestId)).status).toBe('running')
  const second = await startWorkerProcess(system.workerEnv)
  try {
    const result = await ended(backTestId, 50_000)
    expect(result.orders).toBe(20_000)
    expect(result.measures.lostMinor!.draft).toBeGreaterThan(0)
  } finally {
    await second.kill()
  }
}, 120_000)

/** Copies of the one order, an instant apart, in January. */
async function severalThousandMore(count: number): Promise<void> {
  await system.db.raw(
    `INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('order_id', gen_random_uuid(), 'channel_order_id', 'january-' || i, 'workflow_open', false,
       'placed_at', '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 minute'))).* FROM orders o, generate_series(1, ?::int) AS i`,
    [count],
  )
  await system.db.raw(
    `INSERT INTO order_lines SELECT (jsonb_populate_record(l, jsonb_build_object('order_id', o.order_id, 'sku', 'HOODIE-M', 'allocated', 0))).*
     FROM order_lines l, orders o WHERE o.channel_order_id LIKE 'january-%'`,
  )
}
