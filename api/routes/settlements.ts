/** The provider's files of what it paid out: sent by finance, held against our operations, and read again. */
import { z } from 'zod'
import { activePolicies } from '../../db/policies'
import { receiveSettlement } from '../../db/settlements'
import { mostBreaksShown, settlementView } from '../../db/views/settlements'
import { defaultPolicies } from '../../domain/policy/kinds'
import { refuse } from '../../domain/refusals'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Route } from '../route'
import { at, instant, uuid } from '../schemas/fields'
import { settlementLines, spoolSettlement } from '../settlement-file'
import { Spool } from '../spool'

const tag = 'Money'

const settlementAnswer = z
  .object({
    settlementId: z.string(),
    provider: z.string(),
    receivedAt: at,
    periodEnd: at.nullable(),
    lines: z.int(),
    matched: z.int(),
    repeated: z.int(),
    breakCount: z.int(),
    breaks: z.array(
      z.object({
        reference: z.string().nullable(),
        oursMinor: z.int(),
        theirsMinor: z.int(),
        currency: z.string().nullable(),
        reason: z.string(),
        line: z.int().nullable(),
        why: z.string().nullable(),
        exceptionId: z.string(),
      }),
    ),
  })
  .meta({ id: 'Settlement' })

const receive = command({
  method: 'post',
  path: '/v1/settlements',
  tag,
  summary: 'The provider’s file of what it paid out',
  description: `Stripe’s itemized payout reconciliation as \`text/csv\`, of any length. Each line is matched to one capture or refund of ours, over all files; the same file again is refused, with the settlement that it was. \`breaks\` has the first ${mostBreaksShown} of \`breakCount\`; each is a case in the exception queue. \`to\`: until when the file covers everything, where its newest line does not say it. A file that ends within a line is refused, and so is one whose last line has no line break, unless its last cell is quoted; that whole lines are missing at its end only \`lines\` can tell.`,
  roles: may.sendSettlements,
  query: z.strictObject({ to: instant.optional(), lines: z.coerce.number().int().min(0).max(100_000_000).optional().meta({ description: 'How many lines are sent, the first and empty ones not counted: a file that has another number of them was cut on its way, and is refused' }) }),
  reads: 'lines',
  body: z.instanceof(Spool),
  bodyShown: z.string().meta({ description: 'CSV with at least the columns balance_transaction_id, created, currency, gross, fee, net, reporting_category, payment_intent_id' }),
  answers: { 201: settlementAnswer },
  async run(ctx, tx) {
    const fees = (await activePolicies(tx)).documents.payment.fees ?? defaultPolicies.payment.fees!
    const file = { provider: 'stripe', contentHash: ctx.body.sha256, periodEnd: ctx.query.to, lines: () => settlementLines(ctx.body) }
    const settlementId = await receiveSettlement(tx, file, { fees, actor: ctx.actor })
    return created(await settlementView(tx, settlementId), `/v1/settlements/${settlementId}`)
  },
})

/** The body is on disk, and looked at, before the command begins; and gone when it has answered. */
const sendSettlement: Route = {
  ...receive,
  async run(ctx, req, res) {
    const file = await spoolSettlement(req, (ctx.query as { lines?: number }).lines)
    ctx.body = file
    try {
      return await receive.run(ctx, req, res)
    } finally {
      await file.drop()
    }
  },
}

const getSettlement = route({
  method: 'get',
  path: '/v1/settlements/{settlementId}',
  tag,
  summary: 'A settlement: what agreed, and what did not',
  roles: may.readLedger,
  params: z.object({ settlementId: uuid }),
  answers: { 200: settlementAnswer },
  async run(ctx) {
    const found = await settlementView(ctx.db, ctx.params.settlementId)
    if (!found) throw refuse('settlement.unknown')
    return ok(found)
  },
})

export const settlementRoutes = [sendSettlement, getSettlement]
