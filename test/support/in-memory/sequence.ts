/** A sequence of commands on one order without Temporal, from the click to its end. Only to be loaded where `@temporalio/workflow` is stood in for. */
import { randomUUID } from 'node:crypto'
import { goOn, paying, take, type Hands, type Step, type Wish } from '../commands'
import { peopleOf, type People } from '../people'
import { wrongWith } from './adds-up'
import { chanceOf } from './chance'
import { startInMemory, type InMemory } from './system'

export interface World {
  system: InMemory
  people: People
  /** What was done, and how often the answer was a yes. */
  done: Map<string, number>
}

export async function openWorld(): Promise<World> {
  const system = await startInMemory({
    payment: { deadline: 'PT30M' },
    sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT10M', autoCancelAfter: 'PT1H' },
    returns: { window: 'P14D', restockBy: 'P7D', feeMinor: 150, advance: { hold: true }, rules: (['request', 'scan'] as const).map((refundOn) => ({ name: refundOn, flags: [refundOn], refundOn })) },
    parcels: { lost: 'reship', damaged: 'refund', returned: 'refund' },
    care: { retryEvery: 'PT1M' },
  })
  return { system, people: peopleOf(system), done: new Map() }
}

/** Of three goods two are in one place each, and leave in two parts. */
const shelves: readonly Record<string, number>[] = [{ 'store-mitte': 3, 'dc-01': 4 }, { 'store-mitte': 4 }, { 'dc-01': 4 }]

const methods = { card: 'pm_card', 'card once': 'pm_once', asks: 'pm_action', 'at once': 'pm_wallet' } as const
const cards = [...Object.values(methods), 'pm_declined']

/** With what of them was counted since, because her bank gave it while they were under way. */
const givenBackSql = `SELECT coalesce(sum(CASE op.status WHEN 'abandoned' THEN 0 ELSE op.amount_minor END
    + coalesce((SELECT sum(c.amount_minor) FROM counted_goodwill c WHERE c.order_id = op.order_id AND c.purpose = op.purpose || ':' || op.operation_id || ':by-bank'), 0)), 0) AS minor
  FROM payment_operations op JOIN payments p USING (payment_id) WHERE op.order_id = ? AND op.kind = 'refund' AND `
const givenBackFor = { changes: `p.provider <> 'paid_elsewhere' AND op.purpose ~ '^(cancelled|uncovered|unwanted|cheaper)'`, returns: `op.purpose ~ '^refund:'` }

function handsFor({ system, people }: World, orderId: string, spare: string): () => Promise<Hands> {
  const carrierSays: Hands['carrierSays'] = (trackingNumber, status) =>
    system.tell(orderId, { source: 'carrier:swiftparcel', eventId: randomUUID(), kind: 'carrier', subject: trackingNumber, payload: { status, at: new Date().toISOString() } })
  const bankSays: Hands['bankSays'] = async (reference, says) => {
    if (says === 'authorized' || says === 'declined') return system.provider.decide(reference, says)
    const { amountMinor, status } = system.provider.dispute(reference, says === 'disputed' ? 'open' : says)
    await system.tell(orderId, { source: 'stripe', eventId: randomUUID(), kind: 'dispute', subject: reference, payload: { disputeId: `du_${reference}`, reference, amountMinor, currency: 'EUR', reason: 'fraudulent', status } })
  }
  const elapse = async (): Promise<void> => void (await system.elapse(orderId))
  const givenBack: Hands['givenBack'] = async (what) => Number((await system.db.raw<{ rows: { minor: string }[] }>(givenBackSql + givenBackFor[what], [orderId])).rows[0]!.minor)
  return async () => {
    await system.settled(orderId)
    return { people, order: await people.order(orderId), spare, cards, carrierSays, bankSays, givenBack, elapse }
  }
}

/** One order, whatever is asked of it and whatever goes wrong, until it has come to its end and adds up. */
export async function told(world: World, wish: Wish, commands: readonly Step[], luck: number): Promise<void> {
  const { system, people } = world
  const skus = await Promise.all(Array.from({ length: wish.lines }, (_, i) => people.stocked(shelves[i]!)))
  const spare = await people.stocked({ 'dc-01': 6 })
  const lines = skus.map((sku, i) => ({ sku, quantity: wish.units, unitPriceMinor: 1_000 + 333 * i }))
  const orderId = await people.place({ ...(await paying(people, wish, methods)), lines, flags: [wish.paidBack] })
  const chance = chanceOf(luck)
  const hands = handsFor(world, orderId, spare)
  const said: string[] = []
  try {
    for (let steps = 0; wish.delivered && steps < 5; steps += 1) await goOn(await hands())
    system.luck(orderId, chance)
    for (const command of commands) {
      said.push(await take(command, await hands()))
      const { what, isYes } = read(said.at(-1)!)
      if (isYes) world.done.set(what, (world.done.get(what) ?? 0) + 1)
      if (chance.twice()) await system.arrive(orderId)
    }
    said.push('and so on')
    system.luck(orderId, chanceOf(0))
    await system.arrive(orderId)
    for (let turns = 0; ; turns += 1) {
      const now = await hands()
      if (!now.order.workflowOpen) {
        const wrong = await wrongWith(system, now.order)
        if (wrong.length > 0) throw new Error(`${wrong.join('; ')}: ${await standing(world, orderId)}`)
        break
      }
      if (turns > 150) throw new Error(`it does not come to its end: ${await standing(world, orderId)}; they are told ${(await goOn(now)).join(' ')}`)
      await goOn(now)
      await system.settled(orderId)
      await system.elapse(orderId)
    }
  } catch (cause) {
    throw new Error(`${orderId}: ${String(cause)} after ${said.join(' · ')}\n${system.errors.at(-1) ?? ''}`, { cause })
  }
}

/** Where an order stands, for whoever has to find out why it goes no further. */
async function standing({ system, people }: World, orderId: string): Promise<string> {
  const { waitingOn, lines, fulfillments, returns, payments, holds } = await people.order(orderId)
  const operations = await system.db('payment_operations').where({ order_id: orderId }).orderBy('operation_id').select('kind', 'status', 'purpose', 'amount_minor')
  const counted = await system.db('counted_goodwill').where({ order_id: orderId }).select('given_by', 'purpose', 'amount_minor', 'parts')
  const disputes = await system.db('disputes').join('payments', 'payments.payment_id', 'disputes.payment_id').where({ order_id: orderId }).select('disputes.status', 'disputes.amount_minor')
  const [told, run] = [await people.told(orderId), system.hall.runOf(orderId)?.told()]
  return JSON.stringify({ waitingOn, lines, fulfillments: fulfillments.map((f) => [f.status, f.lines]), returns, payments, holds, operations, counted, disputes, told: told.join(' '), run })
}

/** What was done, by its name, and whether the answer was a yes, or none was waited for. */
function read(said: string): { what: string; isYes: boolean } {
  const [, what, status] = /^(.*?)(?: (\d{3}).*)?$/.exec(said)!
  return { what: what!, isYes: Number(status ?? 200) < 400 }
}
