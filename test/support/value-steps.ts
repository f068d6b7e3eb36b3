/** Every step at which a gift card or store credit moves, each with the life that leads to it. There is one account in each of these worlds, with 50.00 on it where it was issued. */
import { asksBack, given, inParts, isCounted, leave, one, pack, place, sold, taken, until, type Scene } from './money-steps'
import type { OrderWish } from './people'

export interface ValueStep {
  name: string
  /** Of its operation; `credit`: the account gets it in the order's own step, and no operation stands between. */
  kind: 'authorize' | 'capture' | 'void' | 'refund' | 'credit'
  lead(scene: Scene): Promise<void>
  move(scene: Scene): Promise<unknown>
  done(scene: Scene): Promise<unknown>
  /** What the account says then. */
  after: { balanceMinor: number; heldMinor: number; moves: readonly (readonly [kind: string, amountMinor: number])[] }
}

const issue = { currency: 'EUR', amountMinor: 5_000, paidElsewhere: true, reason: 'sold at the till' }

async function byGiftCard({ people }: Scene): Promise<OrderWish> {
  const { body } = await people.support<{ code: string }>('POST', '/v1/gift-cards', issue)
  return { tenders: [{ provider: 'gift_card', paymentMethod: body.code }] }
}

async function byStoreCredit({ people }: Scene): Promise<OrderWish> {
  await people.support('POST', '/v1/store-credits', { ...issue, customerRef: 'saver' })
  return { customer: { customerRef: 'saver', name: 'Customer' }, tenders: [{ provider: 'store_credit' }] }
}

const after = (balanceMinor: number, heldMinor: number, ...moves: [string, number][]): ValueStep['after'] => ({ balanceMinor, heldMinor, moves: [['issued', 5_000], ...moves] })
const cancels = ({ people, orderId }: Scene): Promise<unknown> => people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })

export const valueSteps: readonly ValueStep[] = [
  {
    name: 'what is held on a gift card is recorded', kind: 'authorize',
    lead: () => Promise.resolve(),
    move: async (scene) => place(scene, { lines: [{ sku: await scene.people.stocked({ 'store-mitte': 1 }), quantity: 1 }], ...(await byGiftCard(scene)) }),
    done: (scene) => until(scene, (o) => o.fulfillments.length === 1, 'the work order'),
    after: after(5_000, 1_490),
  },
  {
    name: 'a gift card is redeemed', kind: 'capture',
    lead: async (scene) => {
      await one(scene, await byGiftCard(scene))
      await pack(scene, scene.works[0]!)
    },
    move: (scene) => leave(scene, scene.works[0]!),
    done: taken(1_490),
    after: after(3_510, 0, ['captured', -1_490]),
  },
  {
    name: 'a part of store credit is redeemed', kind: 'capture',
    lead: async (scene) => inParts(scene, 2, await byStoreCredit(scene)),
    move: (scene) => leave(scene, scene.works[0]!),
    done: taken(1_490),
    after: after(3_510, 1_000, ['captured', -1_490]),
  },
  {
    name: 'a gift card is let go', kind: 'void',
    lead: async (scene) => one(scene, await byGiftCard(scene)),
    move: cancels,
    done: (scene) => until(scene, (o) => !o.workflowOpen && o.paymentStatus === 'voided', 'the end'),
    after: after(5_000, 0),
  },
  {
    name: 'what is left of store credit is let go', kind: 'void',
    lead: async (scene) => {
      await inParts(scene, 1, await byStoreCredit(scene))
      await leave(scene, scene.works[0]!)
      await taken(1_490)(scene)
    },
    move: ({ people, orderId, works }) => people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: works[1]!.lines[0]!.lineId, quantity: 1 }], reason: 'one is enough' }),
    done: (scene) => until(scene, (o) => o.payments[0]!.status === 'captured', 'the rest to be let go'),
    after: after(3_510, 0, ['captured', -1_490]),
  },
  {
    name: 'a gift card is given back what came back', kind: 'refund',
    lead: async (scene) => {
      await sold(scene, await byGiftCard(scene))
      await asksBack(scene)
    },
    move: isCounted,
    done: given,
    after: after(5_000, 0, ['captured', -1_490], ['refunded', 1_490]),
  },
  {
    name: 'store credit is given back what came back', kind: 'refund',
    lead: async (scene) => {
      await sold(scene, await byStoreCredit(scene))
      await asksBack(scene)
    },
    move: isCounted,
    done: given,
    after: after(5_000, 0, ['captured', -1_490], ['refunded', 1_490]),
  },
  {
    name: 'a claim becomes store credit', kind: 'credit',
    lead: (scene) => sold(scene, { customer: { customerRef: 'saver', name: 'Customer' } }),
    move: ({ people, orderId }) => people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'credit' }),
    done: (scene) => until(scene, (o) => o.money.creditedMinor === 1_490, 'the credit'),
    after: { balanceMinor: 1_490, heldMinor: 0, moves: [['credited', 1_490]] },
  },
]
