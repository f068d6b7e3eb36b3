/** Whatever is asked of orders, in whatever sequence: every answer is a yes or a refusal with a code, and in the end money, stock and orders add up. */
import fc from 'fast-check'
import type { FulfillmentView } from '../../db/views/fulfillments'
import type { OrderView } from '../../db/views/orders'
import { caller, eventually, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { factorOf, seed } from '../support/property'
import { startSystem, type System } from '../support/system'

const orders = 6 * Math.min(10, factorOf())
const mostCommands = 30

let system: System
let people: People
let finance: Call
beforeAll(async () => {
  const policies = {
    returns: { window: 'PT2S', restockBy: 'PT20S', feeMinor: 150 },
    sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT3S' },
    parcels: { lost: 'reship', damaged: 'refund', returned: 'refund' },
    care: { retryEvery: 'PT0.3S' },
  } as const
  system = await startSystem({ policies })
  people = peopleOf(system)
  finance = caller(system.url, 'demo-finance')
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

/** One thing somebody does; `pick` chooses among what there is to choose from. */
interface Command {
  what: (typeof whats)[number]
  pick: number
  more: number
}
const whats = ['pick', 'pack', 'hand-over', 'reject', 'deliver', 'lose', 'cancel', 'cancel-units', 'change', 'return', 'replace', 'receive', 'decide', 'ledger'] as const
/** Most days are ordinary, or few orders would get as far as a return. */
const often = ['pick', 'pack', 'hand-over', 'deliver', 'pick', 'pack', 'hand-over', 'deliver', 'return', 'receive', 'replace'] as const
const commands = fc.array(fc.record({ what: fc.oneof({ arbitrary: fc.constantFrom(...often), weight: 30 }, { arbitrary: fc.constantFrom(...whats.filter((w) => w !== 'cancel')), weight: 20 }, { arbitrary: fc.constant('cancel' as const), weight: 1 }), pick: fc.nat(1_000), more: fc.nat(1_000) }), { minLength: 15, maxLength: mostCommands })
const wishes = fc.record({ units: fc.integer({ min: 1, max: 3 }), lines: fc.integer({ min: 1, max: 3 }), elsewhere: fc.boolean() })

const chosen = <T>(all: readonly T[], pick: number): T | undefined => all[pick % Math.max(1, all.length)]
const order = (orderId: string): Promise<OrderView> => people.order(orderId)
type Asked = Answer<{ code?: string }>

/** Picks, packs or hands over some work that is in the state for it. */
async function storeStep(orderId: string, status: string, pick: number, step: (work: OrderView['fulfillments'][number]) => Promise<unknown>): Promise<Asked | undefined> {
  const work = chosen((await order(orderId)).fulfillments.filter((f) => f.status === status), pick)
  return work && ((await step(work)) as Asked)
}

/** What is still to be picked of it. */
const pickRest = (work: OrderView['fulfillments'][number]): Promise<Answer<FulfillmentView>> =>
  people.work(work, 'pick', { lines: work.lines.map((l) => ({ lineId: l.lineId, picked: l.quantity - l.picked - l.rejected })).filter((l) => l.picked > 0) })

const rejectOne = (work: OrderView['fulfillments'][number], more: number): Promise<Answer<FulfillmentView>> => {
  const line = chosen(work.lines.filter((l) => l.quantity > l.picked + l.rejected), more)!
  return people.work(work, 'pick', { lines: [{ lineId: line.lineId, picked: 0, rejected: 1, reason: chosen(['not_in_stock', 'damaged', 'no_time'], more) }] })
}

async function carrierStep(orderId: string, pick: number, status: string): Promise<undefined> {
  const parcel = chosen((await order(orderId)).shipments.filter((s) => s.trackingNumber !== null && ['handed_over', 'in_transit', 'labelled'].includes(s.status)), pick)
  if (parcel) await people.carrierSays(parcel.trackingNumber!, status)
}

const some = (lines: OrderView['lines'], { pick, more }: Command): { lineId: string; quantity: number } | undefined => {
  const line = chosen(lines, pick)
  return line && { lineId: line.lineId, quantity: 1 + (more % line.quantity) }
}

async function receive(orderId: string, { pick, more }: Command): Promise<Asked | undefined> {
  const back = chosen((await order(orderId)).returns, pick)
  if (!back) return undefined
  const grade = chosen(['as_new', 'used', 'damaged', 'empty_box'] as const, more)!
  const disposition = chosen(['restock', 'refurbish', 'write_off', 'to_vendor'] as const, more >> 2)!
  const lines = [{ lineId: chosen(back.lines, more)!.lineId, quantity: 1, grade, disposition }]
  return people.operations('POST', `/v1/returns/${back.returnId}/receive`, { nodeId: chosen(['dc-01', 'store-mitte'], more)!, lines })
}

async function change(orderId: string, command: Command): Promise<Asked | undefined> {
  const line = chosen((await order(orderId)).lines, command.pick)!
  const operation = line.quantity > 1 && command.more % 2 ? { op: 'setQuantity', lineId: line.lineId, quantity: 1 + (command.more % (line.quantity - 1)) } : { op: 'removeLine', lineId: line.lineId }
  const asked = await people.support<{ changeId: string; code?: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [operation] })
  return asked.status === 201 ? people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {}) : asked
}

async function decide(orderId: string, { pick, more }: Command): Promise<Asked | undefined> {
  const back = chosen((await order(orderId)).returns, pick)
  return back && people.support('POST', `/v1/returns/${back.returnId}/${chosen(['approve', 'cancel'], more)!}`, {})
}

/** @returns what was answered; undefined where there was nothing to do it to. */
async function done(orderId: string, command: Command): Promise<Asked | undefined> {
  const { pick } = command
  switch (command.what) {
    case 'pick': return storeStep(orderId, 'released', pick, pickRest)
    case 'pack': return storeStep(orderId, 'picked', pick, (w) => people.packPicked(w))
    case 'hand-over': return storeStep(orderId, 'packed', pick, (w) => people.handOver(w))
    case 'reject': return storeStep(orderId, 'released', pick, (w) => rejectOne(w, command.more))
    case 'deliver': return carrierStep(orderId, pick, 'delivered')
    case 'lose': return carrierStep(orderId, pick, chosen(['lost', 'damaged', 'returned'], command.more)!)
    case 'cancel': return people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
    case 'cancel-units': return people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [some((await order(orderId)).lines, command)], reason: 'too many' })
    case 'change': return change(orderId, command)
    case 'return': return people.support('POST', `/v1/orders/${orderId}/returns`, { lines: [{ ...some((await order(orderId)).lines, command), reason: 'too big' }], method: 'store' })
    case 'replace': return people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ ...some((await order(orderId)).lines, command), reason: 'broken' }], collectOld: chosen(['store', 'none'], command.more)! })
    case 'receive': return receive(orderId, command)
    case 'decide': return decide(orderId, command)
    case 'ledger': return finance('GET', `/v1/orders/${orderId}/ledger`)
  }
}

