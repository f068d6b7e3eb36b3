/** The payment provider and the carrier misbehave in every way they know; each order still has one effect, a named wait and an ending. */
import { createPaymentActivities } from '../../activities/payments'
import { stripeProvider } from '../../adapters/stripe/provider'
import { eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { heldAndTaken, intentsOf, steer } from '../support/outside'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { care: { retryEvery: 'PT0.4S' }, payment: { deadline: 'PT15S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }
const fault = (kind: string, operation: string, more: object = {}): Promise<void> => steer(system.payments.url, '/control/faults', { next: 1, kind, operation, ...more })
const released = async (orderId: string) => (await people.until(orderId, (o) => o.fulfillments.length === 1, 'a work order')).fulfillments[0]!
const exceptions = async (orderId: string): Promise<{ exceptionId: string; kind: string; owner: string; deadline: string | null; status: string }[]> =>
  (await people.operations<{ items: { exceptionId: string; orderId: string; kind: string; owner: string; deadline: string | null; status: string }[] }>('GET', '/v1/exceptions?status=all&limit=200')).body.items.filter((e) => e.orderId === orderId)

const reasonOfCancel = async (orderId: string): Promise<unknown> => {
  const { body } = await people.support<{ items: { type: string; data: { reason?: string } }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)
  return body.items.find((e) => e.type === 'order.cancelled')?.data.reason
}

async function shippedAndCaptured(orderId: string): Promise<void> {
  const work = await released(orderId)
  await people.pickAll(work)
  await people.packAll(work)
  await people.handOver(work)
  await people.until(orderId, (o) => o.paymentStatus === 'captured' && o.waitingOn?.what === 'delivery', 'the capture, and then the delivery')
}

it('cancels an order whose card is declined, and frees its stock', async () => {
  const orderId = await people.place({ ...socks, paymentMethod: 'pm_card_chargeDeclined' })
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'declined', lines: [{ allocated: 0, cancelled: 1 }], payments: [{ declineCode: 'generic_decline' }] })
  expect(await people.told(orderId)).toEqual(['order.placed', 'payment.declined', 'order.cancelled'])
})

it.each([
  ['is executed and its answer lost', 'timeout_after_effect', 1],
  ['fails with a 500 that is stored under the key', 'error_500', 2],
  ['is slow', 'slow', 1],
] as const)('authorises once when the authorisation %s', async (_how, kind, keyNumber) => {
  await fault(kind, 'authorize', { delayMs: 2_500 })
  const orderId = await people.place(socks)
  await released(orderId)
  expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 0, effects: 1 })
  if (kind !== 'slow') expect(await system.db('payment_operations').where({ order_id: orderId, kind: 'authorize' })).toMatchObject([{ status: 'succeeded', key_number: keyNumber }])
  expect((await people.told(orderId)).filter((type) => type === 'payment.authorized')).toHaveLength(1)
})

it.each(['timeout_after_effect', 'error_500'])('captures once when the capture meets %s', async (kind) => {
  const orderId = await people.place(socks)
  await released(orderId)
  await fault(kind, 'capture', { delayMs: 2_500 })
  await shippedAndCaptured(orderId)
  expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 1490, effects: 1 })
  expect((await people.told(orderId)).filter((type) => type === 'payment.captured')).toHaveLength(1)
})

it.each(['timeout_after_effect', 'error_500'])('lets go of the money of a cancelled order when the void meets %s', async (kind) => {
  const orderId = await people.place(socks)
  await released(orderId)
  await fault(kind, 'void', { delayMs: 2_500 })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  await people.until(orderId, (o) => !o.workflowOpen)
  expect(await intentsOf(system, orderId)).toMatchObject([{ status: 'canceled', capturedMinor: 0 }])
})

it('waits on the provider by name during an outage, tells operations, and goes on by itself', async () => {
  await steer(system.payments.url, '/control/outage', { ms: 7_000 })
  const orderId = await people.place(socks)
  const waiting = await people.until(orderId, (o) => o.waitingOn?.what === 'payment_provider', 'a named wait')
  expect(waiting).toMatchObject({ status: 'placed', waitingOn: { deadline: expect.any(String) } })
  expect(await exceptions(orderId)).toMatchObject([{ kind: 'payment.provider_unavailable', owner: 'operations', status: 'open', deadline: expect.any(String) }])
  await released(orderId)
  await eventually(() => exceptions(orderId), ([e]) => e?.status === 'resolved')
  expect(await heldAndTaken(system, orderId)).toMatchObject({ authorizedMinor: 1490, effects: 1 })
})

it('cancels an order that could not be authorised by its deadline, and holds nothing for it', async () => {
  await steer(system.payments.url, '/control/outage', { ms: 120_000 }) // outlasts the last attempt that begins before the deadline, however slow
  const orderId = await people.place(socks)
  const closed = await eventually(() => people.order(orderId), (o) => !o.workflowOpen, { timeoutMs: 45_000 })
  expect(closed).toMatchObject({ status: 'cancelled', lines: [{ allocated: 0 }] })
  expect(await reasonOfCancel(orderId)).toBe('payment.not_settled')
  expect(await heldAndTaken(system, orderId)).toMatchObject({ authorizedMinor: 0 })
  expect((await exceptions(orderId)).filter((e) => e.status === 'open')).toEqual([])
  await steer(system.payments.url, '/control/outage', {}, 'DELETE')
})

