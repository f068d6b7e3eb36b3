/** The exchange at the door: the driver brings the new pair and takes the old one along; and every other way that can end. */
import type { RunView } from '../../db/views/runs'
import type { ReturnView } from '../../db/views/returns'
import { orderWorkflowId } from '../../domain/ids'
import { caller, eventually, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let driver: Call
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT2S', restockBy: 'PT40S' }, last_mile: { waveSize: 50, nextAttemptAfter: 'PT0.1S' }, parcels: { returned: 'refund', damaged: 'refund' } } })
  people = peopleOf(system)
  driver = caller(system.url, 'demo-courier-driver-mark')
  await people.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte', 'dc-01'], shift: {}, vehicle: {} })
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const drive = (run: RunView, action: string, body: object = {}): Promise<Answer<RunView>> => driver<RunView>('POST', `/v1/runs/${run.runId}/${action}`, body)

/** A run from a node with everything that waits there; the driver has left. */
async function underWay(nodeId: string): Promise<RunView> {
  const planned = await eventually(() => people.operations<RunView>('POST', `/v1/nodes/${nodeId}/runs`, { driverId: 'driver-mark' }), (answer) => answer.status === 201, { what: 'a run' })
  await drive(planned.body, 'accept')
  return (await drive(planned.body, 'depart')).body
}

/** What the driver says at the only door, by type of task. */
const ring = (run: RunView, outcomes: { deliver: string; collect?: string }): Promise<Answer<RunView>> =>
  drive(run, `stops/${run.stops[0]!.stopId}/complete`, { tasks: run.stops[0]!.tasks.map((t) => ({ taskId: t.taskId, outcome: t.type === 'deliver' ? outcomes.deliver : outcomes.collect, proof: { name: 'Customer' } })) })

async function pack(orderId: string): Promise<void> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'work')
  const work = fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  expect((await people.packAll(work)).status).toBe(200)
}

/** Delivered from the store by an own driver. */
async function delivered(old: string, quantity = 1): Promise<string> {
  const orderId = await people.place({ lines: [{ sku: old, quantity, unitPriceMinor: 8_900 }], delivery: { method: 'delivery', service: 'own_driver' } })
  await pack(orderId)
  const first = await underWay('store-mitte')
  await ring(first, { deliver: 'done' })
  await drive(first, 'return')
  await people.until(orderId, (o) => o.lines[0]!.delivered === quantity && o.money.capturedMinor === quantity * 8_900 + 490)
  return orderId
}

async function exchange(orderId: string, sku: string, { collectOld = 'at_door', ...price }: { collectOld?: string; unitPriceMinor?: number } = {}): Promise<string> {
  const asked = await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku, reason: 'too big', ...price }], collectOld })
  expect(asked.status).toBe(201)
  return asked.body.returnId
}

/** Another size is to come from the warehouse. */
async function tooBig(price: { unitPriceMinor?: number } = {}): Promise<{ orderId: string; returnId: string; old: string; new_: string }> {
  const [old, new_] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await delivered(old)
  const returnId = await exchange(orderId, new_, price)
  await pack(orderId)
  return { orderId, returnId, old, new_ }
}
const count = (returnId: string, nodeId = 'dc-01'): Promise<Answer<ReturnView>> =>
  people.operations<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId, lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
