/** Canaries are planted in everything personal; none may be found in a history, a search attribute or a log. */
import { Writable } from 'node:stream'
import { nearMitte, orderOf, peopleOf, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { historyText } from '../support/history-text'
import { steer } from '../support/outside'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process'

const canary = 'canary7f3a'
const person = { customerRef: `${canary}-ref`, name: `${canary} Name`, email: `${canary}@example.com`, phone: `+49 ${canary}` }
const address = { ...nearMitte, name: `${canary} Name`, line1: `${canary} street`, city: `${canary}ville` }

let logged = ''
let system: System
let people: People
let worker: WorkerProcess | undefined
beforeAll(async () => {
  const log = new Writable({ write: (chunk: Buffer, _encoding, done) => ((logged += chunk.toString()), done()) })
  system = await startSystem({ log, worker: false })
  people = peopleOf(system)
  worker = await startWorkerProcess({ ...system.workerEnv, LOG_LEVEL: 'trace' })
}, 30_000)
afterAll(async () => {
  await worker?.kill()
  await system?.stop()
})

const wish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }], customer: person, shipTo: address }

it('keeps names, addresses and ways of paying out of histories and logs', async () => {
  const orderId = await people.place(wish)
  const { fulfillments, channelOrderId } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen)

  const declined = await people.place({ ...wish, paymentMethod: 'pm_card_chargeDeclined' })
  const ended = await people.until(declined, (o) => !o.workflowOpen)
  const unknown = await people.place({ ...wish, paymentMethod: `pm_card_${canary}` })
  const nobodys = await people.until(unknown, (o) => !o.workflowOpen)
  await steer(system.payments.url, '/control/outage', { ms: 4_000 })
  const late = await people.place(wish)
  const delayed = await people.until(late, (o) => o.fulfillments.length === 1)
  const refused = [
    { ...orderOf(wish), totalMinor: 1 },
    { ...orderOf(wish), surprise: canary },
    { ...orderOf({ ...wish, lines: [{ sku: 'NO-SUCH', quantity: 1 }] }) },
    orderOf({ ...wish, lines: [{ sku: 'SOCKS-3P', quantity: 99_999 }] }),
  ]
  for (const body of refused) expect((await people.shop('POST', '/v1/orders', body)).status).toBeGreaterThanOrEqual(400)
  await people.support('GET', `/v1/orders?q=${canary}`)
  const shop = freshShopifyOrder()
  await sendShopify(system.url, { ...shop, email: person.email, financial_status: 'pending', shipping_address: { ...shop.shipping_address, name: person.name } })

  const texts = await Promise.all([channelOrderId, ...[ended, nobodys, delayed].map((o) => o.channelOrderId)].map((number) => historyText(system, number)))
  const histories = texts.join('\n')
  const workerLog = worker!.said()
  expect(histories).toContain('Authorise')
  expect(histories).not.toContain(canary)
  expect(histories).not.toContain('pm_card')
  expect(logged).toContain('/v1/orders')
  expect(logged).not.toContain(canary)
  expect(logged).not.toContain('pm_card')
  expect(workerLog).toContain('activityType')
  expect(workerLog).not.toContain(canary)
  expect(workerLog).not.toContain('pm_card')
}, 60_000)
