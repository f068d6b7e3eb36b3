/** What comes back by mail, with a label of ours: bought, scanned, counted; lost, late, in part or not at all. */
import { applyCarrierFact } from '../../db/facts'
import { receiveFact } from '../../db/inbox'
import type { ReturnView } from '../../db/views/returns'
import type { ReturnsPolicy } from '../../domain/policy/kinds'
import { eventually, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf, parcels, steer } from '../support/outside'
import { readPdf } from '../support/pdf'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { care: { retryEvery: 'PT0.3S' } }, carriers: ['swiftparcel', 'hansepost', 'kestrel'] })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

/** Orders placed from now on live by it. */
async function policy(changes: Partial<ReturnsPolicy>): Promise<void> {
  const { body } = await people.operations<{ version: number }>('POST', '/v1/policies/returns', { window: 'PT60S', restockBy: 'PT60S', ...changes })
  expect((await people.operations('POST', `/v1/policies/returns/${body.version}/activate`, {})).status).toBe(200)
}

async function delivered(units: number, wish: OrderWish = {}): Promise<{ orderId: string; sku: string }> {
  const sku = await people.stocked({ 'store-mitte': units })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 2_000 }], ...wish })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  return { orderId, sku }
}

const asked = async (orderId: string, quantity: number): Promise<ReturnView> => (await people.shop<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity, reason: 'too big' }], method: 'mail' })).body
const decide = (returnId: string, decision: string): Promise<Answer<ReturnView>> => people.support<ReturnView>('POST', `/v1/returns/${returnId}/${decision}`, { reason: 'as agreed' })
const count = (returnId: string, grade = 'as_new'): Promise<Answer<ReturnView>> =>
  people.store('store-mitte')<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade, disposition: 'restock' }] })
const until = (returnId: string, enough: (back: ReturnView) => boolean, what?: string): Promise<ReturnView> =>
  eventually(async () => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body, enough, { what: what ?? `return ${returnId}` })
interface Case {
  kind: string
  status: string
  owner: string
  data: Record<string, unknown>
}
const cases = async (orderId: string): Promise<Case[]> => (await people.operations<{ items: Case[] }>('GET', `/v1/exceptions?status=all&limit=200&orderId=${orderId}`)).body.items
const opened = (orderId: string, kind: string): Promise<Case[]> => eventually(() => cases(orderId), (all) => all.some((e) => e.kind === kind), { what: kind })
const label = (returnId: string): Promise<Response> => fetch(`${system.url}/v1/returns/${returnId}/label.pdf`, { headers: { authorization: 'Bearer demo-channel-web' } })

it('gives a label of the cheapest carrier that sells some, and follows the parcel until it is counted', async () => {
  await policy({})
  const { orderId } = await delivered(1)
  const { returnId, label: bought } = await asked(orderId, 1)
  expect(bought).toMatchObject({ status: 'ready', carrier: 'hansepost', service: 'standard', nodeId: 'store-mitte', parcelStatus: 'label_created' })
  const trackingNumber = bought!.trackingNumber!
  const paper = await label(returnId)
  expect([paper.status, paper.headers.get('content-type')]).toEqual([200, 'application/pdf'])
  const [page] = readPdf(Buffer.from(await paper.arrayBuffer()))
  expect(page!.text.join(' ')).toContain('Street 1')
  expect((await parcels(system)).find((p) => p.trackingNumber === trackingNumber)).toMatchObject({ isReturn: true, voided: false })
  await people.carrierSays(trackingNumber, 'in_transit', { duplicate: true })
  await until(returnId, (r) => r.status === 'in_transit')
  expect((await decide(returnId, 'cancel')).body).toMatchObject({ code: 'return.state', state: 'in_transit' })
  await people.carrierSays(trackingNumber, 'delivered')
  await until(returnId, (r) => r.label!.parcelStatus === 'delivered')
  expect((await people.order(orderId)).money.refundedMinor).toBe(0)
  expect(await (await label(returnId)).json()).toMatchObject({ code: 'return.no_label' })
  await count(returnId)
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490 && o.returns[0]!.status === 'closed')
  const told = await people.told(orderId)
  expect(told.filter((type) => type.startsWith('return.'))).toEqual(['return.requested', 'return.labelled', 'return.in_transit', 'return.arrived', 'return.received', 'return.closed'])
  expect((await people.support<{ items: object[] }>('GET', `/v1/orders?q=${trackingNumber}`)).body.items).toMatchObject([{ orderId }])
})

it('gives the money back on the first scan where the policy says so, once, and proposes a charge for an empty box', async () => {
  await policy({ refundOn: 'scan' })
  const { orderId } = await delivered(2)
  const { returnId, label: bought } = await asked(orderId, 2)
  await people.carrierSays(bought!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.money.refundedMinor === 4_490)
  await count(returnId)
  await count(returnId, 'empty_box')
  await until(returnId, (r) => r.status === 'closed')
  expect(await cases(orderId)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'return.disputed', status: 'open', owner: 'support' }),
      expect.objectContaining({ kind: 'return.paid_not_back', status: 'open', owner: 'finance', data: expect.objectContaining({ proposedChargeMinor: 2_490, givenMinor: 4_490, lines: [{ lineId: '1', quantity: 1 }] }) }),
    ]),
  )
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 4_490 }])
})