const onHand = async (sku: string, nodeId: string): Promise<number | undefined> =>
  (await people.operations<{ items: { nodeId: string; onHand: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items.find((l) => l.nodeId === nodeId)?.onHand
const exceptions = async (orderId: string): Promise<string[]> =>
  (await people.operations<{ items: { orderId: string; kind: string }[] }>('GET', '/v1/exceptions?limit=200')).body.items.filter((e) => e.orderId === orderId).map((e) => e.kind)

it('brings the new pair and takes the old one along, at one stop of one run, and no money moves', async () => {
  const { orderId, returnId, old, new_ } = await tooBig()
  const run = await underWay('dc-01')
  expect(run.stops).toMatchObject([{ orderId, tasks: expect.arrayContaining([expect.objectContaining({ type: 'deliver', goods: [{ sku: new_, name: new_, quantity: 1 }] }), expect.objectContaining({ type: 'collect', returnId, goods: [{ sku: old, name: old, quantity: 1 }] })]) }])
  expect(await ring(run, { deliver: 'done', collect: 'done' })).toMatchObject({ status: 200 })
  expect((await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body).toMatchObject({ status: 'collected', allowedActions: ['receive'] })
  await drive(run, 'return')
  await count(returnId)
  const closed = await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(closed).toMatchObject({ status: 'completed', lines: [{ returned: 1, credited: 0 }, { sku: new_, delivered: 1, replaces: '1' }], returns: [{ status: 'closed' }], money: { capturedMinor: 9_390, refundedMinor: 0, owedMinor: 0 } })
  expect(await onHand(old, 'dc-01')).toBe(1)
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['replacement.requested', 'shipment.delivered', 'return.collected', 'return.received', 'return.closed']))
  const history = await system.client.workflow.getHandle(orderWorkflowId('web', closed.channelOrderId)).fetchHistory()
  expect(history.events!.length).toBeLessThanOrEqual(160)
})

it('takes what a dearer pair costs more when the driver leaves with it, and gives back what a cheaper one costs less once the old one is counted', async () => {
  for (const [unitPriceMinor, capturedMinor, refundedMinor] of [[9_900, 10_390, 0], [8_000, 9_390, 900]] as const) {
    const { orderId, returnId } = await tooBig({ unitPriceMinor })
    const run = await underWay('dc-01')
    await people.until(orderId, (o) => o.money.capturedMinor === capturedMinor, 'the capture')
    await ring(run, { deliver: 'done', collect: 'done' })
    await drive(run, 'return')
    await count(returnId)
    expect(await people.until(orderId, (o) => !o.workflowOpen && o.money.refundedMinor === refundedMinor, 'the end')).toMatchObject({ money: { capturedMinor, owedMinor: 0 } })
  }
})

it('takes along with each new pair the old one that it is for, where two of one line are exchanged and one waits for stock', async () => {
  const [old, new_, later] = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'dc-01': 1 }), await people.stocked({})]
  const orderId = await delivered(old, 2)
  const [first, second] = [await exchange(orderId, new_), await exchange(orderId, later)]
  for (const [returnId, sku] of [[first, new_], [second, later]] as const) {
    if (sku === later) await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'delivered' })
    await pack(orderId)
    const run = await underWay('dc-01')
    expect(run.stops.flatMap((s) => s.tasks).map((t) => [t.type, t.returnId ?? t.goods[0]!.sku]).sort()).toEqual([['collect', returnId], ['deliver', sku]])
    await ring(run, { deliver: 'done', collect: 'done' })
    await drive(run, 'return')
    await count(returnId)
  }
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', lines: [{ returned: 2 }, { delivered: 1 }, { delivered: 1 }], money: { refundedMinor: 0, owedMinor: 0 } })
})

it('takes the old one along also where no exchange says what it is for, as in orders from before those were written down', async () => {
  const [old, new_] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await delivered(old)
  const returnId = await exchange(orderId, new_)
  await system.db('exchanges').where({ order_id: orderId }).delete()
  await pack(orderId)
  const run = await underWay('dc-01')
  expect(run.stops[0]!.tasks.find((t) => t.type === 'collect')).toMatchObject({ returnId })
  await ring(run, { deliver: 'done', collect: 'done' })
  await drive(run, 'return')
  await count(returnId)
})

it('leaves the old pair with a customer who does not have it at hand, tells support, and counts it when she brings it', async () => {
  const { orderId, returnId, old } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'done', collect: 'failed' })
  await drive(run, 'return')
  await people.until(orderId, (o) => o.lines[1]!.delivered === 1)
  expect(await exceptions(orderId)).toContain('return.not_collected')
  expect(await people.order(orderId)).toMatchObject({ returns: [{ status: 'approved' }], waitingOn: { what: 'return' } })
  await count(returnId, 'store-mitte')
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(await onHand(old, 'store-mitte')).toBe(1)
})

it('tries both again when nobody is in', async () => {
  const { orderId, returnId } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'failed', collect: 'failed' })
  await drive(run, 'return')
  const again = await underWay('dc-01')
  expect(again.stops[0]!.tasks.map((t) => t.type).sort()).toEqual(['collect', 'deliver'])
  await ring(again, { deliver: 'done', collect: 'damaged' })
  await drive(again, 'return')
  await count(returnId)
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(await exceptions(orderId)).toEqual([])
})

it('takes the old pair along where nobody takes the new one, and brings that again', async () => {
  const { orderId, returnId, old, new_ } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'failed', collect: 'done' })
  expect(await people.order(orderId)).toMatchObject({ returns: [{ status: 'collected' }], lines: [{}, { delivered: 0 }] })
  await drive(run, 'return')
  await count(returnId)
  const again = await underWay('dc-01')
  expect(again.stops).toMatchObject([{ orderId, tasks: [{ type: 'deliver' }] }])
  await ring(again, { deliver: 'done' })
  await drive(again, 'return')
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', lines: [{ returned: 1 }, { delivered: 1 }], money: { capturedMinor: 9_390, refundedMinor: 0, owedMinor: 0 } })
  expect([await onHand(old, 'dc-01'), await onHand(new_, 'dc-01')]).toEqual([1, 0])
})

