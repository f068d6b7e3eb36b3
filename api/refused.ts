/** Which refusals of commands belong into the log of their order: those by a rule, and those of a wrong shape by the fields they are in. Of a stranger, who may not see the order, only that she was there. */
import { noteRefused, orderOf, type RefusedCommand, type Told } from '../db/refused-commands'
import type { Db, Transaction } from '../db/connection'
import type { Refusal, RefusalCode } from '../domain/refusals'
import { reachesChannel } from './auth'
import { isUnknownField, statusOf } from './problem'
import type { ApiKey } from './auth'

/** Of a command on an order or a return; undefined for any other, like the work of a store. @param route method and path with its ids filled in */
export function refusedCommand(route: string, { commandId, actor, orderId, params }: { commandId: string; actor: string; orderId?: string; params?: unknown }): RefusedCommand | undefined {
  const words = route.split(' ')[1]!.split('/').slice(2)
  const { orderId: asked = orderId, returnId } = (params ?? {}) as { orderId?: string; returnId?: string }
  if (!['orders', 'returns'].includes(words[0]!) || (asked ?? returnId) === undefined) return undefined
  return { commandId, actor, command: words.filter((word) => !uuid.test(word)).join('/'), ...(asked !== undefined && { orderId: asked }), ...(returnId !== undefined && { returnId }) }
}
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A rule said no, rather than the shape of the request, the key or an id; or a bug of ours did. */
export const isRuling = (code: RefusalCode): boolean => code === 'command.broken' || [400, 409, 412].includes(statusOf(code)) && (!code.startsWith('request.') || code === 'request.version_mismatch')

export const tellRefused = (tx: Transaction, refused: RefusedCommand | undefined, code: RefusalCode): Promise<void> => (refused && isRuling(code) ? noteRefused(tx, refused, { code }) : Promise.resolve())

/**
 * Of a refusal that is no answer of its command, which may be sent again put right: once for the command and this code. A stranger chooses her keys and could write without end:
 * she is told once for her key, the order and what she asked.
 */
export async function tellUnkept(db: Db, key: ApiKey, refused: RefusedCommand, refusal: Refusal): Promise<void> {
  const { code } = refusal
  const status = statusOf(code)
  if (status !== 400 && code !== 'order.unknown' && code !== 'return.unknown') return
  const order = await orderOf(db, refused)
  if (!order) return
  if (isStranger(key, order.channel, refused.command)) await db.transaction((tx) => noteRefused(tx, refused, { code }, `stranger:${key.apiKeyId}:${order.orderId}:${refused.command}`))
  else if (code === 'request.invalid' || (status === 400 && isRuling(code))) await db.transaction((tx) => noteRefused(tx, refused, toldOf(refusal), `${refused.commandId}:${code}`))
}

/** Goods may be brought to any counter. */
const atCounters = ['orders/counter-returns', 'returns/receive']
const isStranger = (key: ApiKey, channel: string, command: string): boolean => !reachesChannel(key, channel) && !(key.role === 'store' && atCounters.includes(command))

/** The places in a request that does not match, by the names that our schemas have for them: what a caller calls a field of its own may be anything. */
const toldOf = ({ code, errors }: Refusal): Told =>
  code === 'request.invalid' ? { code, pointers: [...new Set(errors.map((e) => (isUnknownField(e) ? e.pointer.slice(0, e.pointer.lastIndexOf('/')) : e.pointer)))].slice(0, mostPointers) } : { code }
const mostPointers = 20
