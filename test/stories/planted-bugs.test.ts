/**
 * Random sequences that find nothing wrong prove little unless they would have found something: each of the bugs that are planted here, one at a time, is noticed by the
 * sequences and sums of any-sequence-in-memory.test.ts, within as many sequences as that plays on a usual run.
 */
jest.mock('@temporalio/workflow', () => jest.requireActual<object>('../support/in-memory/workflow'))
jest.mock('../../workflows/support/clock', () => jest.requireActual<object>('../support/in-memory/workflow'))
import fc from 'fast-check'
import { steps, wishes } from '../support/commands'
import { bugs, plant, type Planted } from '../support/planted'
import { sampled } from '../support/property'

const sequences = fc.sample(fc.tuple(wishes, steps(15), fc.nat(1_000_000)), { seed: 1, numRuns: 100 })
const atOnce = 4

/** @returns what was noticed, and after how many sequences; undefined where all of them add up */
async function noticed(planted?: Planted, most = sequences.length): Promise<string | undefined> {
  let found: string | undefined
  await jest.isolateModulesAsync(async () => {
    if (planted) plant(planted)
    const { openWorld, told } = await import('../support/in-memory/sequence.js')
    const { checkInvariants } = await import('../invariants/checker.js')
    const world = await openWorld()
    try {
      for (let n = 0; n < most && found === undefined; n += atOnce) {
        const played = await Promise.allSettled(sequences.slice(n, n + atOnce).map((sequence) => told(world, ...sequence)))
        const failed = played.find((p) => p.status === 'rejected')
        const violations = failed ? [] : await checkInvariants({ db: world.system.db, books: world.system.provider.books }, true)
        if (failed) found = `after ${n + atOnce}: ${String(failed.reason).slice(0, 300)}`
        else if (violations.length > 0) found = `after ${n + atOnce}: ${violations.map((v) => `${v.id}: ${v.says}`).join('; ')}`
      }
    } finally {
      await world.system.stop()
    }
  })
  if (planted) jest.dontMock(`${__dirname}/../../${planted.file}`)
  return found
}

it('finds nothing where nothing is planted', async () => {
  expect(await noticed(undefined, 4)).toBeUndefined()
}, 400_000)

it.each(sampled(bugs, 1))('notices $bug', async (planted) => {
  expect(await noticed(planted)).toBeDefined()
}, 400_000)
