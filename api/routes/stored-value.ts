/** Gift cards and store credit: issued, and what is left on them. A card's code is told once, and asked for in a body, never in an address that is written into logs. */
import { z } from 'zod'
import { customerRefHmac } from '../../db/customer-ref'
import { giftCardByCode, giftCardCode, issueGiftCard, issueStoreCredit, movesOf, storeCreditOf, type ValueAccount } from '../../db/stored-value'
import type { Db, Transaction } from '../../db/connection'
import { writeAudit } from '../../db/audit'
import { refuse } from '../../domain/refusals'
import { storedValues } from '../../domain/payment/stored-value'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Ctx } from '../route'
import { at, currency, instant, minor, text } from '../schemas/fields'

const tag = 'Money'

const account = z
  .object({
    accountId: z.string(),
    kind: z.enum(storedValues),
    currency: z.string(),
    codeEnd: z.string().nullable().meta({ description: 'The last characters of a gift card’s code' }),
    balanceMinor: minor,
    heldMinor: minor.meta({ description: 'Held for orders' }),
    availableMinor: minor,
    expiresAt: at.nullable(),
  })
  .meta({ id: 'ValueAccount' })
const withMoves = account
  .extend({ moves: z.array(z.object({ moveId: z.string(), kind: z.enum(['issued', 'credited', 'captured', 'refunded']), amountMinor: z.int(), actor: z.string(), reason: z.string().nullable(), at })) })
  .meta({ id: 'ValueAccountWithMoves' })

const shown = (found: ValueAccount): object => ({ ...found, availableMinor: found.balanceMinor - found.heldMinor })
const whole = async (db: Db | Transaction, found: ValueAccount): Promise<object> => ({ ...shown(found), moves: await movesOf(db, found.accountId) })

const issued = {
  currency,
  amountMinor: minor.min(1).max(100_000_000),
  paidElsewhere: z.boolean().meta({ description: 'true: a till or another system has taken the money; false: it is given' }),
  reason: text(500),
}
const code = z.string().regex(/^[A-Za-z0-9 -]{8,40}$/, 'Must be 8 to 40 letters and digits; spaces and dashes do not count')

const codeOf = (ctx: Ctx<unknown, unknown, { code?: string }>): string => ctx.body.code ?? giftCardCode(ctx.deps.config.QUOTE_SECRET, JSON.stringify([ctx.key.apiKeyId, ctx.header('idempotency-key')]))

const newGiftCard = command({
  method: 'post',
  path: '/v1/gift-cards',
  tag,
  summary: 'Issue a gift card',
  description: 'Without `code` there is a new one; only the answer to this request, and to its repeats, tells it.',
  roles: may.issueValue,
  body: z.strictObject({ ...issued, code: code.optional(), expiresAt: instant.optional() }),
  answers: { 201: account.extend({ code: z.string() }) },
  async run(ctx, tx) {
    const { code: _, expiresAt = null, ...issue } = ctx.body
    const accountId = await issueGiftCard(tx, { ...issue, code: codeOf(ctx), expiresAt, actor: ctx.actor })
    if (!accountId) throw refuse('gift_card.code_in_use')
    await writeAudit(tx, { actor: ctx.actor, action: 'gift_card.issue', subject: accountId, cause: issue.reason })
    return created(shown((await giftCardByCode(tx, codeOf(ctx)))!))
  },
  // The answer that is kept for repeats has no code in it.
  after: (ctx, answer) => Promise.resolve({ ...answer, body: { ...(answer.body as object), code: codeOf(ctx) } }),
})

const balance = route({
  method: 'post',
  path: '/v1/gift-cards/balance',
  tag,
  summary: 'What is left on a gift card',
  roles: may.readValue,
  body: z.strictObject({ code }),
  answers: { 200: account },
  async run(ctx) {
    const found = await giftCardByCode(ctx.db, ctx.body.code)
    if (!found) throw refuse('gift_card.unknown')
    return ok(shown(found))
  },
})

const newCredit = command({
  method: 'post',
  path: '/v1/store-credits',
  tag,
  summary: 'Give a customer store credit',
  description: 'It is added to what she has. A claim with the remedy `credit` does it for an order.',
  roles: may.issueValue,
  body: z.strictObject({ ...issued, customerRef: text(200) }),
  answers: { 201: withMoves },
  async run(ctx, tx) {
    const { customerRef, ...issue } = ctx.body
    const hmac = customerRefHmac(customerRef, ctx.deps.config.CUSTOMER_REF_SECRET)
    const accountId = await issueStoreCredit(tx, { ...issue, customerRefHmac: hmac, actor: ctx.actor })
    await writeAudit(tx, { actor: ctx.actor, action: 'store_credit.issue', subject: accountId, cause: issue.reason })
    return created(await whole(tx, (await storeCreditOf(tx, hmac, issue.currency))!))
  },
})

const credit = route({
  method: 'get',
  path: '/v1/store-credits/{customerRef}',
  tag,
  summary: 'A customer’s store credit',
  roles: may.readValue,
  params: z.object({ customerRef: text(200) }),
  query: z.strictObject({ currency }),
  answers: { 200: withMoves },
  async run(ctx) {
    const found = await storeCreditOf(ctx.db, customerRefHmac(ctx.params.customerRef, ctx.deps.config.CUSTOMER_REF_SECRET), ctx.query.currency)
    if (!found) throw refuse('store_credit.unknown')
    return ok(await whole(ctx.db, found))
  },
})

export const storedValueRoutes = [newGiftCard, balance, newCredit, credit]