it('gives the money back though the order has closed before it hears of the scan', async () => {
  await policy({ refundOn: 'scan', window: 'PT3S' })
  const { orderId } = await delivered(1)
  const { returnId, label: bought } = await asked(orderId, 1)
  const fact = { source: `carrier:${bought!.carrier}`, eventId: `late-${returnId}`, kind: 'carrier', subject: bought!.trackingNumber!, payload: { status: 'in_transit', at: new Date().toISOString() } }
  const held = (until: string | null): Promise<number> => system.db('inbound_events').where({ event_id: fact.eventId }).update({ leased_until: until })
  await system.db.transaction(async (tx) => {
    await receiveFact(tx, fact)
    await tx('inbound_events').where({ event_id: fact.eventId }).update({ leased_until: '2999-01-01T00:00:00Z' })
  })
  await applyCarrierFact(system.db, fact) // the rows have it, and the order is not told yet
  await count(returnId)
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect((await people.order(orderId)).money.refundedMinor).toBe(0)
  await held(null)
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490 && !o.workflowOpen, 'the money')
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 2_490 }])
})

it('pays the customer for what the carrier loses on its way back, writes it off and asks the carrier', async () => {
  await policy({})
  const { orderId, sku } = await delivered(1)
  const { returnId, label: bought } = await asked(orderId, 1)
  await people.carrierSays(bought!.trackingNumber!, 'in_transit')
  await people.carrierSays(bought!.trackingNumber!, 'lost', { duplicate: true })
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490 && o.returns[0]!.status === 'closed')
  expect(await until(returnId, (r) => r.receipts.length === 1)).toMatchObject({ receipts: [{ disposition: 'write_off', actor: 'carrier:hansepost' }] })
  const claims = async (): Promise<{ trackingNumber: string; amountMinor: number }[]> => ((await (await fetch(`${system.carriers.url}/control/books`)).json()) as { claims: { trackingNumber: string; amountMinor: number }[] }).claims
  expect((await eventually(claims, (all) => all.some((c) => c.trackingNumber === bought!.trackingNumber))).filter((c) => c.trackingNumber === bought!.trackingNumber)).toMatchObject([{ amountMinor: 2_000 }])
  const levels = (await people.operations<{ items: { onHand: number; unsellable: number }[] }>('GET', `/v1/inventory?sku=${sku}&nodeId=store-mitte`)).body.items
  expect(levels).toMatchObject([{ onHand: 0 }])
  await people.carrierSays(bought!.trackingNumber!, 'delivered')
  await opened(orderId, 'return.not_expected')
})

it('leaves what is lost to support where the policy says so', async () => {
  await policy({ whenLost: 'ask' })
  const { orderId } = await delivered(1)
  const { returnId, label: bought } = await asked(orderId, 1)
  await people.carrierSays(bought!.trackingNumber!, 'lost')
  await opened(orderId, 'return.lost')
  expect((await people.order(orderId)).money.refundedMinor).toBe(0)
  await decide(returnId, 'close')
  expect(await cases(orderId)).toMatchObject([{ kind: 'return.lost', status: 'resolved' }])
})

it('gives an unused label back when the time is over; a reminded customer gets more time and another', async () => {
  await policy({ restockBy: 'PT1S', remindFor: 'PT60S' })
  const { orderId } = await delivered(1)
  const { returnId, label: first } = await asked(orderId, 1)
  await opened(orderId, 'return.overdue')
  await until(returnId, (r) => r.label!.status === 'given_back')
  expect((await parcels(system)).find((p) => p.trackingNumber === first!.trackingNumber)).toMatchObject({ voided: true })
  expect(await decide(returnId, 'remind')).toMatchObject({ status: 200, body: { status: 'approved' } })
  const again = await until(returnId, (r) => r.label!.status === 'ready')
  expect(again.label!.trackingNumber).not.toBe(first!.trackingNumber)
  expect(Date.parse(again.waitingOn!.deadline!) - Date.now()).toBeGreaterThan(30_000)
  expect(await cases(orderId)).toMatchObject([{ kind: 'return.overdue', status: 'resolved' }])
  expect(await decide(returnId, 'cancel')).toMatchObject({ status: 200 })
  await until(returnId, (r) => r.label!.status === 'given_back')
})

it('waits for the rest of a partial receipt, and closes short when somebody says so', async () => {
  await policy({ restockBy: 'PT1.5S' })
  const { orderId } = await delivered(2)
  const { returnId } = await asked(orderId, 2)
  await count(returnId)
  await people.until(orderId, (o) => o.money.refundedMinor === 2_000)
  await opened(orderId, 'return.overdue')
  expect(await decide(returnId, 'close')).toMatchObject({ status: 200, body: { status: 'closed', lines: [{ quantity: 2, received: 1 }], allowedActions: [] } })
  expect((await decide(returnId, 'close')).body).toMatchObject({ code: 'return.state', state: 'closed' })
  expect(await cases(orderId)).toMatchObject([{ kind: 'return.overdue', status: 'resolved' }])
  expect(await people.order(orderId)).toMatchObject({ money: { refundedMinor: 2_000 } })
})

