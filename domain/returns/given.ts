/**
 * Which units of a return money is still to be given for. A return that ended without units it had paid for leaves them with the customer, paid: whatever comes
 * of that line next, with whatever return, is reckoned to be these first, so that nobody is paid for more than comes back.
 */
import type { Units } from '../payment/shares'

/** A line of a return, by the units money was given for. */
export interface GivenLine extends Units {
  received: number
  disputed: number
  /** Units whose money this return gave, when they were counted or before they came. */
  given: number
  /** Units that an earlier return paid for and ended without, and how many of these are here. */
  covered: number
  coveredBack: number
}

export interface Reckoned {
  /** Of the units, what this return gave the money for before. */
  before: number
  /** What was known to be paid for by an earlier return. */
  covered: number
  /** What is taken to be so now, since one has ended meanwhile. */
  taken: number
  /** Money is to be given for these. */
  due: number
}

/** Units that are counted now. @param free what ended returns of the order paid for, and no open one is to bring */
export function whenCounted(line: GivenLine, quantity: number, free: number): Reckoned {
  const covered = Math.min(quantity, line.covered - line.coveredBack)
  const before = Math.min(quantity - covered, Math.max(0, line.given - (line.received - line.coveredBack)))
  return { ...reckon(quantity - before, covered, free), before }
}

/** Units that are still to come, whose money is given before they do. @param free as above */
export function beforeItComes(line: GivenLine, free: number): Reckoned {
  const toCome = line.quantity - line.received - line.disputed
  return { ...reckon(toCome, Math.min(toCome, line.covered - line.coveredBack), free), before: 0 }
}

function reckon(quantity: number, covered: number, free: number): Omit<Reckoned, 'before'> {
  const taken = Math.min(quantity - covered, free)
  return { covered, taken, due: quantity - covered - taken }
}
