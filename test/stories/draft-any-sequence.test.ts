/** Whatever people, a customer and the clock do with a draft, in any order and two at a time: no answer is an accident, and it is paid and placed once or not at all. */
import fc from 'fast-check'
import { rows } from '../../db/connection'
import { byCard, patchDraft, placeIt, readDraft, writeDraft } from '../support/drafts'
import { expectInvariants } from '../support/invariants'
import { eventually, peopleOf, type People } from '../support/people'
import { sampledInLanes } from '../support/property'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString()
const ask = async (draftId: string, action: string, body: object): Promise<number> => (await people.support('POST', `/v1/drafts/${draftId}/${action}`, body)).status
const linkOf = async (draftId: string): Promise<{ linkId: string; url: string | null } | null> => (await readDraft(people.support, draftId)).paymentLink

/** @returns the status of the answer; 200 where there is nothing to do it to */
const steps = {
  change: async (draftId) => (await patchDraft(people.support, await readDraft(people.support, draftId), { note: 'again' })).status,
  quote: (draftId) => ask(draftId, 'quote', { validUntil: new Date(Date.now() + 7_200_000).toISOString(), hold: true }),
  link: (draftId) => ask(draftId, 'payment-link', { expiresAt: inAnHour(), returnTo: 'https://shop.example/thanks' }),
  later: (draftId) => ask(draftId, 'pay-later', { payBy: inAnHour() }),
  paid: (draftId) => ask(draftId, 'paid', { reference: 'statement 1' }),
  cancel: (draftId) => ask(draftId, 'cancel-payment', {}),
  place: async (draftId) => (await placeIt(people.support, draftId, byCard(2_490))).status,
  pay: async (draftId) => {
    const url = (await linkOf(draftId))?.url
    return url ? (await fetch(url, { method: 'POST' })).status : 200
  },
  passTime: async (draftId) => {
    const link = await linkOf(draftId)
    const { sessions } = (await (await fetch(`${system.payments.url}/control/sessions?clientReferenceId=${link?.linkId ?? 'none'}`)).json()) as { sessions: { id: string }[] }
    for (const { id } of sessions) await fetch(`${system.payments.url}/control/sessions/${id}/pass-time`, { method: 'POST' })
    return 200
  },
} satisfies Record<string, (draftId: string) => Promise<number>>
const step = fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[]))

it('is one order with its money once, or none', async () => {
  await sampledInLanes(
    fc.asyncProperty(fc.array(fc.tuple(step, step), { minLength: 3, maxLength: 7 }), async (pairs) => {
      const sku = await people.stocked({ 'store-mitte': 5 })
      const { draftId, channelOrderId } = await writeDraft(people.support, { sku })
      for (const pair of pairs) {
        const statuses = await Promise.all(pair.map((name) => steps[name](draftId)))
        expect(statuses.filter((status) => status >= 500)).toEqual([])
      }
      await ask(draftId, 'cancel-payment', {})
      const { state, orderId } = await eventually(() => readDraft(people.support, draftId), (d) => d.state !== 'awaiting_payment', { what: 'the draft to come to rest' })
      const orders = await rows<{ orderId: string }>(system.db, 'SELECT order_id AS "orderId" FROM orders WHERE channel_order_id = ?', [channelOrderId])
      expect(orders).toEqual(state === 'placed' ? [{ orderId }] : [])
      if (orderId === null) return
      const { payments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      expect(payments.map((p) => p.authorizedMinor)).toEqual([2_490])
    }),
    { runs: 8, lanes: 4 },
  )
}, 120_000)
