/**
 * Whatever is asked of orders, in whatever sequence, and whatever goes wrong in between: in the end money, stock and orders add up. As any-sequence.test.ts, but
 * without Temporal and without waiting, so hundreds of times: the story of the order, its steps and its rows are the real ones, the provider has books of its own.
 */
jest.mock('@temporalio/workflow', () => jest.requireActual<object>('../support/in-memory/workflow'))
jest.mock('../../workflows/support/clock', () => jest.requireActual<object>('../support/in-memory/workflow'))
import fc from 'fast-check'
import { checkInvariants } from '../invariants/checker'
import { commands as all, steps, wishes, type Step, type Wish } from '../support/commands'
import { openWorld, told, type World } from '../support/in-memory/sequence'
import { factorOf, sampledInLanes } from '../support/property'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.system.stop())

/** A yes is seldom: a bank has to have said no to a hold after the first. */
const seldom = ['give card']

/** What comes of it only after something else. */
const rarer = {
  'money given by hand is counted': `counted_goodwill WHERE given_by = 'hand'`,
  'what her bank gave is counted': `counted_goodwill WHERE given_by = 'bank'`,
  'another thing is dearer, and paid': `exchange_payments JOIN payments USING (payment_id) WHERE captured_minor > 0`,
  'what did not come back is charged': 'exchanges WHERE charged > 0',
  'what was paid before comes with a later return': 'return_lines WHERE came_later > 0',
  'another thing is cheaper, and its rest given back': 'exchanges WHERE less_given > 0',
}

it('answers and adds up', async () => {
  // One that failed, as it was printed: REPLAY='[{"units":1,…},[…],11]'
  if (process.env.REPLAY) return told(world, ...(JSON.parse(process.env.REPLAY) as [Wish, Step[], number]))
  await sampledInLanes(fc.asyncProperty(wishes, steps(15), fc.nat(1_000_000), (wish, commands, luck) => told(world, wish, commands, luck)), { runs: 100, lanes: 4 })
  expect(Object.keys(all).filter((name) => !world.done.has(name) && !seldom.includes(name))).toEqual([]) // of everything that can be asked some was done
  for (const [what, rows] of Object.entries(rarer)) expect([what, Number((await world.system.db.raw<{ rows: { n: string }[] }>(`SELECT count(*) AS n FROM ${rows}`)).rows[0]!.n) > 0]).toEqual([what, true])
  expect(await checkInvariants({ db: world.system.db, books: world.system.provider.books }, true)).toEqual([])
}, 400_000 * factorOf())
