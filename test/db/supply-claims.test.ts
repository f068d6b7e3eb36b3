/** What is to come, sold by many at once: never more is promised than is announced and allowed, and what nobody wants any more can be promised again. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { cancelOrder } from '../../db/steps/cancel-order'
import { sourceOrder } from '../../db/steps/source-order'
import { hopefully } from '../../db/race'
import { adjustStock } from '../../db/stock-feed'
import { announceSupply } from '../../db/supply'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { Refusal } from '../../domain/refusals'
import { stock as stockInvariants } from '../invariants/stock'
import { anOrder, place } from '../api/orders-in-store'
import { freshDatabase, type FreshDatabase } from '../support/database'
import { sampledProperty } from '../support/property'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase({ poolMax: 12 })
  await seedDemoNetwork(database.db)
})
afterAll(() => database.drop())

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString()
const reference = 'PO-1'

interface Terms {
  backorder?: boolean
  cap?: number
  announced?: number
  onHand?: number
}
async function newSku({ backorder = true, cap, announced = 0, onHand = 0 }: Terms): Promise<string> {
  const sku = `SOON-${randomUUID().slice(0, 8)}`
  const preorder = cap === undefined ? {} : { preorder_cap: cap, preorder_ship_by: inHours(500) }
  await database.db('skus').insert({ sku, name: sku, weight_grams: 100, backorder, ...preorder })
  if (announced > 0) await announce(sku, announced)
  if (onHand > 0) await receive(sku, onHand, false)
  return sku
}
const announce = (sku: string, quantity: number): Promise<void> =>
  database.db.transaction((tx) => announceSupply(tx, { sku, nodeId: 'dc-01', reference, quantity, expectedAt: inHours(24) }, 'test'))
const receive = (sku: string, delta: number, isAnnounced = true): Promise<void> =>
  database.db.transaction((tx) => adjustStock(tx, { sku, nodeId: 'dc-01', delta, reason: 'delivered', ...(isAnnounced && { supplyReference: reference }) }, 'test'))
/** @returns the order, or undefined when it is short. */
const order = (sku: string, quantity = 1, priority = 5): Promise<string | undefined> => {
  const totalMinor = 8900 * quantity + 490
  const wish = { claim: 'required' as const, priority, lines: [{ ...anOrder().lines[0]!, sku, quantity, taxMinor: 0 }], totalMinor, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere' as const, amountMinor: totalMinor }] }
  return place(database.db, wish).catch((cause: unknown) => (cause instanceof Refusal && cause.code === 'stock.short' ? undefined : Promise.reject(cause as Error)))
}
const cancel = (orderId: string): Promise<unknown> => database.db.transaction((tx) => cancelOrder(tx, { orderId, commandId: orderId, actor: 'test', reason: 'changed her mind' }))
const attempt = (orderId: string): Promise<{ outcome: string }> => {
  const wait = { what: 'stock' as const, since: inHours(0), deadline: inHours(900) }
  return hopefully((mode) => database.db.transaction((tx) => sourceOrder(tx, { orderId, attempt: 1, dueAt: inHours(4), at: inHours(0), ifSourced: wait, ifShort: wait }, mode)))
}
const claims = (orderId: string): Promise<{ quantity: number; status: string; reference: string | null }[]> => database.db('supply_claims').where({ order_id: orderId }).select('quantity', 'status', 'reference').orderBy('claim_id')
const lineOf = (orderId: string): Promise<{ allocated: number; backordered: number }> => database.db('order_lines').where({ order_id: orderId }).first('allocated', 'backordered')
const promised = async (sku: string): Promise<{ supply: number; preorder: number }> => {
  const { rows } = await database.db.raw<{ rows: { supply: number; preorder: number }[] }>(
    'SELECT preorder_promised AS preorder, (SELECT coalesce(sum(promised), 0)::int FROM supply u WHERE u.sku = s.sku) AS supply FROM skus s WHERE sku = ?', [sku])
  return rows[0]!
}
async function expectStockInvariants(): Promise<void> {
  for (const invariant of stockInvariants.filter((i) => i.when === 'always')) expect({ [invariant.id]: await invariant.violations({ db: database.db }) }).toEqual({ [invariant.id]: [] })
}
afterEach(expectStockInvariants)

it('sells exactly what is there, what is announced and what may be pre-ordered to many who want more', async () => {
  const sku = await newSku({ onHand: 3, announced: 5, cap: 4 })
  const orders = await Promise.all(Array.from({ length: 40 }, () => order(sku)))
  expect(orders.filter(Boolean)).toHaveLength(12)
  expect(await promised(sku)).toEqual({ supply: 5, preorder: 4 })
})

it('keeps every promise within what is announced and allowed, whatever many do at once', async () => {
  const deed = fc.oneof(
    fc.record({ do: fc.constant('order' as const), units: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('cancel' as const), units: fc.nat() }),
    fc.record({ do: fc.constant('source' as const), units: fc.nat() }),
    fc.record({ do: fc.constant('receive' as const), units: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('announce' as const), units: fc.nat({ max: 9 }) }),
  )
  const runs = fc.record({ onHand: fc.nat({ max: 3 }), announced: fc.nat({ max: 8 }), cap: fc.nat({ max: 4 }), rounds: fc.array(fc.array(deed, { minLength: 2, maxLength: 8 }), { minLength: 1, maxLength: 4 }) })
  await sampledProperty(
    fc.asyncProperty(runs, async ({ rounds, ...terms }) => {
      const sku = await newSku(terms)
      await announce(sku, terms.announced)
      const accepted: string[] = []
      for (const round of rounds) {
        const free = [...accepted]
        const mine = (): string | undefined => free.pop()
        await Promise.all(
          round.map(async ({ do: what, units }) => {
            if (what === 'order') return void (await order(sku, units).then((id) => id && accepted.push(id)))
            if (what === 'receive') return receive(sku, units)
            if (what === 'announce') return announce(sku, units)
            const orderId = mine()
            if (orderId === undefined) return
            if (what === 'source') return void (await attempt(orderId))
            accepted.splice(accepted.indexOf(orderId), 1)
            await cancel(orderId)
          }),
        )
        await expectStockInvariants()
      }
    }),
    12,
  )
})

it('promises what a cancelled order leaves to the next one', async () => {
  const sku = await newSku({ announced: 2, cap: 1 })
  const first = await order(sku, 3)
  expect(await claims(first!)).toEqual([{ quantity: 2, status: 'open', reference }, { quantity: 1, status: 'open', reference: null }])
  expect(await order(sku)).toBeUndefined()
  await cancel(first!)
  expect(await promised(sku)).toEqual({ supply: 0, preorder: 0 })
  expect(await order(sku, 3)).toBeDefined()
})

it('holds what is there of a line that waits for the rest, and releases all of it together', async () => {
  const sku = await newSku({ onHand: 2, announced: 2 })
  const orderId = (await order(sku, 3))!
  expect(await lineOf(orderId)).toEqual({ allocated: 2, backordered: 1 })
  expect(await attempt(orderId)).toMatchObject({ outcome: 'short', promisedFor: expect.any(String) })
  await receive(sku, 1)
  expect(await attempt(orderId)).toMatchObject({ outcome: 'sourced', fulfillments: [{ nodeId: 'dc-01', units: 3 }] })
  expect(await lineOf(orderId)).toEqual({ allocated: 3, backordered: 0 })
  expect(await promised(sku)).toEqual({ supply: 0, preorder: 0 })
})

it('keeps what it holds when the rest turns up where it cannot leave together with it', async () => {
  const sku = await newSku({ onHand: 2, announced: 2 })
  const orderId = (await order(sku, 3))!
  await database.db.transaction((tx) => adjustStock(tx, { sku, nodeId: 'store-mitte', delta: 1, reason: 'found' }, 'test'))
  expect(await attempt(orderId)).toMatchObject({ outcome: 'short' })
  expect(await lineOf(orderId)).toEqual({ allocated: 2, backordered: 1 })
})

it('counts what arrived for those who will be served first', async () => {
  const sku = await newSku({ announced: 4 })
  const [usual, urgent] = [(await order(sku, 2, 5))!, (await order(sku, 2, 9))!]
  await receive(sku, 3)
  expect(await claims(urgent)).toEqual([{ quantity: 2, status: 'arrived', reference }])
  expect((await claims(usual)).map((c) => [c.quantity, c.status]).sort()).toEqual([[1, 'arrived'], [1, 'open']])
})

it('takes the promise of the last in line when less will come, and says so to somebody', async () => {
  const sku = await newSku({ announced: 4 })
  const [first, last] = [(await order(sku, 2))!, (await order(sku, 2))!]
  await announce(sku, 3)
  expect((await claims(first)).map((c) => c.status)).toEqual(['open'])
  expect((await claims(last)).map((c) => [c.quantity, c.status]).sort()).toEqual([[1, 'open'], [1, 'withdrawn']])
  expect(await database.db('exceptions').where({ kind: 'supply.withdrawn' }).whereIn('order_id', [first, last]).pluck('order_id')).toEqual([last])
})

it('refuses what is short where the SKU may neither be backordered nor pre-ordered', async () => {
  const sku = await newSku({ backorder: false, announced: 5 })
  expect(await order(sku)).toBeUndefined()
})
