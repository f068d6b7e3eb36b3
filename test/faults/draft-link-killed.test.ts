/** A worker is killed while it carries a payment link on: another one goes on, there is one link, one payment and one order, or none at all. */
import { rows } from '../../db/connection'
import { readDraft, writeDraft } from '../support/drafts'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { eventually, peopleOf } from '../support/people'
import { sampled } from '../support/property'
import { holdingProxy } from '../support/proxy'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess } from '../support/worker-process'

let system: System
beforeAll(async () => {
  system = await startSystem({ worker: false })
}, 30_000)
afterAll(() => system?.stop())

const sessionsOf = async (linkId: string): Promise<object[]> => ((await (await fetch(`${system.payments.url}/control/sessions?clientReferenceId=${linkId}`)).json()) as { sessions: object[] }).sessions
const nobodyHasIt = (): Promise<unknown> => system.db.raw('UPDATE draft_links SET next_at = now()')

const moments = [
  ['before the link is asked for', /\/checkout\/sessions$/, 'before', 'open'],
  ['after the link was made, before the answer', /\/checkout\/sessions$/, 'after', 'open'],
  ['when it has looked and she has paid', /\/checkout\/sessions\/cs_\w+$/, 'after', 'pay'],
  ['after the link was ended, before the answer', /\/expire$/, 'after', 'end'],
] as const

/** One of them on a usual run, all in the long one. */
it.each(sampled(moments, 1))('killed %s', async (_when, path, at, doing) => {
  const people = peopleOf(system)
  const { support } = people
  const proxy = await holdingProxy(system.payments.url)
  const first = await startWorkerProcess({ ...system.workerEnv, STRIPE_BASE_URL: proxy.url })
  const sku = await people.stocked({ 'store-mitte': 1 })
  const { draftId, channelOrderId } = await writeDraft(support, { sku })
  let held = doing === 'open' ? proxy.hold(path, at) : Promise.resolve()
  const asked = await support('POST', `/v1/drafts/${draftId}/payment-link`, { expiresAt: new Date(Date.now() + 3_600_000).toISOString(), returnTo: 'https://shop.example/thanks' })
  expect(asked.status).toBe(200)
  const pay = async (): Promise<number> => {
    const { paymentLink } = await eventually(() => readDraft(support, draftId), (d) => d.paymentLink?.url != null, { what: 'the link' })
    return (await fetch(system.payments.url + new URL(paymentLink!.url!).pathname, { method: 'POST' })).status
  }
  if (doing !== 'open') {
    await eventually(() => readDraft(support, draftId), (d) => d.paymentLink?.status === 'open', { what: 'the link' })
    held = proxy.hold(path, at)
    if (doing === 'pay') expect(await pay()).toBe(200)
    else await support('POST', `/v1/drafts/${draftId}/cancel-payment`, {})
  }
  await held
  await first.kill()
  proxy.release()
  await proxy.close()
  await nobodyHasIt()
  const second = await startWorkerProcess(system.workerEnv)
  try {
    if (doing === 'open') expect(await pay()).toBe(200)
    const { state, orderId, paymentLink } = await eventually(() => readDraft(support, draftId), (d) => d.state !== 'awaiting_payment', { what: 'its end' })
    expect(await sessionsOf(paymentLink!.linkId)).toHaveLength(1)
    const made = await rows<{ orderId: string }>(system.db, 'SELECT order_id AS "orderId" FROM orders WHERE channel_order_id = ?', [channelOrderId])
    expect({ state, made }).toEqual(doing === 'end' ? { state: 'open', made: [] } : { state: 'placed', made: [{ orderId }] })
    if (orderId === null) return
    await people.until(orderId, (o) => o.fulfillments.length === 1)
    expect(await intentsOf(system, orderId)).toMatchObject([{ authorizedMinor: 2_490, capturedMinor: 0 }])
    await expectInvariants(system)
  } finally {
    await second.kill()
  }
}, 120_000)
