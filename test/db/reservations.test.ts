/** Stock that is held, given back, sold and shipped by many at once: never more than there is, and never less. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { hopefully, LostRace } from '../../db/race'
import { expireDue, findReservation, releaseReservation, reserve, takeHold, type Reservation } from '../../db/reservations'
import { claimPlanned, planClaim } from '../../db/sourcing'
import { release } from '../../db/stock'
import { takeCounts } from '../../db/stock-feed'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { defaultPolicies } from '../../domain/policy/kinds'
import { stock as stockInvariants } from '../invariants/stock'
import { freshDatabase, type FreshDatabase } from '../support/database'
import { factorOf, sampledProperty } from '../support/property'
import { anOrder, place } from '../api/orders-in-store'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await seedDemoNetwork(database.db)
})
afterAll(() => database.drop())

const later = (): string => new Date(Date.now() + 60_000).toISOString()
async function shelf(units: Record<string, number>): Promise<string> {
  const sku = `MIX-${randomUUID().slice(0, 8)}`
  await database.db('skus').insert({ sku, name: sku, weight_grams: 100 })
  for (const [node_id, on_hand] of Object.entries(units)) {
    await database.db('stock_levels').insert({ sku, node_id, on_hand })
    await database.db('stock_movements').insert({ sku, node_id, type: 'receipt', on_hand_delta: on_hand, actor: 'test' })
  }
  return sku
}
const holdOne = (sku: string, nodeId = 'dc-01', quantity = 1, quoteId: string = randomUUID(), expiresAt = later()): Promise<Reservation | undefined> =>
  reserve(database.db, { quoteId, channel: 'web', lines: [{ sku, nodeId, quantity }], expiresAt, actor: 'test' }).catch((cause: unknown) => (cause instanceof LostRace ? undefined : Promise.reject(cause as Error)))

/** An order for `quantity` units from wherever they are; undefined when it is short. */
async function sell(sku: string, quantity: number, quoteId?: string): Promise<string | undefined> {
  const orderId = await place(database.db, { lines: [{ ...anOrder().lines[0]!, sku, quantity }], totalMinor: 8900 * quantity + 490, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 8900 * quantity + 490 }] })
  return hopefully((mode) =>
    database.db.transaction(async (tx) => {
      if (quoteId) await takeHold(tx, { quoteId, skus: [sku], actor: 'test' })
      const ask = { channel: 'web', lines: [{ lineId: '1', sku, quantity, valueMinor: 0 }], method: 'delivery', excluded: [], policy: defaultPolicies.sourcing }
      const { chosen } = await planClaim(tx, ask, mode)
      if (!chosen) return undefined
      await claimPlanned(tx, { orderId, channel: 'web', shipments: chosen.shipments, actor: 'test' })
      return orderId
    }),
  )
}
async function expectStockInvariants(): Promise<void> {
  for (const invariant of stockInvariants.filter((i) => i.when === 'always')) expect({ [invariant.id]: await invariant.violations({ db: database.db }) }).toEqual({ [invariant.id]: [] })
}
const level = (sku: string): Promise<{ reserved: number; allocated: number }> => database.db('stock_levels').where({ sku }).sum({ reserved: 'reserved', allocated: 'allocated' }).first().then((l) => ({ reserved: Number(l!.reserved), allocated: Number(l!.allocated) }))

it('gives exactly a hundred holds to sixty-four callers who want ten times as many', async () => {
  const sku = await shelf({ 'dc-01': 100 })
  let left = 1_000
  const won: Reservation[] = []
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const held = await holdOne(sku)
      if (held) won.push(held)
    }
  }
  await Promise.all(Array.from({ length: 64 }, caller))
  expect([won.length, await level(sku)]).toEqual([100, { reserved: 100, allocated: 0 }])
  await expectStockInvariants()
})

it('ends a hold once when it is given back, taken and expires at the same moment', async () => {
  const sku = await shelf({ 'dc-01': 1 })
  for (let round = 0; round < 5; round += 1) {
    const quoteId = randomUUID()
    const held = (await holdOne(sku, 'dc-01', 1, quoteId, new Date().toISOString()))!
    await Promise.all([
      database.db.transaction((tx) => releaseReservation(tx, held.reservationId, 'test')),
      database.db.transaction((tx) => takeHold(tx, { quoteId, skus: [sku], actor: 'test' })),
      database.db.transaction((tx) => expireDue(tx, 10)),
      database.db.transaction((tx) => expireDue(tx, 10)),
    ])
    expect((await findReservation(database.db, held.reservationId))!.status).not.toBe('open')
    expect(await level(sku)).toEqual({ reserved: 0, allocated: 0 })
  }
  await expectStockInvariants()
})

