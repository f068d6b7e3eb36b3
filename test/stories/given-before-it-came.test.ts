/** Money that was given before the goods came is given once: whatever comes of them later, with whatever return, comes for nothing, and nobody is given another for them. */
import type { ReturnView } from '../../db/views/returns'
import { caller, eventually, peopleOf, type Answer, type People } from '../support/people'
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

/** The next orders are placed under this. */
async function policy(document: object): Promise<void> {
  const draft = { window: 'PT60S', restockBy: 'PT60S', ...document }
  const { version } = (await people.operations<{ version: number }>('POST', '/v1/policies/returns', draft)).body
  expect((await people.operations('POST', `/v1/policies/returns/${version}/activate`, {})).status).toBe(200)
}

async function delivered(units: number): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': units })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 2_000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  await people.deliver(fulfillments[0]!)
  await people.until(orderId, (o) => o.fulfillments.every((f) => f.status === 'delivered') && o.money.owedMinor === 0, 'delivery')
  return orderId
}

type Previewed = ReturnView & { money: { refundMinor: number; feeMinor: number; shippingMinor: number }; code?: string; open?: number }
const asked = (orderId: string, quantity = 1, query = ''): Promise<Answer<Previewed>> =>
  caller(system.url, 'demo-support')('POST', `/v1/orders/${orderId}/returns${query}`, { lines: [{ lineId: '1', quantity, reason: 'too big' }], method: 'mail' })
const units = (quantity: number, grade = 'as_new'): object => ({ quantity, grade, disposition: 'restock' })
const counted = (returnId: string, quantity: number, grade?: string): Promise<Answer> =>
  people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', ...units(quantity, grade) }] })
const brought = (orderId: string, what: object[], query = ''): Promise<Answer<Previewed>> =>
  people.store('store-mitte')('POST', `/v1/orders/${orderId}/counter-returns${query}`, { nodeId: 'store-mitte', lines: [{ lineId: '1', reason: 'found it', counted: what }] })
const view = async (returnId: string): Promise<ReturnView> => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body
const until = (returnId: string, enough: (r: ReturnView) => boolean, what: string): Promise<ReturnView> => eventually(() => view(returnId), enough, { what })
interface Case {
  orderId: string
  kind: string
  status: string
  resolution: string | null
  data: { lines: object[]; proposedChargeMinor: number }
}
const cases = async (orderId: string): Promise<Case[]> =>
  (await people.operations<{ items: Case[] }>('GET', '/v1/exceptions?status=all&limit=200')).body.items.filter((e) => e.orderId === orderId && e.kind === 'return.paid_not_back')

/** Asked for, paid at the first scan, and something else was in the parcel. */
async function paidForSomethingElse(orderId: string, quantity: number): Promise<string> {
  const { returnId } = (await asked(orderId, quantity)).body
  const { label } = await until(returnId, (r) => r.label?.trackingNumber !== undefined && r.label.trackingNumber !== null, 'a label')
  await people.carrierSays(label!.trackingNumber!, 'in_transit')
  await until(returnId, (r) => r.money.refundMinor > 0, 'the refund')
  await counted(returnId, quantity, 'wrong_item')
  await until(returnId, (r) => r.status === 'closed', 'the end')
  return returnId
}

it('takes back at a counter, for nothing, what was paid when it was asked for and never came, and the case is settled', async () => {
  await policy({ restockBy: 'PT1S', closeAfter: 'PT1S', refundOn: 'request', mailLabels: false })
  const orderId = await delivered(1)
  const { returnId } = (await asked(orderId)).body
  await until(returnId, (r) => r.status === 'closed' && r.money.refundMinor === 2_490, 'the end')
  expect(await cases(orderId)).toMatchObject([{ status: 'open', data: { proposedChargeMinor: 2_490 } }])
  expect((await brought(orderId, [units(1)], '?preview=true')).body).toMatchObject({ money: { refundMinor: 0, feeMinor: 0 } })
  const at = await brought(orderId, [units(1)])
  expect(at).toMatchObject({ status: 201, body: { lines: [{ received: 1, paidBefore: 1 }], refunds: [] } })
  await until(at.body.returnId, (r) => r.status === 'closed', 'the end')
  expect(await people.order(orderId)).toMatchObject({ money: { refundedMinor: 2_490 }, lines: [{ returned: 1 }] })
  expect(await cases(orderId)).toMatchObject([{ status: 'resolved', resolution: 'it is back' }])
})

