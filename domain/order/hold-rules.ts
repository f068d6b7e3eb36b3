/** Which holds an order is placed under: the rules of the policy against the document and what is known of its customer. */
import { isForChannel, type ChannelFacts } from '../policy/channel-facts'
import type { FraudRule, HoldCondition, HoldsPolicy } from '../policy/holds'
import { durationMs } from '../policy/duration'
import type { HoldDraft } from './holds'
import type { NewOrder, ShipTo } from './new-order'

/** What earlier orders say of a customer; of one whom nobody knows, nothing. */
export interface CustomerHistory {
  hasOrdered: boolean
  addresses: readonly ShipTo[]
}
export const unknownCustomer: CustomerHistory = { hasOrdered: false, addresses: [] }

type Judged = { facts: ChannelFacts } & Pick<NewOrder, 'currency' | 'totalMinor' | 'shipTo' | 'billTo' | 'flags' | 'lines'>

/** Does any rule look at earlier orders? */
export const needsHistory = ({ rules, fraud }: HoldsPolicy): boolean =>
  [...rules, ...(fraud ? [fraud] : [])].some(({ when }) => when.firstOrder !== undefined || when.addressDiffers === 'from_earlier_orders')

/** The holds that the rules place, in their order. @param now ISO instant */
export const holdsByRule = (policy: HoldsPolicy, order: Judged, history: CustomerHistory, now: string): HoldDraft[] =>
  policy.rules
    .filter((rule) => isMet(rule.when, order, history))
    .map(({ name, type, reason, blocks, owner, endsAfter, atDeadline, approvals, releasedBy }) => ({
      type, reason, blocks, owner, rule: name, approvals, releasedBy, ...(endsAfter !== undefined && { deadline: after(now, endsAfter), atDeadline: atDeadline ?? 'escalate' }),
    }))

/** Is the fraud service asked about this order? */
export const asksFraud = ({ fraud }: HoldsPolicy, order: Judged, history: CustomerHistory): boolean => fraud !== undefined && isMet(fraud.when, order, history)

/** What stands until the service has answered. */
export const awaitingFraud = ({ blocks, reviewer, answerWithin, whenSilent }: FraudRule, now: string): HoldDraft => ({
  type: 'fraud_check', reason: 'The fraud service has not answered yet', blocks, owner: reviewer, rule: 'fraud', releasedBy: 'fraud_accepted', deadline: after(now, answerWithin), atDeadline: whenSilent,
})

/** What stands while a person looks at it. */
export const underReview = ({ blocks, reviewer, reviewWithin, whenUnreviewed }: FraudRule, now: string): HoldDraft => ({
  type: 'fraud_review', reason: 'The fraud service wants a person to look at it', blocks, owner: reviewer, rule: 'fraud', deadline: after(now, reviewWithin), atDeadline: whenUnreviewed,
})

const after = (now: string, duration: string): string => new Date(Date.parse(now) + durationMs(duration)).toISOString()

function isMet(when: HoldCondition, order: Judged, history: CustomerHistory): boolean {
  const { amount, limit, addressDiffers, firstOrder, flags, skus } = when
  if (!isForChannel(when, order.facts)) return false
  if (amount && (amount.currency !== order.currency || order.totalMinor < amount.fromMinor)) return false
  if (limit !== undefined && !reaches(limit, order)) return false
  if (firstOrder && history.hasOrdered) return false
  if (addressDiffers && !differs(addressDiffers, order, history)) return false
  if (flags && !flags.some((flag) => order.flags?.includes(flag))) return false
  return !skus || order.lines.some((line) => skus.some((begins) => line.sku.startsWith(begins) || line.kit?.sku.startsWith(begins)))
}

const reaches = (limit: string, { facts: { limits }, totalMinor }: Judged): boolean => Object.hasOwn(limits, limit) && totalMinor >= limits[limit]!

/** Where there is nothing to compare with, nothing differs. */
function differs(from: NonNullable<HoldCondition['addressDiffers']>, { shipTo, billTo }: Judged, { addresses }: CustomerHistory): boolean {
  if (!shipTo) return false
  if (from === 'from_billing') return billTo !== undefined && !isSameDoor(shipTo, billTo)
  return addresses.length > 0 && !addresses.some((known) => isSameDoor(shipTo, known))
}

/** Country, postal code and street, however they are spelled; a street that one of them does not say is not held against it. */
export function isSameDoor(a: ShipTo, b: ShipTo): boolean {
  const plain = (text = ''): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  const [streetA, streetB] = [plain(a.line1), plain(b.line1)]
  return a.country === b.country && plain(a.postalCode) === plain(b.postalCode) && (streetA === '' || streetB === '' || streetA === streetB)
}
