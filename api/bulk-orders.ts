/** Takes the orders of a file: a few at once, each in one transaction with what became of it; several share one. One that is refused keeps no other back. */
import type { PlanPromise } from '../activities/promise-desk'
import { QuoteGone } from '../db/intake'
import { bulkResults, keepBulkResults, stillHolds, type BulkResult, type HeldBulk } from '../db/bulk'
import type { Transaction } from '../db/connection'
import { hopefully, type PlanMode } from '../db/race'
import { lockShelves } from '../db/stock'
import { Refusal, refusals, refuse } from '../domain/refusals'
import { requireChannel } from './auth'
import { brokenLine, refuseUnstorable } from './body'
import type { BulkItem } from './bulk-file'
import { refuseSchema, statusOf } from './problem'
import type { Ctx } from './route'
import { newOrder, type NewOrderBody } from './schemas/order'
import { submitDocument } from './submit-order'

/** So many orders are read, taken and answered before the next are looked at. */
const chunkSize = 240
/** Few, because nobody else gets what they may claim until all of them are written. */
const claimingTogether = 10
/** Transactions at once; the rest of the pool is for everybody else. */
const atOnce = 8

/** @returns what became of each, in the order of the file. @throws `request.in_progress` when another process has taken the file over */
export async function* takeOrders(ctx: Ctx, held: HeldBulk, items: AsyncIterable<BulkItem>): AsyncGenerator<BulkResult> {
  for await (const chunk of chunksOf(items)) {
    const known = await bulkResults(ctx.db, held, chunk[0]!.index, chunk[0]!.index + chunk.length)
    if (known.size < chunk.length) {
      if (!(await stillHolds(ctx.db, held))) throw refuse('request.in_progress', { retryAfter: 1 })
      await eachGroup(chunk.filter((item) => !known.has(item.index)).map(readItem), async (group) => {
        for (const result of await take(ctx, held, group)) known.set(result.index, result)
      })
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

interface ReadItem extends BulkItem {
  body?: NewOrderBody
  /** Why it is none. */
  refusal?: unknown
}

function readItem(item: BulkItem): ReadItem {
  try {
    return { ...item, body: documentOf(item) }
  } catch (refusal) {
    return { ...item, refusal }
  }
}

/** Several groups at once. Those under one number come one after the other: the first in the file is the one that is created. */
async function eachGroup(items: readonly ReadItem[], work: (group: readonly ReadItem[]) => Promise<unknown>): Promise<void> {
  const groups = groupedBy((item) => numberOf(item) ?? item.index, items)
  const single = groups.flatMap((same) => (same.length === 1 && canShare(same[0]!) ? same : []))
  const [later, claiming] = [single.filter((item) => item.body!.claim === 'later'), single.filter((item) => item.body!.claim !== 'later')]
  const waiting = [
    ...inGroupsOf(Math.ceil(later.length / atOnce), later),
    ...groupedBy((item) => item.body!.lines[0]!.sku, claiming).flatMap((same) => inGroupsOf(claimingTogether, same)), // most groups want a shelf that no other wants
  ].map((group) => [group])
  waiting.push(...groups.filter((same) => same.length > 1 || !canShare(same[0]!)).map((same) => same.map((item) => [item])))
  const hand = async (): Promise<void> => {
    for (let groups = waiting.shift(); groups; groups = waiting.shift()) for (const group of groups) await work(group)
  }
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, hand)) // all have ended before anyone else may go on
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}

function groupedBy(key: (item: ReadItem) => string | number, items: readonly ReadItem[]): ReadItem[][] {
  const groups = new Map<string | number, ReadItem[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return [...groups.values()]
}

function inGroupsOf(size: number, items: readonly ReadItem[]): ReadItem[][] {
  const groups: ReadItem[][] = []
  for (let from = 0; from < items.length; from += size) groups.push(items.slice(from, from + size))
  return groups
}

/** One that takes up no quote and holds no money of ours has written nothing where it is refused, so that the others of its transaction stand. */
const canShare = ({ body }: ReadItem): boolean =>
  body !== undefined && !('quoteId' in body.delivery) && body.tenders.every((tender) => tender.provider !== 'gift_card' && tender.provider !== 'store_credit')

/** All of a group in one transaction; should that fail, each in its own. */
async function take(ctx: Ctx, held: HeldBulk, group: readonly ReadItem[]): Promise<BulkResult[]> {
  const startedAt = performance.now()
  const promises = new Map<string, PlanPromise>()
  for (const { body } of group) if (body && !promises.has(body.channel)) promises.set(body.channel, await ctx.deps.promises.forPlans(body.channel))
  try {
    const results = await hopefully((mode) => ctx.db.transaction((tx) => takeTogether(ctx, tx, { held, promises, mode }, group)))
    for (const _ of group) ctx.deps.observeIntake?.((performance.now() - startedAt) / group.length)
    return results
  } catch (error) {
    if (group.length > 1) return inTurn(group, (item) => take(ctx, held, [item]))
    const result = refused(group[0]!, error)
    await keepBulkResults(ctx.db, held, [result])
    return [result]
  }
}

async function inTurn(group: readonly ReadItem[], work: (item: ReadItem) => Promise<BulkResult[]>): Promise<BulkResult[]> {
  const results: BulkResult[] = []
  for (const item of group) results.push(...(await work(item)))
  return results
}

interface Taking {
  held: HeldBulk
  /** What each channel's plans can promise: known before the transaction begins. */
  promises: ReadonlyMap<string, PlanPromise>
  mode: PlanMode
}

async function takeTogether(ctx: Ctx, tx: Transaction, taking: Taking, group: readonly ReadItem[]): Promise<BulkResult[]> {
  const results: BulkResult[] = []
  const claimed = group.flatMap(({ body }) => (body && body.claim !== 'later' ? body.lines.map((line) => line.sku) : []))
  if (group.length > 1 && claimed.length > 0) await lockShelves(tx, claimed)
  for (const item of group) {
    try {
      results.push(await takeOne(ctx, tx, taking, item))
    } catch (error) {
      if (group.length === 1) throw error
      results.push(refused(item, error))
    }
  }
  const audit = results.flatMap(({ outcome, orderId }) => (outcome === 'created' && orderId !== undefined ? [{ actor: ctx.actor, action: 'order.create', subject: orderId, cause: `request:${ctx.requestId}` }] : []))
  await keepBulkResults(tx, taking.held, results, audit)
  return results
}

async function takeOne(ctx: Ctx, tx: Transaction, { promises, mode }: Taking, { index, body, refusal }: ReadItem): Promise<BulkResult> {
  if (!body) throw refusal
  requireChannel(ctx.key, body.channel, '/channel')
  const { orderId, outcome } = await submitDocument(tx, ctx.deps, { body, actor: ctx.actor, promise: promises.get(body.channel)! }, mode)
  return { index, channelOrderId: body.channelOrderId, outcome: outcome === 'accepted' ? 'created' : 'existing', orderId }
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
