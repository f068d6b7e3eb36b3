/**
 * Throughline on a real database without Temporal: the api, the inbox and the story of an order as they are, and everything outside in this process.
 * A sequence of commands takes as long as its rows take. Only to be loaded where `@temporalio/workflow` is stood in for.
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { createActivities } from '../../../activities'
import { ownFleetCarrier } from '../../../adapters/carriers/own-fleet'
import { byAir } from '../../../adapters/roads/by-air'
import { createApp } from '../../../api/app'
import type { Db } from '../../../db/connection'
import { leaseFacts, receiveFact, type InboundFact } from '../../../db/inbox'
import { seedDemoNetwork } from '../../../dev/seed-demo'
import { channelFacts } from '../../../relay/channel-facts'
import { factDealer } from '../../../relay/inbox'
import { freshDatabase } from '../database'
import { activate, type PolicyChanges } from '../policies'
import { carrierStandIn } from './carrier'
import { chanceOf, type Chance } from './chance'
import { openHall, type Hall } from './order-hall'
import { messageOf, providerStandIn, type BookedIntent, type ProviderStandIn } from './provider'
import { currentRun } from './workflow'

export interface InMemory {
  url: string
  db: Db
  hall: Hall
  provider: ProviderStandIn
  /** What the api could not answer, as it was logged. */
  errors: readonly string[]
  /** What goes wrong for this order from now on. */
  luck(orderId: string, chance: Chance): void
  /** Somebody outside tells something. */
  tell(orderId: string, fact: InboundFact): Promise<void>
  /** Whatever can go on without waiting for time or people has gone on. */
  settled(orderId: string): Promise<void>
  /** What was late arrives. */
  arrive(orderId: string): Promise<void>
  /** The next deadline or retry of the order comes. @returns false when it waits for none. */
  elapse(orderId: string): Promise<boolean>
  stop(): Promise<void>
}

const smooth = chanceOf(0)

export async function startInMemory(policies: PolicyChanges): Promise<InMemory> {
  const database = await freshDatabase()
  const { db } = database
  await seedDemoNetwork(db)
  await activate(db, policies)
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) })
  const chances = new Map<string, Chance>()
  const late = new Map<string, InboundFact[]>()
  const chanceFor = (orderId: string | undefined): Chance => chances.get(orderId ?? '') ?? smooth
  const here = (): Chance => chanceFor(currentRun()?.orderId)

  const tell = async (orderId: string, fact: InboundFact): Promise<void> => {
    const fate = chanceFor(orderId).news()
    if (fate === 'never' && fact.kind === 'payment') return
    if (fate === 'late') return void late.set(orderId, [...(late.get(orderId) ?? []), fact])
    await receiveFact(db, fact)
    isFull = true // not before it is there: another order may empty the inbox meanwhile
    if (fate === 'first') await empty()
    if (fate === 'twice') await receiveFact(db, fact)
  }
  const announce = (intent: BookedIntent): Promise<void> =>
    tell(intent.orderRef, { source: 'stripe', eventId: randomUUID(), kind: 'payment', subject: intent.id, payload: { type: 'payment', paymentId: intent.paymentId, view: messageOf(intent) } })
  const provider = providerStandIn({ fault: (orderRef) => chanceFor(orderRef).call(), announce })
  // Its faults would be held against it by every order at once, for as long as its circuit breaker takes by the clock on the wall: test/stories/carriers.test.ts has them.
  const carriers = [ownFleetCarrier(), carrierStandIn()]

  const activities = createActivities({ db: unsteady(db, () => here()), databaseUrl: database.url, payments: provider, carriers, distances: byAir, orders: { tell: (...said) => hall.tell(...said) } })
  const hall: Hall = openHall(db, () => activities, () => inTurn(dealOut))
  const deal = factDealer({ db, threads: hall, channelFacts: channelFacts({ db, threads: hall }) })
  let isFull = false
  let dealt = 0
  const dealOut = async (): Promise<number> => {
    for (const fact of await leaseFacts(db, 100, 30_000)) {
      await deal(fact)
      dealt += 1
    }
    return dealt
  }
  // One after the other: what another order has taken out of the inbox is dealt before anybody finds it empty.
  let emptied: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = emptied.then(work)
    emptied = done.catch(() => undefined)
    return done
  }
  const empty = (): Promise<void> =>
    inTurn(async () => {
      if (!isFull) return
      isFull = false
      await dealOut()
    })

  const settled = async (orderId: string): Promise<void> => {
    if (!hall.runOf(orderId)) await hall.startAll()
    if (!hall.runOf(orderId)) await hall.start(orderId) // another life was about to start it
    do {
      await hall.runOf(orderId)?.quiet()
      await empty()
      await hall.runOf(orderId)?.quiet()
    } while (isFull)
    const run = hall.runOf(orderId)
    if (run?.broken) throw run.broken as Error
  }
  // Where waiting takes no time, a machine that stands still for a while is no order that does not answer.
  const config = { DEMO: true, COMMAND_DEADLINE_MS: 300_000, CUSTOMER_REF_SECRET: 'customer-ref-in-memory', QUOTE_SECRET: 'quote-secret-in-memory' }
  const app = createApp({ db, threads: hall, log, config, carriers, wake: () => undefined })
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, db, hall, provider, errors, tell, settled,
    luck: (orderId, chance) => void chances.set(orderId, chance),
    arrive: async (orderId) => {
      for (const fact of late.get(orderId) ?? []) await receiveFact(db, fact)
      late.delete(orderId)
      isFull = true // also of what our own steps had to tell
      await settled(orderId)
    },
    elapse: async (orderId) => {
      const rang = hall.runOf(orderId)?.elapse() ?? false
      isFull ||= !rang
      await settled(orderId)
      return rang
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await database.drop()
    },
  }
}

/** A connection may be lost before a transaction is committed, or after it. */
function unsteady(db: Db, chance: () => Chance): Db {
  const transaction = async <Result>(work: (tx: never) => Promise<Result>): Promise<Result> => {
    const fault = chance().step()
    if (fault === 'undone') await db.transaction(async (tx) => Promise.reject(await work(tx as never).then(() => new Error('the connection was lost before the commit'))))
    const result = await db.transaction((tx) => work(tx as never))
    if (fault === 'answer lost') throw new Error('the connection was lost after the commit')
    return result
  }
  return new Proxy(db, { get: (target, name) => (name === 'transaction' ? transaction : (Reflect.get(target, name, target) as unknown)) })
}
