/** What rules stop when an order is placed: in the transaction that accepts it, so that nothing of it moves before. */
import { uuidv7 } from 'uuidv7'
import { asksFraud, awaitingFraud, holdsByRule, needsHistory, unknownCustomer, type CustomerHistory } from '../domain/order/hold-rules'
import type { HoldDraft } from '../domain/order/holds'
import type { NewOrder, ShipTo } from '../domain/order/new-order'
import type { ChannelFacts } from '../domain/policy/channel-facts'
import { defaultPolicies, type PolicySnapshot } from '../domain/policy/kinds'
import { rows, run, type Transaction } from './connection'
import { customerRefHmac } from './customer-ref'
import { self } from './events'
import { refreshOrder } from './orders'
import { standInTheWay } from './steps/place-hold'

export interface JustPlaced {
  orderId: string
  order: NewOrder
  facts: ChannelFacts
  policies: PolicySnapshot
  /** Who sent it: not one of those who say yes to it. */
  actor: string
  now: string
  customerRefSecret: string
}

/** @returns whether anything of the order is held */
export async function holdByRule(tx: Transaction, placed: JustPlaced): Promise<boolean> {
  const { orderId, order, facts, policies: { holds: policy = defaultPolicies.holds }, now, actor } = placed
  if (policy.rules.length === 0 && !policy.fraud) return false
  const history = needsHistory(policy) ? await historyOf(tx, placed) : unknownCustomer
  const judged = { ...order, facts }
  const drafts = holdsByRule(policy, judged, history, now)
  const hold = async (draft: HoldDraft): Promise<string> => (await standInTheWay(tx, { orderId, channel: order.channel }, { draft, actor: self, askedBy: actor })).holdId
  for (const draft of drafts) await hold(draft)
  const asks = asksFraud(policy, judged, history)
  if (asks) await askFraud(tx, orderId, await hold(awaitingFraud(policy.fraud!, now)))
  if (drafts.length === 0 && !asks) return false
  await refreshOrder(tx, orderId)
  return true
}

const askFraud = (tx: Transaction, orderId: string, holdId: string): Promise<void> =>
  run(tx, `INSERT INTO fraud_checks (check_id, order_id, hold_id, status) VALUES (?, ?, ?, 'to_ask')`, [uuidv7(), orderId, holdId])

/** So far back: a customer who has moved is soon known at her new door. */
const mostEarlier = 20

async function historyOf(tx: Transaction, { orderId, order, customerRefSecret }: JustPlaced): Promise<CustomerHistory> {
  const customerRef = order.customer?.customerRef
  if (customerRef === undefined) return unknownCustomer
  const earlier = await rows<{ shipTo: ShipTo | null }>(
    tx,
    `SELECT ship_to AS "shipTo" FROM orders WHERE customer_ref_hmac = ? AND order_id <> ? AND stage <> 'cancelled' ORDER BY order_id DESC LIMIT ${mostEarlier}`,
    [customerRefHmac(customerRef, customerRefSecret), orderId],
  )
  return { hasOrdered: earlier.length > 0, addresses: earlier.flatMap((e) => (e.shipTo ? [e.shipTo] : [])) }
}
