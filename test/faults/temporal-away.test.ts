/** Temporal is killed for a while: channels, providers and carriers are still answered, and everything goes on once it is back. */
import { Client, Connection } from '@temporalio/client'
import { mkdtempSync, rmSync } from 'node:fs'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registerSearchAttributes } from '../../adapters/temporal'
import { freePort } from '../../dev/ports'
import { findTemporal, placesOf } from '../../dev/temporal-cli'
import { devServerArguments, isServing } from '../../dev/temporal-server'
import { eventually, peopleOf, type OrderWish } from '../support/people'
import { heldAndTaken } from '../support/outside'
import { startSystem } from '../support/system'
import { startWorkerProcess } from '../support/worker-process'

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }
const patient = { timeoutMs: 60_000 }
const folder = mkdtempSync(join(tmpdir(), 'throughline-temporal-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let server: ChildProcess | undefined
async function startTemporal(port: number): Promise<void> {
  const source = await findTemporal(placesOf({ ...process.env, TEMPORAL_ADDRESS: undefined }, () => undefined))
  if (source.kind === 'server') throw new Error('this story needs a server of its own')
  const child = spawn(source.path, devServerArguments({ executable: source.path, port, uiPort: 0, ui: false, dataFile: join(folder, 'temporal.db') }), { stdio: 'ignore' })
  server = child
  await eventually(() => isServing(`127.0.0.1:${port}`), Boolean, patient)
}
async function killTemporal(): Promise<void> {
  const gone = once(server!, 'exit')
  server!.kill('SIGKILL')
  await gone
}
afterAll(() => server?.kill('SIGKILL'))

it('takes orders, carrier reports and a cancellation while Temporal is away, and does each of them once it is back', async () => {
  const port = await freePort()
  await startTemporal(port)
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` })
  await registerSearchAttributes(connection, new Client({ connection }).options.namespace)
  await connection.close()
  const system = await startSystem({ worker: false, temporalAddress: `127.0.0.1:${port}`, policies: { payment: { deadline: 'PT5M' } } })
  let worker = await startWorkerProcess(system.workerEnv)
  try {
    const people = peopleOf(system)
    const [shipped, toCancel] = [await people.place(socks), await people.place(socks)]
    const { fulfillments } = await people.until(shipped, (o) => o.fulfillments.length === 1)
    await people.until(toCancel, (o) => o.fulfillments.length === 1)
    await people.pickAll(fulfillments[0]!)
    const packed = await people.packAll(fulfillments[0]!)
    await people.handOver(fulfillments[0]!)
    await people.until(shipped, (o) => o.paymentStatus === 'captured')

    await killTemporal()
    const accepted = await Promise.all(Array.from({ length: 5 }, () => people.place(socks)))
    await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
    await people.until(shipped, (o) => o.status === 'delivered')
    const key = { 'idempotency-key': 'cancel-while-away' }
    const unheard = await people.support('POST', `/v1/orders/${toCancel}/cancel`, { reason: 'called' }, key)
    expect([unheard.status, unheard.headers.get('retry-after')]).toEqual([503, '1'])

    await startTemporal(port)
    await worker.kill()
    worker = await startWorkerProcess(system.workerEnv)
    for (const orderId of accepted) await eventually(() => people.order(orderId), (o) => o.fulfillments.length === 1, patient)
    expect(await eventually(() => people.order(toCancel), (o) => !o.workflowOpen, patient)).toMatchObject({ status: 'cancelled' })
    expect(await eventually(() => people.order(shipped), (o) => !o.workflowOpen, patient)).toMatchObject({ status: 'completed' })
    const repeat = () => people.support('POST', `/v1/orders/${toCancel}/cancel`, { reason: 'called' }, key)
    await eventually(repeat, (a) => a.status === 200, patient) // the sweep's answer, or its own if it came first
    expect((await repeat()).headers.get('idempotent-replayed')).toBe('true')
    for (const orderId of accepted) expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 0, effects: 1 })
  } finally {
    await worker.kill()
    await system.stop()
  }
}, 180_000)
