/** Those who carry out a bulk action are killed in the middle of it: whoever comes after them ends it, each order is done once or refused with a code, and nothing is half done. */
import type { BulkResult, BulkView } from '../../db/views/bulk-actions'
import { intentsOf, parcels, type Intent } from '../support/outside'
import { expectInvariants } from '../support/invariants'
import { eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { sampled } from '../support/property'
import { holdingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { startApiProcess, startWorkerProcess, type WorkerProcess } from '../support/worker-process'

let system: System
let people: People
let running: WorkerProcess[] = []
beforeEach(async () => {
  system = await startSystem({ worker: false, bulk: false, policies: { payment: { deadline: 'PT5M' } } })
  people = peopleOf(system)
}, 30_000)
afterEach(async () => {
  await Promise.all(running.map((process) => process.kill()))
  await system?.stop()
})

const [open, packed, left] = [24, 3, 3]
const patient = { timeoutMs: 60_000 }

const started = async (process: Promise<WorkerProcess>): Promise<WorkerProcess> => {
  running = [...running, await process]
  return process
}

const killings = ['the worker', 'the api', 'both'] as const
it.each(sampled(killings, 1))('%s killed: every order is cancelled once, or says why not', async (who) => {
  const proxy = await holdingProxy(system.payments.url)
  const worker = await started(startWorkerProcess({ ...system.workerEnv, STRIPE_BASE_URL: proxy.url }))
  const api = await started(startApiProcess(system.workerEnv))
  const sku = await people.stocked({ 'store-mitte': 100 })
  const orderIds = await Promise.all(Array.from({ length: open + packed + left }, () => people.place({ lines: [{ sku, quantity: 1 }] } satisfies OrderWish)))
  await eventually(() => count(`SELECT count(*)::int AS n FROM fulfillments WHERE status = 'released'`), (n) => n === orderIds.length, { ...patient, what: 'work orders' })
  await workOn(orderIds)

  // The bank has let go of the money of one of them, and nobody of ours hears of it.
  const held = proxy.hold(/\/cancel$/, 'after')
  const { body: begun } = await people.support<BulkView>('POST', '/v1/bulk-actions', { action: 'cancel', orderIds, reason: 'a recall', undoWithin: 'PT0.1S' })
  await held
  await eventually(() => progress(begun.bulkActionId), ({ progress: p }) => p.done >= 3)
  await Promise.all([...(who === 'the api' ? [] : [worker.kill()]), ...(who === 'the worker' ? [] : [api.kill()])])
  const { progress: atDeath } = await progress(begun.bulkActionId)
  expect(atDeath.waiting).toBeGreaterThan(0)
  proxy.release()
  if (who !== 'the api') await started(startWorkerProcess(system.workerEnv))
  if (who !== 'the worker') await started(startApiProcess(system.workerEnv))
  // What the dead had taken is theirs for a minute: that minute is over.
  await system.db('bulk_action_orders').where({ bulk_action_id: begun.bulkActionId, outcome: 'waiting' }).whereNotNull('leased_until').update({ leased_until: new Date(0) })

  const ended = await eventually(() => progress(begun.bulkActionId), ({ status }) => status === 'done', patient)
  expect(ended).toMatchObject({ progress: { done: open + packed, refused: left, failed: 0, waiting: 0, withdrawn: 0 }, refusedBy: [{ code: 'order.already_handed_over', orders: left }] })
  await expectInvariants(system)
  await expectEachOnce(begun.bulkActionId, orderIds)
  expect(await system.db('stock_levels').where({ sku }).select('on_hand', 'allocated', 'reserved')).toEqual([{ on_hand: 100 - left, allocated: 0, reserved: 0 }])
  expect((await parcels(system)).filter((p) => p.voided)).toHaveLength(packed)
  await proxy.close()
}, 180_000)

/** The first of them are packed, those after them have left. */
async function workOn(orderIds: readonly string[]): Promise<void> {
  for (const [i, orderId] of orderIds.slice(0, packed + left).entries()) {
    const work = (await people.order(orderId)).fulfillments[0]!
    await people.pickAll(work)
    await people.packAll(work)
    if (i < packed) continue
    await people.handOver(work)
    await people.until(orderId, (o) => o.paymentStatus === 'captured')
  }
}

async function expectEachOnce(bulkActionId: string, orderIds: readonly string[]): Promise<void> {
  const { items } = (await people.support<{ items: BulkResult[] }>('GET', `/v1/bulk-actions/${bulkActionId}/results?limit=200`)).body
  expect(items.map((r) => r.orderId)).toEqual(orderIds)
  for (const { orderId, outcome, code } of items) {
    const order = await people.order(orderId)
    const told = await people.told(orderId)
    const times = ['order.cancelled', 'payment.authorized', 'payment.voided', 'payment.captured'].map((type) => told.filter((t) => t === type).length)
    const asked = await system.db('audit').where({ action: 'order.cancel', subject: orderId }).select<{ cause: string }[]>('cause')
    const held: Pick<Intent, 'status' | 'capturedMinor'>[] = (await intentsOf(system, orderId)).map(({ status, capturedMinor }) => ({ status, capturedMinor }))
    const seen = { orderId, code, status: order.status, paymentStatus: order.paymentStatus, cancelled: order.lines[0]!.cancelled, times, asked: asked.map((a) => a.cause), held }
    const done = { code: null, status: 'cancelled', paymentStatus: 'voided', cancelled: 1, times: [1, 1, 1, 0], asked: [`a recall (bulk action ${bulkActionId})`], held: [{ status: 'canceled', capturedMinor: 0 }] }
    const refused = { code: 'order.already_handed_over', status: 'shipped', paymentStatus: 'captured', cancelled: 0, times: [0, 1, 0, 1], asked: [], held: [{ status: 'succeeded', capturedMinor: 1_490 }] }
    expect(seen).toEqual({ orderId, ...(outcome === 'done' ? done : refused) })
  }
}

const progress = async (bulkActionId: string): Promise<BulkView> => (await people.support<BulkView>('GET', `/v1/bulk-actions/${bulkActionId}`)).body
const count = async (sql: string): Promise<number> => (await system.db.raw<{ rows: { n: number }[] }>(sql)).rows[0]!.n
