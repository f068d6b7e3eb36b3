/** Many orders in one call. */
import { z } from 'zod'
import { holdBulk, letGoOfBulk, type BulkResult, type HeldBulk } from '../../db/bulk'
import { refuse } from '../../domain/refusals'
import { bulkColumns } from '../bulk-csv'
import { mostOrders, spoolOrders, type BulkFile } from '../bulk-file'
import { takeOrders } from '../bulk-orders'
import { identify } from '../command'
import { writeLine } from '../lines'
import { may } from '../permissions'
import { stream, type Ctx, type Route } from '../route'
import { newOrder } from '../schemas/order'

const path = '/v1/orders/bulk'

const bulkResult = z
  .object({
    index: z.int().meta({ description: 'Of the order in the file, from 0' }),
    channelOrderId: z.string().nullable(),
    outcome: z.enum(['created', 'existing', 'refused']),
    orderId: z.string().optional(),
    code: z.string().optional(),
    detail: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string(), code: z.string().optional() })).optional(),
  })
  .meta({ id: 'BulkResult' })

/** POST /v1/orders/bulk */
export const bulkOrders: Route = {
  ...stream({
    method: 'post',
    path,
    tag: 'Orders',
    summary: `Submit up to ${mostOrders.toLocaleString('en')} orders, a result for each`,
    description:
      'NDJSON: an order document per line. `text/csv`: a row per line of an order, the rows of one order beneath each other, paid by one tender; ' +
      `columns: ${bulkColumns.join(', ')}. The answer is NDJSON: a line per order, in the sequence of the file; an order that is refused keeps no other back. ` +
      'An answer with fewer lines than orders was cut short: the same file with the same `Idempotency-Key` goes on there, says the same of what was taken before, and takes nothing twice.',
    roles: may.placeOrders,
    reads: 'lines',
    bodyShown: newOrder,
    answers: { 200: bulkResult },
    async open(ctx, req, res) {
      const identity = identify({ method: 'post', path }, ctx)
      const orders = await spoolOrders(req)
      try {
        const held = await hold(ctx, identity.idempotencyKey, orders)
        res.status(200).type('application/x-ndjson')
        if (held.done) res.set('Idempotent-Replayed', 'true')
        await answerEach(ctx, held, orders, (result) => writeLine(res, result))
        res.end()
      } finally {
        await orders.file.drop()
      }
    },
  }),
  idempotent: true,
}

async function hold(ctx: Ctx, idempotencyKey: string, { file }: BulkFile): Promise<HeldBulk> {
  const held = await holdBulk(ctx.db, { apiKeyId: ctx.key.apiKeyId, idempotencyKey, contentHash: file.sha256, actor: ctx.actor })
  if (held === 'other_file') throw refuse('request.idempotency_key_reused')
  if (held === 'under_way') throw refuse('request.in_progress', { retryAfter: 1 })
  return held
}

/** However it ends, the next one to send the file may go on at once. */
async function answerEach(ctx: Ctx, held: HeldBulk, orders: BulkFile, tell: (result: BulkResult) => Promise<void>): Promise<void> {
  let done = false
  try {
    for await (const result of takeOrders(ctx, held, orders.items())) await tell(result)
    done = true
  } finally {
    await letGoOfBulk(ctx.db, held, done)
  }
}