it('holds a quote over several shelves whole or not at all', async () => {
  const [here, gone] = [await shelf({ 'dc-01': 5 }), await shelf({ 'dc-01': 0 })]
  const lines = [{ sku: here, nodeId: 'dc-01', quantity: 1 }, { sku: gone, nodeId: 'dc-01', quantity: 1 }]
  await expect(reserve(database.db, { quoteId: randomUUID(), channel: 'web', lines, expiresAt: later(), actor: 'test' })).rejects.toThrow(LostRace)
  const twice = [{ sku: here, nodeId: 'dc-01', quantity: 3 }, { sku: here, nodeId: 'dc-01', quantity: 3 }]
  await expect(reserve(database.db, { quoteId: randomUUID(), channel: 'web', lines: twice, expiresAt: later(), actor: 'test' })).rejects.toThrow(LostRace)
  expect(await level(here)).toEqual({ reserved: 0, allocated: 0 })
})

type Deed = { kind: 'hold' | 'holdAndOrder' | 'holdAndDrop' | 'holdAndExpire' | 'sell' | 'sellAndCancel'; quantity: number; node: number } | { kind: 'count'; node: number } | { kind: 'sweep' }
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('hold' as const, 'holdAndOrder' as const, 'holdAndDrop' as const, 'holdAndExpire' as const, 'sell' as const, 'sellAndCancel' as const), quantity: fc.integer({ min: 1, max: 2 }), node: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('count' as const), node: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
)
const nodes = ['dc-01', 'store-mitte']

/** What many do at once with one SKU, each to the end of what it wants. */
async function act(sku: string, one: Deed): Promise<void> {
  const { db } = database
  switch (one.kind) {
    case 'sweep':
      return void (await db.transaction((tx) => expireDue(tx, 50)))
    case 'count': {
      const found = (await db('stock_levels').where({ sku, node_id: nodes[one.node] }).first<{ on_hand: number }>())
      return void (await db.transaction((tx) => takeCounts(tx, [{ sku, nodeId: nodes[one.node]!, onHand: found.on_hand, asOf: new Date().toISOString() }], 'test')))
    }
    case 'sell':
      return void (await sell(sku, one.quantity))
    case 'sellAndCancel': {
      const orderId = await sell(sku, one.quantity)
      if (orderId) await db.transaction((tx) => release(tx, { orderId, actor: 'test', reason: 'cancelled' }))
      return
    }
    default: {
      const quoteId = uuidv7()
      const held = await holdOne(sku, nodes[one.node], one.quantity, quoteId, one.kind === 'holdAndExpire' ? new Date().toISOString() : later())
      if (held && one.kind === 'holdAndDrop') await db.transaction((tx) => releaseReservation(tx, held.reservationId, 'test'))
      if (held && one.kind === 'holdAndOrder') expect(await sell(sku, one.quantity, quoteId)).toBeDefined()
    }
  }
}

it('never oversells and never undersells, whatever is held, dropped, expired, ordered, cancelled, counted and swept at once', async () => {
  await sampledProperty(
    fc.asyncProperty(fc.array(deed, { minLength: 8, maxLength: 24 }), fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 })), async (deeds, [here, there]) => {
      const sku = await shelf({ 'dc-01': here, 'store-mitte': there })
      await Promise.all(deeds.map((one) => act(sku, one)))
      await expectStockInvariants()
      // Everybody who still wants a unit gets one until the last is sold.
      await database.db.transaction((tx) => expireDue(tx, 1_000))
      const { reserved, allocated } = await level(sku)
      const free = here + there - reserved - allocated
      expect(free).toBeGreaterThanOrEqual(0)
      const sold = await Promise.all(Array.from({ length: free + 3 }, () => sell(sku, 1)))
      expect(sold.filter(Boolean)).toHaveLength(free)
      await expectStockInvariants()
    }),
    12,
  )
}, 60_000 * factorOf())