/** Everything that is still open goes the straight way to its end. */
async function finish(orderId: string): Promise<void> {
  await eventually(
    async () => {
      const now = await order(orderId)
      for (const work of now.fulfillments) {
        if (work.status === 'released' || work.status === 'picking') await pickRest(work)
        else if (work.status === 'picked') await people.packPicked(work)
        else if (work.status === 'packed') await people.handOver(work)
      }
      for (const s of now.shipments) if (s.trackingNumber !== null && s.handedOverAt !== null && !['delivered', 'lost', 'returned'].includes(s.status)) await people.carrierSays(s.trackingNumber, 'delivered')
      for (const back of now.returns)
        for (const { lineId, quantity, received } of back.lines)
          if (quantity > received) await people.operations('POST', `/v1/returns/${back.returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId, quantity: 1, grade: 'as_new', disposition: 'restock' }] })
      return order(orderId)
    },
    (now) => !now.workflowOpen,
    { timeoutMs: 60_000, what: `order ${orderId} to come to its end` },
  )
}

const sequences = fc.sample(fc.tuple(wishes, commands), { seed, numRuns: orders })

it.each(sequences.map(([wish, steps], i) => [i + 1, wish, steps] as const))('answers and adds up: sequence %i', async (_number, wish, steps) => {
  const skus = await Promise.all(Array.from({ length: wish.lines }, () => people.stocked({ 'store-mitte': 3, 'dc-01': 2 })))
  const orderId = await people.place({ paidElsewhere: wish.elsewhere, lines: skus.map((sku, i) => ({ sku, quantity: wish.units, unitPriceMinor: 1_000 + 333 * i })) })
  await people.until(orderId, (o) => o.fulfillments.length > 0 || !o.workflowOpen, 'work')
  const told: string[] = []
  for (const command of steps) {
    const answer = await done(orderId, command)
    if (answer) told.push(`${command.what} ${answer.status} ${answer.body.code ?? ''}`)
    if (answer && answer.status >= 400 && answer.status !== 409) throw new Error(`answered ${answer.status} ${JSON.stringify(answer.body)} after ${told.join(' · ')}`)
  }
  await finish(orderId).catch((cause: unknown) => Promise.reject(new Error(`${String(cause)} after ${told.join(' · ')}`)))
}, 120_000)
