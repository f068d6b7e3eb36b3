/** Many hands at once: the same order sent many times, a cancel against a hand-over, a crowd at the last shelf. */
import { orderOf, peopleOf, type OrderWish, type People } from '../support/people'
import { heldAndTaken } from '../support/outside'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }
const tally = (answers: readonly { status: number }[]): Record<number, number> =>
  answers.reduce<Record<number, number>>((counts, { status }) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }), {})

it('makes one order and one charge of 64 equal submits at once', async () => {
  const body = orderOf(socks)
  const key = { 'idempotency-key': `same-${body.channelOrderId}` }
  const answers = await Promise.all(Array.from({ length: 64 }, () => people.shop<{ orderId: string }>('POST', '/v1/orders', body, key)))
  expect(tally(answers)).toEqual({ 201: 64 })
  expect(new Set(answers.map((a) => a.body.orderId)).size).toBe(1)
  expect(answers.filter((a) => a.headers.get('idempotent-replayed') === 'true')).toHaveLength(63)
  const orderId = answers[0]!.body.orderId
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(await heldAndTaken(system, orderId)).toMatchObject({ authorizedMinor: body.totalMinor, effects: 1 })
})

it('makes one order of ten equal submits under ten keys, and refuses another body', async () => {
  const body = orderOf(socks)
  const answers = await Promise.all(Array.from({ length: 10 }, () => people.shop<{ orderId: string }>('POST', '/v1/orders', body)))
  expect(tally(answers)).toEqual({ 200: 9, 201: 1 })
  expect(new Set(answers.map((a) => a.body.orderId)).size).toBe(1)
  const other = await people.shop('POST', '/v1/orders', { ...body, priority: 9 })
  expect(other).toMatchObject({ status: 409, body: { code: 'order.duplicate', orderId: answers[0]!.body.orderId } })
})

it('never lets a cancel and a hand-over both win', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async (_, round) => {
      const orderId = await people.place(socks)
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      await people.pickAll(fulfillments[0]!)
      await people.packAll(fulfillments[0]!)
      const cancel = () => people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'race' })
      const leave = () => people.handOver(fulfillments[0]!)
      const answers = await Promise.all(round % 2 ? [cancel(), leave()] : [leave(), cancel()])
      const { status } = await people.order(orderId)
      const others = answers.filter((a) => ![200, 409].includes(a.status)).map((a) => a.body)
      return { others, won: answers.filter((a) => a.status === 200).length, lost: answers.filter((a) => a.status === 409).length, status }
    }),
  )
  for (const outcome of outcomes) expect(outcome).toMatchObject({ others: [], won: 1, lost: 1, status: expect.stringMatching(/^(cancelled|shipped)$/) })
})

it('confirms exactly as many as there are when a crowd comes for the last units, and tells the others what is short', async () => {
  await people.operations('POST', '/v1/inventory/counts', [{ sku: 'SHOE-LB-41', nodeId: 'dc-01', onHand: 7, asOf: new Date().toISOString() }])
  const queue = Array.from({ length: 200 }, () => orderOf({ lines: [{ sku: 'SHOE-LB-41', quantity: 1 }] }))
  const answers: Awaited<ReturnType<People['shop']>>[] = []
  const buyer = async (): Promise<void> => {
    for (let body = queue.pop(); body; body = queue.pop()) answers.push(await people.shop('POST', '/v1/orders', body))
  }
  await Promise.all(Array.from({ length: 20 }, buyer))
  expect(tally(answers)).toEqual({ 201: 7, 409: 193 })
  for (const { status, body } of answers) if (status === 409) expect(body).toMatchObject({ code: 'stock.short', short: [{ sku: 'SHOE-LB-41', wanted: 1 }] })
  const level = await people.operations<{ items: { allocated: number; available: number }[] }>('GET', '/v1/inventory?sku=SHOE-LB-41&nodeId=dc-01')
  expect(level.body.items[0]).toMatchObject({ allocated: 7, available: 0 })
})

it('takes orders for two SKUs in either order of lines at once, without a deadlock and without overselling', async () => {
  const [a, b] = ['SHIRT-RUN-M', 'SHOE-LB-42']
  const nodes = ['dc-01', 'store-mitte', 'store-kreuzberg', 'store-charlottenburg']
  await people.operations('POST', '/v1/inventory/counts', nodes.flatMap((nodeId) => [a, b].map((sku) => ({ sku, nodeId, onHand: 5, asOf: new Date().toISOString() }))))
  const pair = (i: number): OrderWish => ({ lines: (i % 2 ? [a, b] : [b, a]).map((sku) => ({ sku: sku, quantity: 1 })) })
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => people.shop('POST', '/v1/orders', orderOf(pair(i)))))
  expect(tally(answers)).toEqual({ 201: 20, 409: 40 })
})

it('answers work out of turn with the present state', async () => {
  const orderId = await people.place(socks)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  const [work] = fulfillments
  expect(await people.packAll(work!)).toMatchObject({ status: 409, body: { code: 'fulfillment.not_all_picked', open: [{ lineId: '1', quantity: 1 }] } })
  expect(await people.handOver(work!)).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'released', allowedActions: ['assign', 'pick'] } })
  expect((await Promise.all([people.pickAll(work!), people.pickAll(work!)])).map((a) => a.status).sort()).toEqual([200, 409])
  expect((await Promise.all([people.packAll(work!), people.packAll(work!)])).map((a) => a.status).sort()).toEqual([200, 409])
  expect((await Promise.all([people.handOver(work!), people.handOver(work!)])).map((a) => a.status).sort()).toEqual([200, 409])
  expect(await people.pickAll(work!)).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'handed_over', allowedActions: [] } })
})
