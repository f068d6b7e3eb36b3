/** Our own bugs, planted in the database: what it will never take ends the command that asked for it, and only waits where it is the order's own story. */
import { eventually, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT60S', restockBy: 'PT30S' }, sourcing: { autoCancelAfter: 'PT2S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

/** For rows that are written from now on. */
async function planted(table: string, check: string): Promise<void> {
  await system.db.raw(`ALTER TABLE ${table} ADD CONSTRAINT planted CHECK (${check}) NOT VALID`)
}
const mended = async (): Promise<void> => {
  for (const table of ['return_receipts', 'fulfillments', 'order_events']) await system.db.raw(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS planted`)
}
afterEach(mended)

async function delivered(units: number): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': units })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 2_000 }] })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  return orderId
}

it('ends a command that can never be done, keeps that as its answer, and the order hears the next', async () => {
  const orderId = await delivered(1)
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'mail' })).body
  const count = (disposition: string, headers = {}): Promise<Answer<{ requestId: string }>> =>
    people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition }] }, headers)
  await planted('return_receipts', "disposition <> 'write_off'")
  const headers = { 'idempotency-key': `broken-${orderId}` }
  const broken = await count('write_off', headers)
  expect(broken).toMatchObject({ status: 500, body: { code: 'command.broken' } })
  expect(JSON.stringify(broken.body)).not.toContain('planted')
  expect(await count('write_off', headers)).toMatchObject({ status: 500, body: { requestId: broken.body.requestId } })
  expect((await people.order(orderId)).returns).toMatchObject([{ returnId, status: 'approved' }])
  expect(await people.told(orderId)).toContain('order.command_refused')
  expect(await count('restock')).toMatchObject({ status: 200, body: { status: expect.stringMatching(/received|closed/) } })
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed' && o.money.owedMinor === 0, 'the refund')
})

const letGo = (orderId: string): Promise<unknown> => people.until(orderId, (o) => o.payments.some((p) => p.status === 'voided'), 'the money to be let go')

it('ends an exchange that can never be done once its money is held, lets go of the money, and the order hears the next', async () => {
  const orderId = await delivered(1)
  const sku = await people.stocked({ 'store-mitte': 2 })
  const exchange = (): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku, unitPriceMinor: 3_000, reason: 'another' }], collectOld: 'store', send: 'now' })
  await planted('order_events', "type <> 'replacement.requested'")
  expect(await exchange()).toMatchObject({ status: 500, body: { code: 'command.broken' } })
  await letGo(orderId)
  expect((await people.order(orderId)).returns).toEqual([])
  await mended()
  expect(await exchange()).toMatchObject({ status: 201 })
})

it('ends a change that can never be done once its money is held, lets go of the money, and the order hears the next', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  const raise = async (): Promise<Answer> => {
    const { changeId } = (await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 2 }] })).body
    return people.support('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {})
  }
  await planted('order_events', "type <> 'order.changed'")
  expect(await raise()).toMatchObject({ status: 500, body: { code: 'command.broken' } })
  await letGo(orderId)
  expect(await people.order(orderId)).toMatchObject({ lines: [{ quantity: 1 }] })
  await mended()
  expect(await raise()).toMatchObject({ status: 200, body: { lines: [{ quantity: 2 }] } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('waits for a fix where nobody asked, and cancels no order for it', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  await planted('fulfillments', "node_id <> 'store-mitte'")
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }] })
  const tries = async (): Promise<number> => Number((await system.db.raw<{ rows: { n: string }[] }>('SELECT xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()')).rows[0]!.n)
  const before = await tries()
  await eventually(tries, (n) => n > before + 3, { what: 'some tries' })
  expect(await people.order(orderId)).toMatchObject({ status: expect.not.stringMatching(/cancelled/), fulfillments: [], workflowOpen: true })
  await mended()
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'its work order')
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})
