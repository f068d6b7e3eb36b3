/** Asks every invariant for the rows that violate it. None is the only good answer. */
import { drafts } from './drafts'
import { money } from './money'
import { notifications } from './notifications'
import { orders } from './orders'
import { stock } from './stock'
import type { Invariant, World } from './world'

export const invariants: readonly Invariant[] = [...money, ...stock, ...orders, ...drafts, ...notifications]

export interface Violation {
  id: string
  says: string
  rows: object[]
}

/** @param quiet also asks what only holds once nothing is under way. */
export async function checkInvariants(world: World, quiet: boolean): Promise<Violation[]> {
  const violations: Violation[] = []
  for (const invariant of invariants.filter((i) => quiet || i.when === 'always')) {
    const found = await invariant.violations(world)
    if (found.length) violations.push({ id: invariant.id, says: invariant.says, rows: found.slice(0, 5) })
  }
  return violations
}
