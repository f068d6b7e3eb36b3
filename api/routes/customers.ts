/** Erasing a customer, or what one order knows of her. */
import { z } from 'zod'
import { customerRefHmac } from '../../db/customer-ref'
import type { Transaction } from '../../db/connection'
import { creditOf, eraseCustomer, type EraseAsk, type Erased } from '../../db/erasure/erase'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { command } from '../command'
import { may } from '../permissions'
import { ok, type Ctx, type Route } from '../route'
import { text, uuid } from '../schemas/fields'

const count = z.int().min(0)
const erasedAnswer = z
  .object({
    erasureId: z.string().nullable().meta({ description: 'Under it the audit knows what was done; null in a preview' }),
    status: z.enum(['done', 'scheduled']).meta({ description: '`scheduled`: orders under way are erased in the moment in which they end' }),
    orders: z.object({ erased: count, waiting: count }),
    rows: z.record(z.string(), count).meta({ description: 'Rows that were changed, by table' }),
    preview: z.boolean().optional(),
  })
  .meta({ id: 'Erasure' })

const fields = { method: 'post', tag: 'Safety', roles: may.eraseCustomers, query: z.strictObject({ preview: z.enum(['true', 'false']).optional() }), answers: { 200: erasedAnswer } } as const
const description =
  'Name, address, e-mail, phone, ways of paying, proofs, codes and quarantined messages go from every table; the ledger, movements of stock, the timeline and Temporal’s histories stay, and name nobody. ' +
  'With `?preview=true` nothing is done: the answer counts what would go, and needs no Idempotency-Key. It cannot be undone.'

type Asking = (ctx: Ctx, tx: Transaction) => Promise<EraseAsk['of']>
const erase = (ctx: Ctx, tx: Transaction, of: EraseAsk['of']): Promise<Erased> => eraseCustomer(tx, { of, actor: ctx.actor, cause: `request:${ctx.requestId}` })

/** Done in full, and undone: so the preview counts what would go, and nothing else. */
class OnlyAPreview extends Error {
  constructor(readonly erased: Erased) {
    super('a preview is rolled back')
  }
}

const previewed = (asked: Route, of: Asking): Route => ({
  ...asked,
  async run(ctx, req, res) {
    if ((ctx.query as { preview?: string }).preview !== 'true') return asked.run(ctx, req, res)
    try {
      await ctx.db.transaction(async (tx) => {
        throw new OnlyAPreview(await erase(ctx, tx, await of(ctx, tx)))
      })
      return undefined
    } catch (cause) {
      if (!(cause instanceof OnlyAPreview)) throw cause
      return ok({ ...cause.erased, erasureId: null, preview: true })
    }
  },
})

const theCustomer: Asking = ({ params, deps }) => {
  const { customerRef } = params as { customerRef: string }
  return Promise.resolve({ customerRef, customerRefHmac: customerRefHmac(customerRef, deps.config.CUSTOMER_REF_SECRET) })
}
const theOrder: Asking = async (ctx) => {
  const { orderId } = ctx.params as { orderId: string }
  await visibleOrder(ctx, orderId)
  return { orderId }
}

const customer = command({
  ...fields,
  path: '/v1/customers/{customerRef}/erase',
  summary: 'Erase a customer',
  description,
  params: z.strictObject({ customerRef: text(200) }),
  body: z.strictObject({ forfeitCredit: z.boolean().default(false).meta({ description: 'Store credit she still has is nobody’s afterwards; without this it is refused' }) }),
  async run(ctx, tx) {
    const of = (await theCustomer(ctx, tx)) as { customerRef: string; customerRefHmac: string }
    const credit = await creditOf(tx, of.customerRefHmac)
    if (credit.length && !ctx.body.forfeitCredit) throw refuse('customer.has_credit', { credit })
    return ok(await erase(ctx, tx, of))
  },
})

const order = command({
  ...fields,
  path: '/v1/orders/{orderId}/erase',
  summary: 'Erase the person from one order',
  description: `For customers without a number. ${description}`,
  params: z.strictObject({ orderId: uuid }),
  body: z.strictObject({}),
  run: async (ctx, tx) => ok(await erase(ctx, tx, await theOrder(ctx, tx))),
})

export const customerRoutes: readonly Route[] = [previewed(customer, theCustomer), previewed(order, theOrder)]
