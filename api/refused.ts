/** Which refusals of commands belong into the log of their order: those of somebody who may see it, by a rule. What is not even a request, or about another's order, leaves nothing there. */
import { noteRefused, type RefusedCommand } from '../db/refused-commands'
import { orderChannel } from '../db/views/orders'
import type { Db, Transaction } from '../db/connection'
import type { Refusal, RefusalCode } from '../domain/refusals'
import { reachesChannel } from './auth'
import { statusOf } from './problem'
import type { Ctx } from './route'

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

export const tellRefused = (tx: Transaction, refused: RefusedCommand | undefined, code: RefusalCode): Promise<void> => (refused && isRuling(code) ? noteRefused(tx, refused, code) : Promise.resolve())

/** Of a refusal that is not kept: the caller may not have been checked before it. */
export async function tellUnkept(db: Db, ctx: Pick<Ctx, 'key'>, refused: RefusedCommand | undefined, refusal: Refusal): Promise<void> {
  if (!refused?.orderId || statusOf(refusal.code) !== 400 || !isRuling(refusal.code)) return
  const channel = await orderChannel(db, refused.orderId)
  if (channel !== undefined && reachesChannel(ctx.key, channel)) await db.transaction((tx) => noteRefused(tx, refused, refusal.code))
}
