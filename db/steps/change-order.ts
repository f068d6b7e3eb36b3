/**
 * A change is asked for, with what it would move; and confirmed, if the order is still what it was asked for. Until then nothing is changed, and held is only the stock it asks for. What it
 * costs more is held before it is carried out: confirmed, it waits for that money; refused it ends, and its stock is free.
 */
import { uuidv7 } from 'uuidv7'
import type { ChangeCharge, ChangeOrder } from '../../domain/messages'
import type { ChangeOperation } from '../../domain/order/change'
import type { MoneyOfChange } from '../../domain/payment/raises'
import { durationMs } from '../../domain/policy/duration'
import type { ToldPromise } from '../../domain/promise/kept'
import { refuse, type Refusal, type RefusalCode } from '../../domain/refusals'
import type { SourcingDecision } from '../../domain/sourcing/decision'
import { dropUnwanted } from '../unwanted-money'
import { heldOf, intendCharge, makeTender, needMethod, tenderElsewhere, voidCharge } from '../change-payments'
import type { DocumentId } from '../channel-messages'
import type { Transaction } from '../connection'
import { record } from '../events'
import type { AfterSale } from '../open-lines'
import { refuseIfHeld } from '../holds'
import { endedBy } from '../integrity'
import { closeTenders } from '../part-payments'
import { confirmChange, endChange, insertChange, needChange, refuseUnlessFresh, type ChangeRow } from '../order-changes'
import { lockOrder, type OrderRow } from '../orders'
import { LostRace, type PlanMode } from '../race'
import { releaseOfChange, reserve, type Reserve } from '../reservations'
import { settleExceptions } from '../waiting'
import { lockOpenOrder } from './cancel-lines'
import { decided, tellRequested } from './decide-change'
import { carryOut, givenBackBy, type ChangeCarriedOut } from './carry-out-change'
import { promiseOfChange, withServices } from './change-dates'
import { planRoute, type PlannedRoute } from './move-order'
import { planChange, planStock, type PlannedChange } from './plan-change'

export interface ChangeAsk {
  orderId: string
  operations: readonly ChangeOperation[]
  actor: string
  paymentMethod?: string
  /** Whoever asks has taken what it costs more. */
  paidElsewhere?: boolean
  /** The document of the channel that asks for it. */
  document?: DocumentId
  requestedBy: 'merchant' | 'customer'
  /** What is known of dates, and the services that are sold; without them no date is told, and none can be asked for. */
  after?: Pick<AfterSale, 'promise'>
  services?: readonly string[]
}
/** With what is given back to the cent: also of what it was sent in place of, less what was given ahead by hand. */
export interface ToldMoney extends MoneyOfChange {
  countedMinor: number
  owedMinor: number
}
export interface Proposed {
  changeId: string
  /** `requested`: a merchant has to say yes. */
  state: 'requested' | 'asked'
  version: number
  expiresAt: string
  money: ToldMoney
  /** When it would arrive; absent where nothing is promised. */
  promise?: ToldPromise
}

/** Writes down a change that is possible now, and reserves the stock it asks for. @throws what confirming it would be refused with */
export async function proposeChange(tx: Transaction, ask: ChangeAsk): Promise<Proposed> {
  const order = await lockOpenOrder(tx, ask.orderId)
  const operations = await withServices(tx, order, ask)
  const planned = await planChange(tx, order, operations)
  const given = await givenBackBy(tx, order, planned, ask.actor)
  const money: ToldMoney = { ...planned.money, refundMinor: planned.refundElsewhereMinor + given.elsewhereMinor + given.refundMinor, countedMinor: given.countedMinor, owedMinor: given.owedMinor }
  if (!ask.paidElsewhere) await needMethod(tx, ask.orderId, { chargeMinor: money.chargeMinor, paymentMethod: ask.paymentMethod ?? null })
  const { decision, reserves } = await planSupply(tx, order, planned)
  const changeId = uuidv7()
  const { customerRequests } = order.policy.care
  const state = ask.requestedBy === 'customer' && customerRequests?.approval ? 'requested' : 'asked'
  const expiresAt = new Date(Date.now() + durationMs(state === 'requested' ? customerRequests!.decideWithin : order.policy.promise.holdLifetime)).toISOString()
  if (reserves.length) await hold(tx, { quoteId: changeId, channel: order.channel, lines: reserves, expiresAt, actor: ask.actor })
  const { version } = await insertChange(tx, { ...ask, operations, changeId, expiresAt, state, deltaMinor: money.deltaMinor, chargeMinor: money.chargeMinor, ...(decision && { decision }) })
  if (state === 'requested') await tellRequested(tx, order, { ...ask, changeId, expiresAt, deltaMinor: money.deltaMinor })
  const promise = await promiseOfChange(tx, order, planned, decision, ask.after)
  return { changeId, state, version, expiresAt, money, ...(promise && { promise }) }
}

/** What was planned may still be less than a channel keeps back of a shelf that the order itself empties. @throws `stock.short` */
const hold = (tx: Transaction, ask: Reserve): Promise<unknown> =>
  reserve(tx, ask).catch((cause: unknown) => {
    throw cause instanceof LostRace ? refuse('stock.short', { short: ask.lines.map(({ sku, quantity }) => ({ sku, wanted: quantity, available: 0 })) }) : cause
  })

