/** Customers whose orders their channel marks as trusted have their money before the goods are back; everybody else when they are counted. */
import type { ReturnView } from '../../db/views/returns'
import { eventually, orderOf, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT60S', restockBy: 'PT3S', feeMinor: 300, mailLabels: false, rules: [{ name: 'trusted', flags: ['trusted'], refundOn: 'request', feeMinor: 0 }] } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function delivered(...flags: string[]): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const placed = await people.shop<{ orderId: string }>('POST', '/v1/orders', { ...orderOf({ lines: [{ sku, quantity: 1, unitPriceMinor: 2_000 }] }), ...(flags.length && { flags }) })
  const { orderId } = placed.body
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  return orderId
}

const asked = (orderId: string, query = ''): Promise<Answer<ReturnView & { money: object; terms: object[] }>> =>
  people.shop('POST', `/v1/orders/${orderId}/returns${query}`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'mail' })
const counted = (returnId: string): Promise<Answer> =>
  people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
const cases = async (orderId: string): Promise<{ kind: string; data: object }[]> =>
  (await people.operations<{ items: { orderId: string; kind: string; data: object }[] }>('GET', '/v1/exceptions?status=open&limit=200')).body.items.filter((e) => e.orderId === orderId)

it('pays a trusted customer when she asks, says so before, and pays her once', async () => {
  const orderId = await delivered('trusted', 'gift')
  expect((await asked(orderId, '?preview=true')).body).toMatchObject({ terms: [{ rule: 'trusted', refundOn: 'request' }], money: { refundOn: 'request', refundMinor: 2_490 } })
  const { body } = await asked(orderId)
  expect(body).toMatchObject({ status: 'approved', refundOn: 'request', lines: [{ received: 0 }] })
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490, 'the refund')
  expect(await people.order(orderId)).toMatchObject({ returns: [{ status: 'approved' }], lines: [{ returned: 0 }] })
  await counted(body.returnId)
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed', 'the end')
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 2_490, refundedMinor: 2_490 }])
})

it('proposes to charge a trusted customer whose goods do not come', async () => {
  const orderId = await delivered('trusted')
  await asked(orderId)
  const seen = await eventually(() => cases(orderId), (all) => all.some((e) => e.kind === 'return.paid_not_back'), { what: 'the case' })
  expect(seen.find((e) => e.kind === 'return.paid_not_back')).toMatchObject({ data: { proposedChargeMinor: 2_490 } })
})

it('pays anybody else once the goods are counted', async () => {
  const orderId = await delivered('gift')
  expect((await asked(orderId, '?preview=true')).body).toMatchObject({ terms: [{ rule: null, refundOn: 'receipt' }], money: { refundOn: 'receipt', refundMinor: 2_190 } })
  const { body } = await asked(orderId)
  expect(body).toMatchObject({ refundOn: 'receipt', refunds: [] })
  await counted(body.returnId)
  await people.until(orderId, (o) => o.money.refundedMinor === 2_190 && o.returns[0]!.status === 'closed', 'the refund')
})
