/**
 * The safety net of an advance exchange: the new goods leave before the old ones are back, and over the value of those money is held. What has not come back by its date, or came as something
 * else, is the customer's from then on and is charged; what comes late is given back.
 */
import { lessBetween, lessDue, shareBetween, type Amount, type ExchangedLine } from './exchange'

/** The old units of one line, and the line that was sent in their place. */
export interface GuardedLine {
  lineId: string
  quantity: number
  received: number
  /** For which nothing is sent any more, and those of them that are paid back already. */
  unreplaced: number
  repaid: number
  sent: ExchangedLine
}

/** Units that the customer has though others were sent in their place. What came and was not what was sent is no more there than what never came. */
export const missingUnits = ({ quantity, received, unreplaced, repaid }: Omit<GuardedLine, 'sent' | 'lineId'>): number => Math.max(0, quantity - received - (unreplaced - repaid))

export interface Charge {
  lines: { lineId: string; sentLineId: string; quantity: number; less: number }[]
  /** What was paid for what is missing: the price it has now. */
  value: Amount
  /** What of it is not taken, because what was sent cost less and that was not given back yet. */
  less: Amount
}

/** What is charged for what has not come back. */
export function chargeOf(guarded: readonly GuardedLine[]): Charge {
  const charge: Charge = { lines: [], value: { minor: 0, taxMinor: 0 }, less: { minor: 0, taxMinor: 0 } }
  for (const { sent, ...line } of guarded) {
    const quantity = missingUnits(line)
    if (quantity === 0) continue
    const less = Math.min(quantity, lessDue(sent, line.received + sent.charged + quantity))
    charge.lines.push({ lineId: line.lineId, sentLineId: sent.lineId, quantity, less })
    charge.value = plus(charge.value, shareBetween(sent.value, sent.quantity, sent.charged, sent.charged + quantity))
    charge.less = plus(charge.less, lessBetween(sent, sent.lessGiven, sent.lessGiven + less))
  }
  return charge
}

export const chargeMinor = ({ value, less }: Charge): number => value.minor - less.minor

export interface Overcharge {
  units: number
  /** Of how many of them what the new ones cost less was not charged either: with the charge that goes too. */
  less: number
  amount: Amount
}

/** What was charged and does not count any more: the old ones came late (`late`), or none are sent in their place. Then what the new ones cost less was never theirs to have. */
export function overcharge({ sent, ...line }: GuardedLine, why: 'late' | 'unsent'): Overcharge {
  const { value, quantity, charged, chargedBack, lessGiven, lessTaken } = sent
  const units = Math.max(0, charged - chargedBack - missingUnits(line))
  const less = why === 'unsent' ? Math.min(units, lessGiven - lessTaken) : 0
  const amount = shareBetween(value, quantity, chargedBack, chargedBack + units)
  return { units, less, amount: minus(amount, lessBetween(sent, lessTaken, lessTaken + less)) }
}

const plus = (a: Amount, b: Amount): Amount => ({ minor: a.minor + b.minor, taxMinor: a.taxMinor + b.taxMinor })
const minus = (a: Amount, b: Amount): Amount => ({ minor: a.minor - b.minor, taxMinor: a.taxMinor - b.taxMinor })
