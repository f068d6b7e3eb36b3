/**
 * A channel has given money back by itself. It took the money, so nothing is given back here again: what was not sent is cancelled, what is to come back is
 * expected, what stays is paid for; and what the goods do not explain is a case.
 */
import { cancelledUnrefunded, isRefundKept, keepChannelRefund } from '../db/channel-messages'
import { isOurTelling } from '../db/channel-operations'
import { once } from '../db/effects'
import { noteChannelCase } from '../db/steps/channel-case'
import { noteChannelRefund } from '../db/steps/channel-refund'
import type { UpdateName } from '../domain/messages'
import { Refusal } from '../domain/refusals'
import { askOrder, type About } from './channel-about'

interface Given {
  refundId: string
  amountMinor: number
  currency: string | null
  units: { lineId: string; quantity: number; wish: 'cancel' | 'return' | 'none' }[]
  /** Under which we asked for it, where it was us. */
  operationId?: string
}

/** The shop names each refund: under whatever id it is told again, it is the same. @returns what came of it, for the inbox. */
export async function applyRefund(about: About): Promise<string> {
  const { db, fact, order } = about
  const { refundId, amountMinor, units } = fact.payload as unknown as Given
  const { orderId } = order
  if (await isRefundKept(db, fact.source, refundId)) return 'known already'
  if (await isOurs(about)) return noted(about, [], false)
  const known = new Map((await cancelledUnrefunded(db, orderId)).map((l) => [l.lineId, l.quantity]))
  const still = units.filter((u) => u.wish === 'cancel').map(({ lineId, quantity }) => ({ lineId, quantity: Math.max(0, quantity - (known.get(lineId) ?? 0)) })).filter((u) => u.quantity > 0)
  const refusals = [
    await asked(about, 'cancel', 'cancelLines', still, { reason: 'refunded by the channel' }),
    await asked(about, 'return', 'requestReturn', withReason(units, 'return'), { method: 'mail', staff: true }),
    await asked(about, 'none', 'requestReturn', withReason(units, 'none'), { method: 'none', staff: true }),
  ].filter((refused) => refused !== undefined)
  return noted(about, refusals, refusals.length > 0 || (units.length === 0 && amountMinor > 0))
}

/** What the channel gives back because we have told it of a cancellation is done here already. */
async function isOurs({ db, fact, order }: About): Promise<boolean> {
  const { operationId } = fact.payload as unknown as Given
  return operationId !== undefined && (await isOurTelling(db, order.orderId, operationId))
}

async function noted({ db, fact, order: { orderId }, actor }: About, refusals: readonly object[], unexplained: boolean): Promise<string> {
  const { refundId, amountMinor, currency, units } = fact.payload as unknown as Given
  await once(db, `refund:${fact.source}:${refundId}`, async (tx) => {
    if (!(await keepChannelRefund(tx, { source: fact.source, refundId, orderId, amountMinor, currency, units }))) return
    await noteChannelRefund(tx, { orderId, actor, refundId, amountMinor, currency, units })
    if (unexplained) await noteChannelCase(tx, { orderId, actor, about: 'refund', data: { refundId, amountMinor, currency, refusals } })
  })
  return unexplained ? 'kept, with a case' : 'kept'
}

const withReason = (units: Given['units'], wish: string): { lineId: string; quantity: number; reason: string }[] =>
  units.filter((u) => u.wish === wish).map(({ lineId, quantity }) => ({ lineId, quantity, reason: 'refunded by the channel' }))

/** @returns what the order said no with; undefined: it did it, or there was nothing to ask. */
async function asked(about: About, wish: string, update: UpdateName, lines: readonly object[], args: object): Promise<object | undefined> {
  if (lines.length === 0) return undefined
  try {
    await askOrder(about, update, { commandId: `refund:${about.fact.source}:${String(about.fact.payload.refundId)}:${wish}`, lines, ...args })
    return undefined
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return cause.code === 'order.already_cancelled' ? undefined : { wish, code: cause.code }
  }
}
