/** A worker is killed while the bank is asked for the difference of a change: another one goes on, the difference is held once, and the order is changed once. */
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { peopleOf } from '../support/people'
import { holdingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess } from '../support/worker-process'

let system: System
beforeEach(async () => {
  system = await startSystem({ worker: false, policies: { payment: { deadline: 'PT2M' } } })
}, 30_000)
afterEach(() => system?.stop())

it.each([
  ['before the difference is opened', /\/payment_intents$/, 'before'],
  ['before its authorisation gets there', /\/confirm$/, 'before'],
  ['after its authorisation, before the answer', /\/confirm$/, 'after'],
] as const)('killed %s', async (_when, path, at) => {
  const people = peopleOf(system)
  const proxy = await holdingProxy(system.payments.url)
  const first = await startWorkerProcess({ ...system.workerEnv, STRIPE_BASE_URL: proxy.url })
  const sku = await people.stocked({ 'store-mitte': 3 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 1000 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  const { body } = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 3 }] })
  const held = proxy.hold(path, at)
  void people.support('POST', `/v1/orders/${orderId}/changes/${body.changeId}/confirm`, {}).catch(() => undefined)
  await held
  await first.kill()
  proxy.release()
  await proxy.close()
  const second = await startWorkerProcess(system.workerEnv)
  try {
    const changed = await people.until(orderId, (o) => o.lines[0]!.quantity === 3, 'the change')
    expect(changed).toMatchObject({ totalMinor: 3490, lines: [{ allocated: 3 }], money: { authorizedMinor: 3490 } })
    expect((await intentsOf(system, orderId)).filter((i) => i.authorizedMinor > 0).map((i) => i.authorizedMinor).sort()).toEqual([1490, 2000])
    expect((await people.told(orderId)).filter((type) => type === 'order.changed' || type === 'fulfillment.extended')).toEqual(['fulfillment.extended', 'order.changed'])
    await people.work(work!, 'pick', { lines: [{ lineId: '1', picked: 3 }] })
    const packed = await people.packPicked(work!)
    await people.handOver(work!)
    await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 3490, owedMinor: 0 } })
    await expectInvariants(system)
  } finally {
    await second.kill()
  }
}, 120_000)
