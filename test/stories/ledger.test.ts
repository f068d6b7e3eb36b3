/** Where the money of an order went: every cent in the double-entry ledger, with its reason. */
import { caller, orderOf, peopleOf, type FulfillmentWork, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT10S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Entry {
  journalId: string
  account: string
  amountMinor: number
  currency: string
  at: string
  cause: string
}
const ledgerOf = async (orderId: string, key = 'demo-finance'): Promise<Entry[]> => {
  const answer = await caller(system.url, key)<{ entries: Entry[] }>('GET', `/v1/orders/${orderId}/ledger`)
  expect(answer.status).toBe(200)
  const journals = new Map<string, number>()
  for (const { journalId, amountMinor } of answer.body.entries) journals.set(journalId, (journals.get(journalId) ?? 0) + amountMinor)
  expect([...journals.values()].every((sum) => sum === 0)).toBe(true)
  return answer.body.entries
}
const balances = (entries: Entry[]): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const { account, amountMinor } of entries) sums[account] = (sums[account] ?? 0) + amountMinor
  return sums
}

async function sendOut(work: FulfillmentWork): Promise<string> {
  await people.pickAll(work)
  const packed = await people.packAll(work)
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  return packed.body.packages[0]!.trackingNumber!
}

it('posts a sale as each part leaves, in goods, discount, tax and shipping, and its payment as the provider takes it', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 2 })]
  const document = orderOf({ lines: [{ sku: here, quantity: 1, unitPriceMinor: 3_000 }, { sku: there, quantity: 2, unitPriceMinor: 1_000 }] })
  const lines = document.lines as object[]
  // 19 % in the price: 3000 − 500 = 2500 with 399 tax; 2000 − 1 = 1999 with 319; shipping 490 with 78.
  Object.assign(lines[0]!, { discountMinor: 500, taxMinor: 399 })
  Object.assign(lines[1]!, { discountMinor: 1, taxMinor: 319 })
  const totalMinor = 2_500 + 1_999 + 490
  const order = { ...document, shipping: { priceMinor: 490, taxMinor: 78 }, totalMinor, tenders: [{ ...(document.tenders as object[])[0], amountMinor: totalMinor }] }
  const { orderId } = (await people.shop<{ orderId: string }>('POST', '/v1/orders', order)).body
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(await ledgerOf(orderId)).toEqual([])
  const [first, second] = ['store-mitte', 'store-kreuzberg'].map((nodeId) => sourced.fulfillments.find((f) => f.nodeId === nodeId)!)
  const sent = [await sendOut(first!)]
  const half = await people.until(orderId, (o) => o.money.capturedMinor === 2_990 && o.money.authorizedMinor === totalMinor)
  expect(balances(await ledgerOf(orderId))).toEqual({ receivable: 0, 'provider_clearing:stripe': 2_990, revenue: -(3_000 - 399), discount: 500, tax: -(399 + 78), shipping: -(490 - 78) })
  expect(half.money.owedMinor).toBeGreaterThanOrEqual(0)
  sent.push(await sendOut(second!))
  for (const trackingNumber of sent) await people.carrierSays(trackingNumber, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen)
  const entries = await ledgerOf(orderId)
  expect(balances(entries)).toEqual({ receivable: 0, 'provider_clearing:stripe': totalMinor, revenue: -(5_000 - 399 - 319), discount: 501, tax: -(399 + 319 + 78), shipping: -(490 - 78) })
  expect(entries.find((e) => e.account === 'tax' && e.journalId === `sale:${second!.fulfillmentId}`)).toMatchObject({ amountMinor: -319, currency: 'EUR', cause: `Tax on goods and shipping: 2 × ${there} left store-kreuzberg` })
  expect(entries.map((e) => e.account)).toContain('receivable')
  expect(new Set(entries.map((e) => e.journalId)).size).toBe(4)
})

it('owes the money of an order that the channel was paid for to nobody but the channel, and only once the goods have left', async () => {
  const sku = await people.stocked({ 'dc-01': 1 })
  const orderId = await people.place({ paidElsewhere: true, lines: [{ sku, quantity: 1 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(await ledgerOf(orderId)).toEqual([])
  await people.carrierSays(await sendOut(fulfillments[0]!), 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen)
  expect(balances(await ledgerOf(orderId))).toEqual({ elsewhere: 1_490, revenue: -1_000, shipping: -490 })
})

it('posts nothing for an order that is cancelled before anything left', async () => {
  const orderId = await people.place()
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  await people.until(orderId, (o) => !o.workflowOpen)
  expect(await ledgerOf(orderId)).toEqual([])
})

it('posts what is given back at the provider, each time it is more, and not twice when it is told twice', async () => {
  const sku = await people.stocked({ 'dc-01': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await sendOut(fulfillments[0]!)
  const { payments } = await people.until(orderId, (o) => o.paymentStatus === 'captured')
  await tellProvider({ duplicate: true, shuffle: true })
  for (const amount of [300, 200]) await giveBack(payments[0]!.reference!, amount)
  await people.until(orderId, (o) => o.money.refundedMinor === 500)
  expect(balances(await ledgerOf(orderId))).toEqual({ receivable: 0, 'provider_clearing:stripe': 990, revenue: -1_000, shipping: -490, refund: 500 })
  await tellProvider({})
})

const tellProvider = (body: object): Promise<Response> =>
  fetch(`${system.payments.url}/control/webhooks`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** Somebody gives money back by hand, in the provider's own screens. */
async function giveBack(reference: string, amountMinor: number): Promise<void> {
  const headers = { authorization: 'Bearer sk_test_system', 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await fetch(`${system.payments.url}/v1/refunds`, { method: 'POST', headers, body: `payment_intent=${reference}&amount=${amountMinor}` })
  expect(answer.status).toBe(200)
}

it('shows the ledger to those who work on orders and money, and to nobody else', async () => {
  const orderId = await people.place()
  for (const key of ['demo-support', 'demo-operations', 'demo-finance', 'demo-admin']) await ledgerOf(orderId, key)
  expect(await people.shop('GET', `/v1/orders/${orderId}/ledger`)).toMatchObject({ status: 403, body: { code: 'auth.role' } })
  expect(await people.support('GET', '/v1/orders/00000000-0000-7000-8000-000000000000/ledger')).toMatchObject({ status: 404, body: { code: 'order.unknown' } })
})