it('pays nothing for the goods that should have been in the parcel, by whatever return they come then, and pays the others', async () => {
  await policy({ refundOn: 'scan', feeMinor: 100 })
  const orderId = await delivered(2)
  await paidForSomethingElse(orderId, 1)
  await people.until(orderId, (o) => o.money.refundedMinor === 1_900, 'the refund')
  expect((await asked(orderId, 1, '?preview=true')).body).toMatchObject({ money: { refundMinor: 0, feeMinor: 0 } })
  expect((await asked(orderId, 2, '?preview=true')).body).toMatchObject({ money: { refundMinor: 2_390, feeMinor: -100 } })
  const { returnId } = (await asked(orderId)).body
  expect(await cases(orderId)).toMatchObject([{ status: 'open' }])
  await counted(returnId, 1)
  expect(await until(returnId, (r) => r.status === 'closed', 'the end')).toMatchObject({ refunds: [], money: { refundMinor: 0, feeMinor: 0 } })
  expect(await cases(orderId)).toMatchObject([{ status: 'resolved' }])
  expect((await brought(orderId, [units(1)], '?preview=true')).body).toMatchObject({ money: { refundMinor: 2_390 } })
  await brought(orderId, [units(1)])
  await people.until(orderId, (o) => o.money.refundedMinor === 4_290 && o.lines[0]!.returned === 2, 'the rest')
})

it('gives nobody money or other goods for units that were paid and did not come', async () => {
  await policy({ refundOn: 'scan' })
  const orderId = await delivered(2)
  await paidForSomethingElse(orderId, 1)
  const two = { lines: [{ lineId: '1', quantity: 2, reason: 'leaks' }] }
  expect((await people.support('POST', `/v1/orders/${orderId}/replacements`, { ...two, collectOld: 'none' })).body).toMatchObject({ code: 'return.quantity', open: 1 })
  expect((await people.claim(orderId, { lines: [{ lineId: '1', quantity: 2 }], remedy: 'refund', reason: 'leaks' })).body).toMatchObject({ code: 'return.quantity', open: 1 })
  expect((await people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund', reason: 'leaks' })).status).toBeLessThan(300)
  await people.until(orderId, (o) => o.money.refundedMinor === 4_490, 'the claim')
  expect((await people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund', reason: 'leaks' })).body).toMatchObject({ code: 'return.quantity', open: 0 })
})

it('proposes to charge what is still missing when some of what was paid before is back', async () => {
  await policy({ restockBy: 'PT1S', closeAfter: 'PT1S', refundOn: 'request', mailLabels: false })
  const orderId = await delivered(2)
  const { returnId } = (await asked(orderId, 2)).body
  await until(returnId, (r) => r.status === 'closed' && r.money.refundMinor === 4_490, 'the end')
  await brought(orderId, [units(1)])
  const [rest, first] = (await cases(orderId)).sort((a, b) => a.status.localeCompare(b.status))
  expect([first, rest]).toMatchObject([{ status: 'resolved', resolution: 'some of it is back' }, { status: 'open', data: { lines: [{ lineId: '1', quantity: 1 }], proposedChargeMinor: 2_490 } }])
  await brought(orderId, [units(1)])
  await people.until(orderId, (o) => o.lines[0]!.returned === 2 && o.money.refundedMinor === 4_490, 'the rest')
  expect((await cases(orderId)).map((c) => c.status)).toEqual(['resolved', 'resolved'])
})

it('pays at a counter for what is counted there as what was sent, not for what is announced', async () => {
  await policy({ refundOn: 'request', feeMinor: 100, mailLabels: false })
  const orderId = await delivered(2)
  const both = [units(1), units(1, 'wrong_item')]
  expect((await brought(orderId, both, '?preview=true')).body).toMatchObject({ money: { refundMinor: 1_900 } })
  await brought(orderId, both)
  await people.until(orderId, (o) => o.returns[0]?.status === 'closed' && o.money.refundedMinor === 1_900, 'the refund')
  expect(await cases(orderId)).toEqual([])
})

it('gives back of old goods what the new ones cost less only once, where that was given before they came and the new ones are cancelled then', async () => {
  await policy({ window: 'PT1S', refundOn: 'request', advance: { hold: true } })
  const orderId = await delivered(1)
  const other = await people.stocked({ 'dc-01': 1 })
  const wish = { lines: [{ lineId: '1', quantity: 1, sku: other, unitPriceMinor: 1_500, reason: 'too big' }], collectOld: 'mail', send: 'now' }
  const { returnId } = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, wish)).body
  await people.until(orderId, (o) => o.money.refundedMinor === 500, 'what it costs less')
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'none at all' })).status).toBe(200)
  await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ money: { capturedMinor: 2_490, refundedMinor: 2_490, owedMinor: 0 } })
  expect(await people.told(orderId)).not.toContain('refund.limited')
})