it('ends the same when the webhook comes before our own answer, twice and in another order', async () => {
  await steer(system.payments.url, '/control/webhooks', { duplicate: true, shuffle: true })
  await fault('slow', 'authorize', { delayMs: 1_000 })
  const orderId = await people.place(socks)
  await shippedAndCaptured(orderId)
  const told = await people.told(orderId)
  expect(['payment.authorized', 'payment.captured'].map((type) => told.filter((t) => t === type).length)).toEqual([1, 1])
  await steer(system.payments.url, '/control/webhooks', { duplicate: false, shuffle: false })
})

it('ships although the capture fails, tells finance, and captures later', async () => {
  const orderId = await people.place(socks)
  const work = await released(orderId)
  await people.pickAll(work)
  await people.packAll(work)
  await steer(system.payments.url, '/control/outage', { ms: 7_000 })
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  await eventually(() => exceptions(orderId), (all) => all.some((e) => e.kind === 'payment.capture_failed' && e.owner === 'finance'), { what: 'the case for finance' })
  expect(await people.order(orderId)).toMatchObject({ status: 'shipped', waitingOn: { what: 'capture' } })
  const captured = await people.until(orderId, (o) => o.paymentStatus === 'captured')
  expect(captured.waitingOn).toMatchObject({ what: 'delivery' })
})

it('comes to the return window when the parcel arrives before the money', async () => {
  const orderId = await people.place(socks)
  const work = await released(orderId)
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await fault('timeout_after_effect', 'capture')
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen)
  expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 1490, effects: 1 })
})

it('waits for the customer by name, and goes on when her bank approves', async () => {
  const orderId = await people.place({ ...socks, paymentMethod: 'pm_card_authenticationRequired' })
  const waiting = await people.until(orderId, (o) => o.waitingOn?.what === 'customer_action', 'the customer')
  expect(waiting).toMatchObject({ status: 'placed', paymentStatus: 'pending', payments: [{ status: 'action_required' }], fulfillments: [], waitingOn: { deadline: expect.any(String) } })
  const [intent] = await intentsOf(system, orderId)
  await steer(system.payments.url, `/control/intents/${intent!.id}`, { status: 'requires_capture' })
  await released(orderId)
  expect(await heldAndTaken(system, orderId)).toEqual({ authorizedMinor: 1490, capturedMinor: 0, effects: 1 })
})

it('cancels an order whose customer never answers her bank by its deadline', async () => {
  const orderId = await people.place({ ...socks, paymentMethod: 'pm_card_authenticationRequired' })
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', lines: [{ allocated: 0, cancelled: 1 }] })
  expect(await reasonOfCancel(orderId)).toBe('payment.not_settled')
  expect(await intentsOf(system, orderId)).toMatchObject([{ status: 'canceled', authorizedMinor: 0 }])
})

it('keeps a packed order waiting for its label, and gives the answer to the same request later', async () => {
  const orderId = await people.place(socks)
  const work = await released(orderId)
  await people.pickAll(work)
  await steer(system.carriers.url, '/control/outage', { ms: 11_000 })
  const packages = { packages: [{ weightGrams: 900, lines: [{ lineId: '1', quantity: 1 }] }] }
  const pack = () => people.store(work.nodeId)('POST', `/v1/fulfillments/${work.fulfillmentId}/pack`, packages, { 'idempotency-key': `pack-${orderId}` })
  const first = await pack()
  expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1'])
  const later = await eventually(pack, (a) => a.status === 200, { timeoutMs: 30_000 })
  expect(later.body).toMatchObject({ status: 'packed', packages: [{ trackingNumber: expect.any(String) }] })
})

describe('with patience of minutes', () => {
  let patient: System
  let them: People
  beforeAll(async () => {
    patient = await startSystem({ policies: { care: { retryEvery: 'PT10M' }, payment: { deadline: 'PT30M' }, returns: { window: 'PT30M' } } })
    them = peopleOf(patient)
  })
  afterAll(() => patient?.stop())

  it('tries again at once when somebody presses retry', async () => {
    await steer(patient.payments.url, '/control/outage', { ms: 60_000 })
    const orderId = await them.place(socks)
    await them.until(orderId, (o) => o.waitingOn?.what === 'payment_provider')
    await steer(patient.payments.url, '/control/outage', {}, 'DELETE')
    const open = await them.operations<{ items: { exceptionId: string }[] }>('GET', '/v1/exceptions')
    expect(await them.operations('POST', `/v1/exceptions/${open.body.items[0]!.exceptionId}/retry`, {})).toMatchObject({ status: 200 })
    await them.until(orderId, (o) => o.fulfillments.length === 1)
  })

  it('leaves an order in its return window when a capture is tried again that was settled before', async () => {
    const orderId = await them.place(socks)
    const [work] = (await them.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
    await them.pickAll(work!)
    const packed = await them.packAll(work!)
    await them.handOver(work!)
    await them.until(orderId, (o) => o.paymentStatus === 'captured')
    await them.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
    const { waitingOn } = await them.until(orderId, (o) => o.waitingOn?.what === 'return_window')
    const provider = stripeProvider({ apiKey: 'sk_test_again', baseUrl: patient.payments.url, timeoutMs: 1_000 })
    const { operation_id: operationId } = (await patient.db<{ operation_id: string; order_id: string; kind: string }>('payment_operations').where({ order_id: orderId, kind: 'capture' }).first())!
    const then = { what: 'delivery', since: new Date().toISOString(), deadline: null } as const
    const { fulfillmentId } = work!
    expect(await createPaymentActivities(patient.db, () => provider).capturePayment({ operationId, then, fulfillmentId })).toMatchObject({ status: 'captured' })
    expect((await them.order(orderId)).waitingOn).toEqual(waitingOn)
  })
})
