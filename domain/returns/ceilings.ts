/** The two ceilings of giving money back: what a tender has taken and not given back, and what was paid for goods that the customer does not have. The first nobody passes; the second only with another person's yes. */

export interface MoneyOfOrder {
  /** Taken by all payments, or to be. */
  takenMinor: number
  /** Given back of it, as money or credit, or about to be. */
  givenMinor: number
  /** What the customer keeps, and is still to get, is worth. */
  keptMinor: number
  /** Of what was given, an amount beyond what came back, with a name to it, and not counted since for goods that came. */
  aboveMinor: number
  /** Of what was given, within what came back, but for units she has still: they are not among what she keeps any more. */
  claimedMinor: number
}

/** What was paid for goods that came back or never came, and was not given back: fees, say. */
export const receivedLeftMinor = ({ takenMinor, givenMinor, keptMinor, aboveMinor, claimedMinor }: MoneyOfOrder): number => Math.max(0, takenMinor - (givenMinor - aboveMinor) - keptMinor - claimedMinor)

/** Of what no payment has left for goods that came back. */
export interface Short {
  /** The customer was given it ahead, by hand and beyond what came back; it is counted now, and she is not owed it again. */
  countedMinor: number
  /** She is owed it. */
  owedMinor: number
}

export function shortOf(missingMinor: number, aheadMinor: number): Short {
  const countedMinor = Math.min(missingMinor, Math.max(0, aheadMinor))
  return { countedMinor, owedMinor: missingMinor - countedMinor }
}

export interface Judged {
  /** Of the amount, what needs another person's yes. */
  aboveMinor: number
  receivedMinor: number
}

/** @returns undefined where no tender has so much left */
export function judgeRefund(amountMinor: number, refundableMinor: number, money: MoneyOfOrder): Judged | undefined {
  if (amountMinor > refundableMinor) return undefined
  const receivedMinor = receivedLeftMinor(money)
  return { receivedMinor, aboveMinor: Math.max(0, amountMinor - receivedMinor) }
}