/** Where what it asks for would come from, and what is reserved for it until it is decided. */
async function planSupply(tx: Transaction, order: OrderRow, planned: PlannedChange): Promise<{ decision?: SourcingDecision; reserves: PlannedRoute['extra'] }> {
  if (planned.route?.isElsewhere) {
    const route = await planRoute(tx, order, planned.route, planned)
    return route ? { decision: route.decision, reserves: route.extra } : { reserves: [] }
  }
  if (planned.more.length === 0) return { reserves: [] }
  const decision = await planStock(tx, order, planned.more)
  return { decision, reserves: decision.chosen!.shipments.flatMap(({ nodeId, lines }) => lines.map(({ sku, quantity }) => ({ sku, nodeId, quantity }))) }
}

export interface ChangeOutcome extends ChangeCarriedOut {
  /** Nothing is changed yet: this is to be held first. */
  charge?: ChangeCharge
}

/** What costs more is not begun while payment is held: it can be confirmed again once it is let go. @throws `order.change_ended`, `order.change_expired`, `order.version_changed`, `order.change_under_way`, `order.held` */
export async function applyChange(tx: Transaction, ask: Carrying & { orderId: string }): Promise<ChangeOutcome> {
  const order = await lockOpenOrder(tx, ask.orderId)
  const change = await needChange(tx, ask)
  refuseUnlessFresh(change, ask.approves === true)
  const planned = await planChange(tx, order, change.operations)
  const { chargeMinor, deltaMinor } = planned.money
  if (deltaMinor !== change.deltaMinor || chargeMinor > (change.chargeMinor ?? chargeMinor)) throw refuse('order.version_changed', { was: change.version, version: change.now })
  if (ask.approves) await decided(tx, order, change, ask.actor)
  if (chargeMinor > 0 && change.paidElsewhere) await tenderElsewhere(tx, { ...ask, amountMinor: chargeMinor })
  else if (chargeMinor > 0) {
    await refuseIfHeld(tx, order, 'payment')
    const deadline = new Date(Date.now() + durationMs(order.policy.payment.deadline)).toISOString()
    const charge = await intendCharge(tx, { orderId: ask.orderId, changeId: ask.changeId, amountMinor: chargeMinor, paymentMethod: change.paymentMethod, deadline })
    return { cancelledAt: new Date().toISOString(), stopped: [], voids: [], charge }
  }
  await confirmChange(tx, change)
  return carryOut(tx, order, planned, carrying(ask, change))
}

/** A change that can never be confirmed as it was asked for, because its order has gone on, its money is another or its time is over, holds nothing. */
export async function endStale(tx: Transaction, ask: { orderId: string; changeId: string; actor: string; code: RefusalCode }): Promise<void> {
  await lockOrder(tx, ask.orderId)
  const change = await needChange(tx, ask)
  if (change.state !== 'asked' || !(change.isOver || !change.isFresh || ask.code === 'order.version_changed')) return
  await endChange(tx, ask.changeId, 'failed', ask.code)
  await releaseOfChange(tx, ask.changeId, ask.actor)
}

interface Carrying extends ChangeOrder {
  /** `hopeful`: what was reserved is claimed; after that was lost, what can be had. */
  mode: PlanMode
  after?: AfterSale
}

const carrying = (ask: Carrying, { decision, operations }: ChangeRow) => ({ ...ask, reserved: ask.mode === 'hopeful' ? decision : null, operations: operations.map((o) => o.op) })

export type ChangeFinished = ({ outcome: 'carried out' } & ChangeCarriedOut) | { outcome: 'failed'; code: RefusalCode; data: Record<string, unknown>; voids: string[] }

/** The bank has answered, or its time is over: the change is carried out, or ends with nothing changed. Whatever has happened to the order meanwhile, the money that was held for it is used or let go. */
export async function finishChange(tx: Transaction, ask: Carrying & { orderId: string; declineCode?: string }): Promise<ChangeFinished> {
  const order = await lockOrder(tx, ask.orderId)
  const change = await needChange(tx, ask)
  if (order.stage !== 'open') return fail(tx, order, change, ask, refuse(order.stage === 'cancelled' ? 'order.already_cancelled' : 'order.closed', { state: order.stage }))
  const heldMinor = await heldOf(tx, change.paymentId!)
  if (heldMinor === 0) return fail(tx, order, change, ask, refuse(ask.declineCode === undefined ? 'payment.not_settled' : 'payment.declined', { ...(ask.declineCode !== undefined && { declineCode: ask.declineCode }) }))
  try {
    const done = await tx.transaction(async (inner) => {
      const planned = await planChange(inner, order, change.operations)
      if (planned.money.chargeMinor > heldMinor) throw refuse('order.version_changed', { was: change.version, version: change.now })
      if (planned.money.closesTenders) await closeTenders(inner, ask.orderId)
      await makeTender(inner, change.paymentId!)
      await confirmChange(inner, change)
      return carryOut(inner, order, planned, carrying(ask, change))
    })
    return { outcome: 'carried out', ...done }
  } catch (cause) {
    return fail(tx, order, change, ask, endedBy(cause))
  }
}

async function fail(tx: Transaction, order: OrderRow, change: ChangeRow, { actor }: { actor: string }, { code, data }: Refusal): Promise<ChangeFinished> {
  await endChange(tx, change.changeId, 'failed', code)
  await dropUnwanted(tx, order, change.paymentId!)
  await releaseOfChange(tx, change.changeId, actor)
  await settleExceptions(tx, order, 'the change has ended', { kind: 'payment.change_not_held' })
  await record(tx, order, { type: 'order.change_failed', actor, data: { changeId: change.changeId, reason: code } })
  return { outcome: 'failed', code, data, voids: await voidCharge(tx, change.paymentId!) }
}
