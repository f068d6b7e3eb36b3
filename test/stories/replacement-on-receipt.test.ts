/** What is sent in place of others once those are back leaves for what is back of them, in one go: when all are counted, when the rest does not come in time, or when a person says that it will not. */
import type { OrderView } from '../../db/views/orders'
import type { ReturnView } from '../../db/views/returns'
import { peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const start = async (restockBy: string): Promise<void> => {
  system = await startSystem({ policies: { returns: { window: 'PT3S', restockBy } } })
  people = peopleOf(system)
}
const stop = async (): Promise<void> => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
}

async function sendOff(orderId: string): Promise<void> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'a work order')
  const work = fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  const packed = await people.packAll(work)
  expect((await people.handOver(work)).status).toBe(200)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
}

/** Two delivered at 5,000 each, both to be replaced by others once they are back. */
async function exchanged(line: object = {}, units = 2): Promise<{ orderId: string; returnId: string; sku: string }> {
  const [old, sku] = [await people.stocked({ 'store-mitte': units }), await people.stocked({ 'dc-01': units })]
  const orderId = await people.place({ lines: [{ sku: old, quantity: units, unitPriceMinor: 5_000 }] })
  await sendOff(orderId)
  await people.until(orderId, (o) => o.lines[0]!.delivered === units && o.money.capturedMinor === units * 5_000 + 490, 'delivery')
  const asked = await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: units, sku, reason: 'too big', ...line }], collectOld: 'store', send: 'on_receipt' })
  expect(asked.status).toBe(201)
  return { orderId, returnId: asked.body.returnId, sku }
}
const receive = async (returnId: string, quantity: number, grade = 'as_new'): Promise<void> => {
  const counted = await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity, grade, disposition: 'restock' }] })
  expect(counted.status).toBe(200)
}
const sent = ({ lines }: OrderView): [string, number, number][] => lines.filter((l) => l.replaces !== null).map((l) => [l.lineId, l.quantity, l.shipped])
const close = (returnId: string): Promise<Answer> => people.support('POST', `/v1/returns/${returnId}/close`, {})
const over = (orderId: string): Promise<OrderView> => people.until(orderId, (o) => !o.workflowOpen && o.money.owedMinor === 0, 'the end')

describe('with time enough', () => {
  beforeAll(() => start('PT60S'))
  afterAll(stop)

  it('waits until all of them are counted', async () => {
    const { orderId, returnId } = await exchanged({}, 3)
    await receive(returnId, 1)
    expect(sent(await people.order(orderId))).toEqual([])
    await receive(returnId, 2)
    await sendOff(orderId)
    expect(sent(await over(orderId))).toEqual([['r1-1', 3, 3]])
  })

  it('leaves out what came back as something else', async () => {
    const { orderId, returnId } = await exchanged()
    await receive(returnId, 1, 'wrong_item')
    await receive(returnId, 1)
    await sendOff(orderId)
    expect(sent(await over(orderId))).toEqual([['r1-1', 1, 1]])
  })

  it('sends nothing where nothing of it came back, and takes nothing for it', async () => {
    const { orderId, returnId } = await exchanged({ unitPriceMinor: 5_300 })
    await receive(returnId, 2, 'empty_box')
    const order = await over(orderId)
    expect(sent(order)).toEqual([])
    expect(order).toMatchObject({ totalMinor: 10_490, money: { capturedMinor: 10_490, refundedMinor: 0 } })
  })

  it.each([
    ['costs more, and that is taken for one', 5_300, 10_790, 0],
    ['costs less, and that is given back for one', 4_800, 10_490, 200],
  ])('leaves for one of two when a person says that the other will not come: what %s', async (_what, unitPriceMinor, capturedMinor, refundedMinor) => {
    const { orderId, returnId } = await exchanged({ unitPriceMinor })
    await receive(returnId, 1)
    expect((await close(returnId)).body).toMatchObject({ status: 'closed' })
    await sendOff(orderId)
    const order = await over(orderId)
    expect(sent(order)).toEqual([['r1-1', 1, 1]])
    expect(order.money).toMatchObject({ capturedMinor, refundedMinor })
    // The other is still hers to send back.
    const again = await people.support<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'that one too' }], method: 'store' })
    await receive(again.body.returnId, 1)
    expect((await over(orderId)).money).toMatchObject({ capturedMinor, refundedMinor: refundedMinor + 5_000 })
    expect(await people.support('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'and another' }], method: 'store' })).toMatchObject({ status: 409, body: { code: 'return.quantity', open: 0 } })
  })
})

describe('when its time is over', () => {
  beforeAll(() => start('PT1.5S'))
  afterAll(stop)

  it('leaves for what is there, and gives back the money for what comes after all', async () => {
    const { orderId, returnId } = await exchanged()
    await receive(returnId, 1)
    const late = await people.until(orderId, (o) => sent(o).length > 0, 'its time to be over')
    expect(sent(late)).toEqual([['r1-1', 1, 0]])
    const cases = async (): Promise<object[]> => (await people.support<{ items: object[] }>('GET', `/v1/exceptions?status=all&kind=return.overdue&orderId=${orderId}`)).body.items
    expect(await cases()).toMatchObject([{ status: 'open' }])
    await sendOff(orderId)
    await receive(returnId, 1)
    expect((await over(orderId)).money).toMatchObject({ capturedMinor: 10_490, refundedMinor: 5_000 })
    expect(await cases()).toMatchObject([{ status: 'resolved' }])
  })
})
