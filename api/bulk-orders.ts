/** Takes the orders of a file: a few at once, each in a transaction of its own together with what became of it. One that is refused keeps no other back. */
import { writeAudit } from '../db/audit'
import { QuoteGone } from '../db/intake'
import { bulkResults, keepBulkResult, stillHolds, type BulkResult, type HeldBulk } from '../db/bulk'
import { hopefully } from '../db/race'
import { Refusal, refusals, refuse } from '../domain/refusals'
import { requireChannel } from './auth'
import { brokenLine, refuseUnstorable } from './body'
import type { BulkItem } from './bulk-file'
import { refuseSchema, statusOf } from './problem'
import type { Ctx } from './route'
import { newOrder, type NewOrderBody } from './schemas/order'
import { submitDocument } from './submit-order'

/** So many orders are read, taken and answered before the next are looked at. */
const chunkSize = 60
/** Transactions at once; the rest of the pool is for everybody else. */
const atOnce = 6

/** @returns what became of each, in the order of the file. @throws `request.in_progress` when another process has taken the file over */
export async function* takeOrders(ctx: Ctx, held: HeldBulk, items: AsyncIterable<BulkItem>): AsyncGenerator<BulkResult> {
  for await (const chunk of chunksOf(items)) {
    const known = await bulkResults(ctx.db, held, chunk[0]!.index, chunk[0]!.index + chunk.length)
    if (known.size < chunk.length) {
      if (!(await stillHolds(ctx.db, held))) throw refuse('request.in_progress', { retryAfter: 1 })
      await eachByNumber(chunk.filter((item) => !known.has(item.index)), async (item) => known.set(item.index, await take(ctx, held, item)))
      ctx.deps.wake()
    }
    yield* chunk.map((item) => known.get(item.index)!)
  }
}

async function* chunksOf(items: AsyncIterable<BulkItem>): AsyncGenerator<BulkItem[]> {
  let chunk: BulkItem[] = []
  for await (const item of items) {
    chunk.push(item)
    if (chunk.length < chunkSize) continue
    yield chunk
    chunk = []
  }
  if (chunk.length) yield chunk
}

/** Several at once, those under one number one after the other: the first in the file is the one that is created. */
async function eachByNumber(items: readonly BulkItem[], work: (item: BulkItem) => Promise<unknown>): Promise<void> {
  const byNumber = new Map<string | number, BulkItem[]>()
  for (const item of items) {
    const number = numberOf(item) ?? item.index
    byNumber.set(number, [...(byNumber.get(number) ?? []), item])
  }
  const waiting = [...byNumber.values()]
  const hand = async (): Promise<void> => {
    for (let group = waiting.shift(); group; group = waiting.shift()) for (const item of group) await work(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, hand)) // all have ended before anyone else may go on
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}

async function take(ctx: Ctx, held: HeldBulk, item: BulkItem): Promise<BulkResult> {
  const startedAt = performance.now()
  try {
    const body = documentOf(item)
    requireChannel(ctx.key, body.channel, '/channel')
    const promise = await ctx.deps.promises.forPlans(body.channel)
    const result = await hopefully((mode) =>
      ctx.db.transaction(async (tx): Promise<BulkResult> => {
        const { orderId, outcome } = await submitDocument(tx, ctx.deps, { body, actor: ctx.actor, promise }, mode)
        const taken = { index: item.index, channelOrderId: body.channelOrderId, outcome: outcome === 'accepted' ? ('created' as const) : ('existing' as const), orderId }
        if (outcome === 'accepted') await writeAudit(tx, { actor: ctx.actor, action: 'order.create', subject: orderId, cause: `request:${ctx.requestId}` })
        await keepBulkResult(tx, held, taken)
        return taken
      }),
    )
    ctx.deps.observeIntake?.(performance.now() - startedAt)
    return result
  } catch (error) {
    const result = refused(item, error)
    await keepBulkResult(ctx.db, held, result)
    return result
  }
}

/** @throws `request.not_json`, `request.invalid` with every place */
function documentOf({ document, broken }: BulkItem): NewOrderBody {
  if (document === brokenLine) throw refuse('request.not_json')
  if (broken !== undefined) throw refuse('request.invalid', {}, broken, [{ pointer: '', message: broken }])
  const read = newOrder.safeParse(document)
  if (!read.success) throw refuseSchema(read.error, 'body')
  refuseUnstorable(read.data, [])
  return read.data
}

/** @throws what is no refusal, or one that asks to come again: the answer breaks off there, and the file sent again goes on there */
function refused(item: BulkItem, error: unknown): BulkResult {
  const refusal = error instanceof QuoteGone ? refuse('quote.gone') : error
  if (!(refusal instanceof Refusal) || statusOf(refusal.code) >= 429) throw error
  const { code, detail, errors, data } = refusal
  return {
    index: item.index,
    channelOrderId: numberOf(item) ?? null,
    outcome: 'refused',
    ...(code === 'order.duplicate' && { orderId: String(data.orderId) }),
    code,
    detail: detail ?? refusals[code].says,
    errors,
  }
}

/** What a broken document calls itself, where that could be a number. */
function numberOf({ document }: BulkItem): string | undefined {
  const given = typeof document === 'object' && document !== null ? (document as { channelOrderId?: unknown }).channelOrderId : undefined
  return typeof given === 'string' && /^[A-Za-z0-9._#-]{1,100}$/.test(given) ? given : undefined
}
