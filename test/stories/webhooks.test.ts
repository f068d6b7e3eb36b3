/** A shop that is told what happens to its orders, from the click to the end, by the very process that does the work. */
import { webhookSchema } from '../../api/schemas/events'
import type { EventType } from '../../domain/events'
import { expectEventsAsDocumented } from '../support/event-schemas'
import { expectInvariants } from '../support/invariants'
import { caller, eventually, peopleOf, type People } from '../support/people'
import { startSystem, type System } from '../support/system'
import { startWebhookReceiver, type HeardWebhook, type WebhookReceiver } from '../support/webhook-receiver'

let system: System
let people: People
let receiver: WebhookReceiver
let secret: string
beforeAll(async () => {
  system = await startSystem({ webhooks: true })
  people = peopleOf(system)
  receiver = await startWebhookReceiver()
  const { body } = await people.shop<{ secret: string; channels: string[] }>('POST', '/v1/webhook-endpoints', { url: receiver.url })
  expect(body.channels).toEqual(['web'])
  secret = body.secret
})
afterAll(async () => {
  await expectEventsAsDocumented(system.db)
  await expectInvariants(system, { heard: () => receiver.heard })
  await receiver.close()
  await system.stop()
})

/** Waits until everything of the order's timeline was told. */
const heardOf = async (orderId: string): Promise<HeardWebhook[]> => {
  const mine = (): HeardWebhook[] => receiver.taken().filter(({ data }) => data.orderId === orderId)
  const types = await people.told(orderId)
  await eventually(async () => mine().length, (n) => n >= types.length, { what: `${types.length} webhooks` })
  expect(mine().map(({ type }) => type)).toEqual(types)
  return mine()
}

it('hears the whole life of an order, signed, in order, and as documented', async () => {
  const orderId = await people.place()
  const { fulfillments: [work] } = await people.until(orderId, (o) => o.fulfillments.length === 1, 'a work order')
  await people.pickAll(work!)
  const packed = await people.packAll(work!)
  await people.handOver(work!)
  await people.until(orderId, (o) => o.paymentStatus === 'captured', 'the capture')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  for (const one of await heardOf(orderId)) {
    expect(receiver.verify(one, secret)).toEqual(webhookSchema(one.type as EventType, '1').parse(JSON.parse(one.body)))
    expect(one.body).not.toMatch(/Customer|Street 1|example\.com/)
  }
})

it('hears of a cancellation, and nothing of the orders of another channel', async () => {
  const marketplace = caller(system.url, 'demo-channel-marketplace')
  const orderId = await people.place()
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'a work order')
  const other = await people.place({ channel: 'marketplace', paidElsewhere: true })
  expect((await people.shop('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })).status).toBe(200)
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  await people.until(other, (o) => o.fulfillments.length === 1, 'a work order')
  expect((await heardOf(orderId)).map(({ type }) => type)).toContain('order.cancelled')
  expect(receiver.heard.filter(({ data }) => data.orderId === other)).toEqual([])
  expect((await marketplace('GET', '/v1/webhook-deliveries')).body.items).toEqual([])
})