it('leaves with her what is not the old pair, and tells support', async () => {
  const { orderId, returnId, old } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'done', collect: 'wrong_item' })
  await drive(run, 'return')
  await people.until(orderId, (o) => o.lines[1]!.delivered === 1)
  expect(await exceptions(orderId)).toContain('return.not_collected')
  expect(await people.order(orderId)).toMatchObject({ returns: [{ status: 'approved' }], money: { refundedMinor: 0 } })
  await count(returnId, 'store-mitte')
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(await onHand(old, 'store-mitte')).toBe(1)
})

it.each([
  ['is another thing', 'wrong_item', 1],
  ['is damaged', 'damaged', 0],
])('gives the money back when the new pair %s and the old one is taken along', async (_, deliver, onTheShelf) => {
  const { orderId, returnId, old, new_ } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver, collect: 'done' })
  await drive(run, 'return')
  await count(returnId)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ money: { capturedMinor: 9_390, refundedMinor: 9_390, owedMinor: 0 } })
  expect([await onHand(old, 'dc-01'), await onHand(new_, 'dc-01')]).toEqual([1, onTheShelf])
})

it('gives the money back when she hands over the old pair and does not want the new one', async () => {
  const { orderId, returnId, new_ } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'refused', collect: 'done' })
  await drive(run, 'return')
  await count(returnId)
  const closed = await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(closed).toMatchObject({ money: { refundedMinor: 9_390, owedMinor: 0 } })
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 9_390, refundedMinor: 9_390 }])
  expect(await onHand(new_, 'dc-01')).toBe(1)
})

it('lets a customer who refuses the new pair keep the old one', async () => {
  const { orderId, returnId, new_ } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'refused', collect: 'refused' })
  await drive(run, 'return')
  expect(await exceptions(orderId)).toContain('return.not_collected')
  await people.support('POST', `/v1/returns/${returnId}/cancel`, {})
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ returns: [{ status: 'cancelled' }], money: { refundedMinor: 0, owedMinor: 0 } })
  expect(await onHand(new_, 'dc-01')).toBe(1)
})

it('is not given up while the new pair is on its way, and can be once that is cancelled', async () => {
  const { orderId, returnId } = await tooBig()
  expect((await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body.allowedActions).not.toContain('cancel')
  expect((await people.shop('POST', `/v1/returns/${returnId}/cancel`, {})).body).toMatchObject({ code: 'return.state', detail: 'Others are sent for these goods: cancel those first' })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'she keeps the old one' })).status).toBe(200)
  expect((await people.shop('POST', `/v1/returns/${returnId}/cancel`, {})).body).toMatchObject({ status: 'cancelled' })
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ money: { capturedMinor: 9_390, refundedMinor: 0, owedMinor: 0 } })
})

it('writes off what a driver took and did not bring back', async () => {
  const { orderId, returnId, old } = await tooBig()
  const run = await underWay('dc-01')
  await ring(run, { deliver: 'done', collect: 'done' })
  await drive(run, 'return', { missing: [returnId] })
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect((await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body).toMatchObject({ status: 'closed', receipts: [{ disposition: 'write_off', nodeId: 'dc-01' }] })
  expect(await onHand(old, 'dc-01')).toBe(0)
  expect((await people.operations<{ items: object[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items).toMatchObject([{ kind: 'return.lost_on_run', subject: returnId, status: 'open' }])
})

it('takes nothing along where a carrier brings the parcels, and says what can be done instead', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  await pack(orderId)
  const [work] = (await people.order(orderId)).fulfillments
  await people.handOver(work!)
  await people.carrierSays((await people.order(orderId)).shipments[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.lines[0]!.delivered === 1)
  const asked = await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], collectOld: 'at_door' })
  expect(asked).toMatchObject({ status: 409, body: { code: 'return.no_driver', instead: ['mail', 'store', 'none'] } })
})

it('pays back what was sent in when its replacement cannot be had any more', async () => {
  const [old, none] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({})]
  const orderId = await delivered(old)
  const returnId = await exchange(orderId, none, { collectOld: 'store' })
  await count(returnId, 'store-mitte')
  await people.until(orderId, (o) => o.waitingOn?.what === 'stock', 'the other size')
  const given = { letGoMinor: 0, refundMinor: 9_390, countedMinor: 0, owedMinor: 0 }
  expect(await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'removeLine', lineId: 'r1-1' }] })).toMatchObject({ status: 201, body: { deltaMinor: 0, ...given } })
  const giveUp = { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'not to be had' }
  expect((await people.support<{ money: object }>('POST', `/v1/orders/${orderId}/cancel?preview=true`, giveUp)).body.money).toMatchObject({ cancelledMinor: 0, ...given })
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, giveUp)).toMatchObject({ status: 200 })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 9_390, 'the money')).toMatchObject({ money: { owedMinor: 0 }, lines: [{ credited: 1 }, { cancelled: 1 }] })
})