it('tells finance what could be charged when the money was given at once and nothing comes', async () => {
  await policy({ refundOn: 'request', restockBy: 'PT1S', feeMinor: 300 })
  const { orderId } = await delivered(1)
  await asked(orderId, 1)
  await people.until(orderId, (o) => o.money.refundedMinor === 2_190)
  const all = await opened(orderId, 'return.paid_not_back')
  expect(all.find((e) => e.kind === 'return.paid_not_back')).toMatchObject({ owner: 'finance', data: { proposedChargeMinor: 2_190 } })
})

it('tells operations when a parcel has come and nobody counts it', async () => {
  await policy({ countWithin: 'PT0.5S' })
  const { orderId } = await delivered(1)
  const { returnId, label: bought } = await asked(orderId, 1)
  await people.carrierSays(bought!.trackingNumber!, 'delivered')
  await opened(orderId, 'return.not_counted')
  await count(returnId)
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed')
  expect(await cases(orderId)).toMatchObject([{ kind: 'return.not_counted', status: 'resolved' }])
})

it('tells support again when a parcel that was late is seen once more and then never', async () => {
  await policy({ restockBy: 'PT1S', remindFor: 'PT1S' })
  const { orderId } = await delivered(1)
  const { returnId, label: bought } = await asked(orderId, 1)
  await people.carrierSays(bought!.trackingNumber!, 'in_transit')
  await opened(orderId, 'return.overdue')
  await people.carrierSays(bought!.trackingNumber!, 'out_for_delivery')
  const told = await eventually(() => cases(orderId), (all) => all.length === 2 && all.some((e) => e.status === 'open'), { what: 'the case again' })
  expect(told.map((e) => [e.kind, e.status])).toEqual(expect.arrayContaining([['return.overdue', 'resolved'], ['return.overdue', 'open']]))
  await count(returnId)
  await until(returnId, (r) => r.status === 'closed')
})

it('tells operations again when only some of what the parcel brought is counted, and not the rest in time', async () => {
  await policy({ countWithin: 'PT0.5S' })
  const { orderId } = await delivered(2)
  const { returnId, label: bought } = await asked(orderId, 2)
  await people.carrierSays(bought!.trackingNumber!, 'delivered')
  await opened(orderId, 'return.not_counted')
  await count(returnId)
  const told = await eventually(() => cases(orderId), (all) => all.length === 2 && all.some((e) => e.status === 'open'), { what: 'the case again' })
  expect(told.map((e) => [e.kind, e.status])).toEqual(expect.arrayContaining([['return.not_counted', 'resolved'], ['return.not_counted', 'open']]))
  expect(await people.order(orderId)).toMatchObject({ money: { refundedMinor: 2_000 }, returns: [{ status: 'in_transit' }] })
  await count(returnId, 'empty_box')
  await until(returnId, (r) => r.status === 'closed')
  expect((await cases(orderId)).filter((e) => e.kind === 'return.not_counted' && e.status === 'open')).toEqual([])
})

it.each([
  ['is lost', { kind: 'timeout_after_effect', delayMs: 2_500 }],
  ['is an error of the carrier', { kind: 'error_500' }],
])('buys one label when the answer %s', async (_how, fault) => {
  await policy({})
  const { orderId } = await delivered(1)
  await steer(system.carriers.url, '/control/faults', { next: 1, operation: 'label', carrier: 'hansepost', ...fault })
  const { returnId } = await asked(orderId, 1)
  const { label: bought } = await until(returnId, (r) => r.label?.status === 'ready')
  const operations = (await system.db.raw<{ rows: { id: string }[] }>('SELECT operation_id AS id FROM return_labels WHERE return_id = ?', [returnId])).rows.map((r) => r.id)
  expect((await parcels(system)).filter((p) => operations.includes(p.reference)).map((p) => p.trackingNumber)).toEqual([bought!.trackingNumber])
})

it('goes without a label where no carrier sells one, and says so in the answer', async () => {
  await policy({})
  const sku = await people.stocked({ 'store-mitte': 2 })
  await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 20_000 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }] })
  const work = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!
  await people.pickAll(work)
  const box = { weightGrams: 20_500, lines: [{ lineId: '1', quantity: 1 }] }
  const packed = await people.work(work, 'pack', { packages: [box, box] })
  await people.handOver(work)
  for (const { trackingNumber } of packed.body.packages) await people.carrierSays(trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.lines[0]!.delivered === 2)
  const back = await asked(orderId, 2)
  expect(back).toMatchObject({ status: 'approved', label: null, noLabel: { code: 'no_carrier' } })
  expect(await (await label(back.returnId)).json()).toMatchObject({ code: 'return.no_label', status: 409 })
})
