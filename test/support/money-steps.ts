/** Every step at which money moves at the provider, each with the life that leads to it: what the fault stories and the killing of workers have in common. */
import type { ReturnView } from '../../db/views/returns'
import { tellOfExpiringHolds } from '../../db/expiring-holds'
import { steer } from './outside'
import { eventually, nextOrderNumber, type FulfillmentWork, type OrderWish, type People } from './people'
import type { PolicyChanges } from './policies'
import type { System } from './system'

export interface Money {
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  /** How many holds the provider ever gave. */
  holds: number
}

/** What a step needs of its system: whether a hold is captured once, or several times. */
export type Holds = 'captured once' | 'captured in parts'

export interface MoneyStep {
  name: string
  holds: Holds
  /** What the simulated provider calls it, and what our own row does. */
  operation: 'open' | 'authorize' | 'capture' | 'void' | 'refund'
  kind: 'authorize' | 'capture' | 'void' | 'refund'
  /** The call that does it, as a proxy sees it. */
  path: RegExp
  /** What is to be placed, or has been placed and come so far that the next thing done moves the money. */
  lead(scene: Scene): Promise<void>
  /** Moves it. Nobody waits for an answer: whoever would give it may be about to die. */
  move(scene: Scene): Promise<unknown>
  /** Everything that the step is to bring about has come. */
  done(scene: Scene): Promise<unknown>
  /** What the provider's own books say then. */
  after: Money
}

/** One order's stage: who acts on it, and what was noted on the way. */
export interface Scene {
  system: System
  people: People
  channelOrderId: string
  orderId: string
  /** Parts, goods, a return or a change on the way. */
  works: FulfillmentWork[]
  noted: Record<string, string>
}

/** What the provider calls the payments of an order, known before there is any. */
export const descriptionOf = ({ channelOrderId }: Pick<Scene, 'channelOrderId'>): string => `web ${channelOrderId}`

export const newScene = (system: System, people: People): Scene => ({ system, people, channelOrderId: nextOrderNumber(), orderId: '', works: [], noted: {} })

