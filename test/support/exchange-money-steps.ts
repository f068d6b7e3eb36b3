/** The steps at which an exchange moves money, and those at which it is given by hand or another way: each with the life that leads to it, like those of money-steps.ts. */
import type { ReturnView } from '../../db/views/returns'
import { isCounted, sold, taken, until, type MoneyStep, type Scene } from './money-steps'
import { steer } from './outside'
import { caller, eventually } from './people'

const line = { lineId: '1', quantity: 1, reason: 'too small' }
const replaced = async ({ people, orderId, noted }: Scene, more: object): Promise<void> => {
  noted.returnId = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { collectOld: 'store', ...more })).body.returnId
}

/** Twice as dear, to be sent once the old goods are back. */
const dearer = async (scene: Scene): Promise<void> => replaced(scene, { lines: [{ ...line, sku: scene.noted.other, unitPriceMinor: 2_000 }], send: 'on_receipt' })
/** The same again, ahead of the old goods, over which their value is held. */
const ahead = (scene: Scene): Promise<void> => replaced(scene, { lines: [line], send: 'now' })
const guardIs = (state: string) => (scene: Scene): Promise<unknown> => until(scene, (o) => o.returns[0]?.guard?.state === state, `the guard ${state}`)

async function sentAhead(scene: Scene): Promise<void> {
  await sold(scene)
  await ahead(scene)
  await guardIs('held')(scene)
}

const oneCapture = 'captured once' as const
const byHand = (scene: Scene): Promise<unknown> => scene.people.giveBack(scene.orderId, { amountMinor: 500, reason: 'it came late' }, 'approve')
const refunded = (minor: number) => (scene: Scene): Promise<unknown> => until(scene, (o) => o.money.refundedMinor === minor, 'the refund')

/** What one of two cards was given back came back from its bank. */
async function cameBack(scene: Scene): Promise<void> {
  const { people, system, noted } = scene
  await sold(scene, { tenders: [{ provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 700 }, { provider: 'stripe', paymentMethod: 'pm_card_visa' }] })
  await people.giveBack(scene.orderId, { amountMinor: 500, tenderId: 't1', reason: 'it came late' }, 'approve')
  await refunded(500)(scene)
  const gave = (await people.order(scene.orderId)).payments.find((p) => p.tenderId === 't1')!
  await steer(system.payments.url, '/control/refunds/fail', { paymentIntent: gave.reference })
  const find = (): Promise<{ refund_reference: string }[]> => system.db('returned_refunds').where({ order_id: scene.orderId }).select('refund_reference')
  noted.reference = (await eventually(find, (found) => found.length === 1, { timeoutMs: 30_000, what: 'the refund to come back' }))[0]!.refund_reference
}

export const exchangeSteps: readonly MoneyStep[] = [
  {
    name: 'the difference of a dearer exchange is authorised',
    holds: oneCapture,
    operation: 'authorize',
    kind: 'authorize',
    path: /\/confirm$/,
    lead: async (scene) => {
      await sold(scene)
      scene.noted.other = await scene.people.stocked({ 'store-mitte': 1 })
    },
    move: dearer,
    done: (scene) => until(scene, (o) => o.returns[0]?.status === 'approved', 'the exchange'),
    after: { authorizedMinor: 2_490, capturedMinor: 1_490, refundedMinor: 0, holds: 2 },
  },
  { name: 'the guard of an exchange ahead is held', holds: oneCapture, operation: 'authorize', kind: 'authorize', path: /\/confirm$/, lead: sold, move: ahead, done: guardIs('held'), after: { authorizedMinor: 2_490, capturedMinor: 1_490, refundedMinor: 0, holds: 2 } },
  {
    name: 'the guard is charged for what does not come',
    holds: oneCapture,
    operation: 'capture',
    kind: 'capture',
    path: /\/capture$/,
    lead: sentAhead,
    move: ({ people, noted }) => people.support('POST', `/v1/returns/${noted.returnId}/charge`, { reason: 'it will not come' }),
    done: taken(2_490),
    after: { authorizedMinor: 2_490, capturedMinor: 2_490, refundedMinor: 0, holds: 2 },
  },
  { name: 'the guard is let go when the old goods are back', holds: oneCapture, operation: 'void', kind: 'void', path: /\/cancel$/, lead: sentAhead, move: isCounted, done: guardIs('let_go'), after: { authorizedMinor: 2_490, capturedMinor: 1_490, refundedMinor: 0, holds: 2 } },
  { name: 'the money is refunded by hand', holds: oneCapture, operation: 'refund', kind: 'refund', path: /\/refunds$/, lead: sold, move: byHand, done: refunded(500), after: { authorizedMinor: 1_490, capturedMinor: 1_490, refundedMinor: 500, holds: 1 } },
  {
    name: 'a refund that came back is given by another payment',
    holds: oneCapture,
    operation: 'refund',
    kind: 'refund',
    path: /\/refunds$/,
    lead: cameBack,
    move: ({ system, orderId, noted }) => caller(system.url, 'demo-finance')('POST', `/v1/orders/${orderId}/refunds-owed/${noted.reference}/give`, { way: 'another_payment', tenderId: 't2' }),
    done: (scene) => until(scene, (o) => o.payments.every((p) => p.refundedMinor === 500), 'the other refund'),
    after: { authorizedMinor: 1_490, capturedMinor: 1_490, refundedMinor: 500, holds: 2 },
  },
]
