/** A worker is killed while it tells others what happened: whoever comes after it tells what was not taken, under the same ids, and nothing is missing. */
import { expectInvariants } from '../support/invariants'
import { eventually, peopleOf } from '../support/people'
import { startSystem, type System } from '../support/system'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process'

let system: System
let receiver: WebhookReceiver
let workers: WorkerProcess[] = []
beforeAll(async () => {
  system = await startSystem({ worker: false })
  receiver = await startWebhookReceiver()
})
afterAll(async () => {
  await expectInvariants(system, { heard: () => receiver.heard })
  await Promise.all(workers.map((worker) => worker.kill()))
  await receiver.close()
  await system.stop()
})

const worker = async (): Promise<WorkerProcess> => {
  const started = await startWorkerProcess({ ...system.workerEnv, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', WEBHOOK_TIMEOUT_MS: '1000' })
  workers = [...workers, started]
  return started
}

it('tells everything at least once and in order, though the one who told it was killed', async () => {
  const people = peopleOf(system)
  await people.operations('POST', '/v1/webhook-endpoints', { url: receiver.url })
  // It is heard, and its answer never comes: nobody knows whether it was taken.
  receiver.answer = () => undefined
  const first = await worker()
  const orderId = await people.place()
  await eventually(async () => receiver.heard.length, (n) => n > 0, { what: 'the first webhook' })
  await first.kill()
  receiver.answer = 200
  await worker()
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'a work order')
  const types = await people.told(orderId)
  const taken = await eventually(async () => receiver.taken(), (all) => all.length >= types.length, { what: 'everything', timeoutMs: 25_000 })
  expect(taken.map(({ type }) => type)).toEqual(types)
  expect(taken[0]!.id).toBe(receiver.heard[0]!.id)
}, 60_000)