/** Orders may leave in parts, and whoever waits for a fault is patient. */
export const moneyPolicies: PolicyChanges = {
  payment: { deadline: 'PT2M', reauthorizeBefore: 'P1D' },
  sourcing: { maxShipments: 2, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT1M' },
  returns: { window: 'P30D', restockBy: 'P45D', advance: { hold: true } },
  care: { retryEvery: 'PT0.4S' },
}

const patient = { timeoutMs: 75_000 }
export const until = ({ people, orderId }: Scene, enough: Parameters<People['until']>[1], what: string): Promise<unknown> => eventually(() => people.order(orderId), enough, { ...patient, what })

export async function place(scene: Scene, wish: OrderWish): Promise<void> {
  scene.orderId = await scene.people.place({ ...wish, channelOrderId: scene.channelOrderId })
}

async function released(scene: Scene, parts: number): Promise<void> {
  await until(scene, (o) => o.fulfillments.length === parts && o.payments.every((p) => p.status !== 'opened'), 'the work orders')
  scene.works = (await scene.people.order(scene.orderId)).fulfillments
}

/** One unit in one place. */
export async function one(scene: Scene, wish: OrderWish = {}): Promise<void> {
  await place(scene, { lines: [{ sku: await scene.people.stocked({ 'store-mitte': 3 }), quantity: 1 }], ...wish })
  await released(scene, 1)
}

/** Two units of a SKU, so that the order might leave in parts and its payment method is kept. */
async function two(scene: Scene): Promise<void> {
  await place(scene, { lines: [{ sku: await scene.people.stocked({ 'store-mitte': 2 }), quantity: 2 }] })
  await released(scene, 1)
}

/** Two goods from two places. */
export async function inParts(scene: Scene, ready = 2, wish: OrderWish = {}): Promise<void> {
  const skus = [await scene.people.stocked({ 'store-mitte': 1 }), await scene.people.stocked({ 'store-kreuzberg': 1 })]
  await place(scene, { lines: skus.map((sku) => ({ sku, quantity: 1 })), ...wish })
  await released(scene, 2)
  for (const work of scene.works.slice(0, ready)) await pack(scene, work)
}

/** Many lives at once: what is not answered in time is done all the same, and looked at again. */
export async function pack({ people, noted, orderId }: Scene, work: FulfillmentWork): Promise<void> {
  const step = async (): Promise<string | undefined> => {
    const order = await people.order(orderId)
    const now = order.fulfillments.find((f) => f.fulfillmentId === work.fulfillmentId)!
    if (now.status === 'released') await people.pickAll(work)
    if (now.status === 'picked') await people.packAll(work)
    return order.shipments.find((s) => s.fulfillmentId === work.fulfillmentId)?.trackingNumber ?? undefined
  }
  noted[work.fulfillmentId] = (await eventually(step, (number) => number !== undefined, { ...patient, what: 'the parcel' }))!
}
export const leave = ({ people }: Scene, work: FulfillmentWork): Promise<unknown> => people.handOver(work)

/** The customer has it. */
export async function sold(scene: Scene, wish: OrderWish = {}): Promise<void> {
  await one(scene, wish)
  const [work] = scene.works
  await pack(scene, work!)
  await leave(scene, work!)
  await scene.people.carrierSays(scene.noted[work!.fulfillmentId]!, 'delivered')
  await until(scene, (o) => o.waitingOn?.what === 'return_window' && o.money.capturedMinor === 1_490, 'the delivery')
}

export const taken = (capturedMinor: number) => (scene: Scene): Promise<unknown> => until(scene, (o) => o.money.capturedMinor === capturedMinor, 'the capture')
export const given = (scene: Scene): Promise<unknown> => until(scene, (o) => o.money.refundedMinor === 1_490 && o.returns[0]!.status === 'closed', 'the refund')

const lines = [{ lineId: '1', quantity: 1, reason: 'torn' }]
export async function asksBack(scene: Scene): Promise<void> {
  scene.noted.returnId = (await scene.people.support<ReturnView>('POST', `/v1/orders/${scene.orderId}/returns`, { lines, method: 'store' })).body.returnId
}
export const isCounted = ({ people, noted }: Scene): Promise<unknown> =>
  people.store('store-mitte')('POST', `/v1/returns/${noted.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
const claimed = ({ people, orderId }: Scene): Promise<unknown> => people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund' })

/** Its hold runs out tomorrow, and whoever looks after that has looked. */
async function runsOut({ system, orderId }: Scene): Promise<void> {
  await system.db('payments').where({ order_id: orderId }).update({ authorization_expires_at: new Date(Date.now() + 3_600_000) })
  await tellOfExpiringHolds(system.db)
}

/** The bank does not hold what it is asked for next. */
const refusesOnce = (scene: Scene): Promise<unknown> => steer(scene.system.payments.url, '/control/faults', { next: 1, kind: 'decline', operation: 'authorize', about: descriptionOf(scene) })

const notHeld = ({ system, orderId }: Scene): Promise<object[]> => system.db('exceptions').where({ order_id: orderId, kind: 'payment.remainder_not_held', resolved_at: null }).select('exception_id')

const statuses = (scene: Scene): Promise<string[]> => scene.system.db('payments').where({ order_id: scene.orderId }).orderBy('payment_id').pluck<string[]>('status')
const renewed = (scene: Scene): Promise<unknown> => eventually(() => statuses(scene), (s) => s.join() === 'voided,authorized', { ...patient, what: 'the hold held anew' })

const confirm = { operation: 'authorize', kind: 'authorize', path: /\/confirm$/ } as const
const capture = { operation: 'capture', kind: 'capture', path: /\/capture$/ } as const
const cancelCall = { operation: 'void', kind: 'void', path: /\/cancel$/ } as const
const refund = { operation: 'refund', kind: 'refund', path: /\/refunds$/ } as const
const placing = {
  lead: () => Promise.resolve(),
  move: async (scene: Scene) => place(scene, { lines: [{ sku: await scene.people.stocked({ 'store-mitte': 1 }), quantity: 1 }] }),
  done: (scene: Scene) => until(scene, (o) => o.fulfillments.length === 1, 'the authorisation'),
}

const back = (authorizedMinor: number, capturedMinor: number, refundedMinor: number, holds: number): Money => ({ authorizedMinor, capturedMinor, refundedMinor, holds })

export const moneySteps: readonly MoneyStep[] = [
  { name: 'the payment is opened', holds: 'captured once', operation: 'open', kind: 'authorize', path: /\/payment_intents$/, ...placing, after: back(1_490, 0, 0, 1) },
  { name: 'the money is authorised', holds: 'captured once', ...confirm, ...placing, after: back(1_490, 0, 0, 1) },
  {
    name: 'the difference of a change is authorised',
    holds: 'captured once',
    ...confirm,
    lead: async (scene) => {
      await one(scene)
      const change = await scene.people.support<{ changeId: string }>('POST', `/v1/orders/${scene.orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 3 }] })
      scene.noted.changeId = change.body.changeId
    },
    move: ({ people, orderId, noted }) => people.support('POST', `/v1/orders/${orderId}/changes/${noted.changeId}/confirm`, {}),
    done: (scene) => until(scene, (o) => o.lines[0]!.quantity === 3, 'the change'),
    after: back(3_490, 0, 0, 2),
  },
  {
    name: 'the rest is authorised after a part has left',
    holds: 'captured once',
    ...confirm,
    lead: (scene) => inParts(scene),
    move: (scene) => leave(scene, scene.works[0]!),
    done: (scene) => until(scene, (o) => o.money.capturedMinor === 1_490 && o.money.authorizedMinor === o.totalMinor, 'the rest'),
    after: back(3_490, 1_490, 0, 2),
  },
  {
    name: 'the rest is authorised by another card that was given for it',
    holds: 'captured once',
    ...confirm,
    lead: async (scene) => {
      await inParts(scene)
      await refusesOnce(scene)
      await leave(scene, scene.works[0]!)
      await eventually(() => notHeld(scene), (open) => open.length === 1, { ...patient, what: 'the case' })
      await taken(1_490)(scene)
    },
    move: ({ people, orderId }) => people.support('POST', `/v1/orders/${orderId}/payment-methods`, { provider: 'stripe', paymentMethod: 'pm_card_mastercard' }),
    done: (scene) => eventually(() => notHeld(scene), (open) => open.length === 0, { ...patient, what: 'the case to settle itself' }),
    after: back(3_490, 1_490, 0, 2),
  },
  { name: 'a hold that runs out is authorised again', holds: 'captured once', ...confirm, lead: two, move: runsOut, done: renewed, after: back(4_980, 0, 0, 2) },
  { name: 'the hold before it is let go', holds: 'captured once', ...cancelCall, lead: two, move: runsOut, done: renewed, after: back(4_980, 0, 0, 2) },
  {
    name: 'the money is captured',
    holds: 'captured once',
    ...capture,
    lead: async (scene) => {
      await one(scene)
      await pack(scene, scene.works[0]!)
    },
    move: (scene) => leave(scene, scene.works[0]!),
    done: taken(1_490),
    after: back(1_490, 1_490, 0, 1),
  },
  { name: 'a part of the hold is captured', holds: 'captured in parts', ...capture, lead: (scene) => inParts(scene), move: (scene) => leave(scene, scene.works[0]!), done: taken(1_490), after: back(2_490, 1_490, 0, 1) },
  {
    name: 'the last part of the hold is captured',
    holds: 'captured in parts',
    ...capture,
    lead: async (scene) => {
      await inParts(scene)
      await leave(scene, scene.works[0]!)
      await taken(1_490)(scene)
    },
    move: (scene) => leave(scene, scene.works[1]!),
    done: taken(2_490),
    after: back(2_490, 2_490, 0, 1),
  },
  {
    name: 'the authorisation is voided',
    holds: 'captured once',
    ...cancelCall,
    lead: one,
    move: ({ people, orderId }) => people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' }),
    done: (scene) => until(scene, (o) => !o.workflowOpen && o.paymentStatus === 'voided', 'the void'),
    after: back(1_490, 0, 0, 1),
  },
  {
    name: 'what is left of the hold is let go',
    holds: 'captured in parts',
    ...capture,
    kind: 'void',
    lead: async (scene) => {
      await inParts(scene, 1)
      await leave(scene, scene.works[0]!)
      await taken(1_490)(scene)
    },
    move: ({ people, orderId, works }) => people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: works[1]!.lines[0]!.lineId, quantity: 1 }], reason: 'one is enough' }),
    done: (scene) => eventually(() => statuses(scene), (s) => s.join() === 'captured', { ...patient, what: 'the rest let go' }),
    after: back(2_490, 1_490, 0, 1),
  },
  {
    name: 'the money is refunded for what came back',
    holds: 'captured once',
    ...refund,
    lead: async (scene) => {
      await sold(scene)
      await asksBack(scene)
    },
    move: isCounted,
    done: given,
    after: back(1_490, 1_490, 1_490, 1),
  },
  { name: 'the money is refunded at once for a fault', holds: 'captured once', ...refund, lead: sold, move: claimed, done: given, after: back(1_490, 1_490, 1_490, 1) },
]
