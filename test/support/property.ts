/**
 * Property tests with a seed that is always said. The usual run takes the same sample each time, so that what fails there was broken by the change at hand; the
 * long one (VERIFY=1) draws anew, twenty times as many. SEED repeats a run.
 */
import fc from 'fast-check'

const factor = process.env.VERIFY === '1' ? 20 : 1

/** What repeats a run. */
export const seed = Number(process.env.SEED ?? (factor > 1 ? Math.floor(Math.random() * 2 ** 31) : 1))

/** Checks `property` on `runs` examples; the seed is part of every failure, and is printed once per file. */
export function holds<Args>(property: fc.IProperty<Args>, runs = 200): void {
  announce()
  fc.assert(property, { seed, numRuns: runs * factor })
}

/** The same for a property that has to wait for something. */
export async function sampledProperty<Args>(property: fc.IAsyncProperty<Args>, runs: number): Promise<void> {
  announce()
  await fc.assert(property, { seed, numRuns: runs * factor })
}

/** The same where examples wait more than they work: several at a time, each lane with a seed of its own. What fails is told as it was drawn; a smaller example of it is looked for with SHRINK=1, which may take long. */
export async function sampledInLanes<Args>(property: fc.IAsyncProperty<Args>, { runs, lanes }: { runs: number; lanes: number }): Promise<void> {
  process.stdout.write(`  properties in ${lanes} lanes with SEED=${seed}\n`)
  await Promise.all(Array.from({ length: lanes }, (_, lane) => fc.assert(property, { seed: seed + lane, numRuns: Math.ceil((runs * factor) / lanes), endOnFailure: process.env.SHRINK !== '1' })))
}

/** How many times as many examples as on a usual run. */
export const factorOf = (): number => factor

/** Some of `cases` on every run, others on the next; all of them in the long one. */
export function sampled<Case>(cases: readonly Case[], count: number): Case[] {
  if (factor > 1) return [...cases]
  announce()
  return fc.sample(fc.shuffledSubarray([...cases], { minLength: count, maxLength: count }), { seed, numRuns: 1 })[0]!
}

let announced = false
function announce(): void {
  if (announced) return
  announced = true
  process.stdout.write(`  properties with SEED=${seed}\n`)
}
