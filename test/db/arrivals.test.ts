/** Nobody who waits is forgotten: not by a process that dies, nor when stock comes while an order is about to wait. */
import { beginTurn, endTurn, takeTurns } from '../../db/arrivals'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { freshDatabase, type FreshDatabase } from '../support/database'
import { eventually } from '../support/people'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await seedDemoNetwork(database.db)
})
afterAll(() => database.drop())
beforeEach(() => database.db('stock_arrivals').del())

const minuteMs = 60_000
/** Whoever else writes to this server at the moment, in other databases too, is waited for. */
const allSettled = async (sku: string, count: number): Promise<number[]> => (await eventually(() => beginTurn(database.db, sku), ({ settled }) => settled.length === count)).settled
const arrived = (sku: string): Promise<unknown> => database.db('stock_arrivals').insert({ sku })

it('gives the SKUs that have arrived to one process, and to another once the first has died', async () => {
  const { db } = database
  await arrived('CAP-BLACK')
  expect(await takeTurns(db, 10, minuteMs)).toEqual([{ sku: 'CAP-BLACK' }])
  await arrived('CAP-BLACK')
  expect(await takeTurns(db, 10, minuteMs)).toEqual([])
  await db('stock_turns').update({ leased_until: db.raw(`now() - interval '1 second'`) })
  expect(await takeTurns(db, 10, minuteMs)).toEqual([{ sku: 'CAP-BLACK' }])
  await endTurn(db, 'CAP-BLACK', await allSettled('CAP-BLACK', 2), 0)
  expect(await takeTurns(db, 10, minuteMs)).toEqual([])
})

it('looks once more after everybody who was under way has ended', async () => {
  const { db } = database
  const underWay = await db.transaction()
  await underWay('stock_levels').where({ sku: 'CAP-WHITE', node_id: 'dc-01' }).update({ on_hand: db.raw('on_hand + 1') })
  await arrived('CAP-WHITE')
  expect(await beginTurn(db, 'CAP-WHITE')).toEqual({ settled: [] })
  await endTurn(db, 'CAP-WHITE', [], 0)
  await underWay.commit()
  expect(await takeTurns(db, 10, minuteMs)).toEqual([{ sku: 'CAP-WHITE' }])
  await allSettled('CAP-WHITE', 1)
})

it('notes nothing about a SKU nobody waits for, nor when stock gets less', async () => {
  const { db } = database
  await db('stock_levels').where({ sku: 'CAP-WHITE' }).update({ on_hand: db.raw('on_hand + 5') })
  await db('stock_levels').where({ sku: 'CAP-WHITE' }).update({ safety_stock: 1 })
  expect(await db('stock_arrivals')).toEqual([])
})
