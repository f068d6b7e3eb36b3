/** What an order did to the accounts: every cent, with its reason. */
import { z } from 'zod'
import { ledgerOf } from '../../db/views/ledger'
import { visibleOrder } from '../access'
import { may } from '../permissions'
import { ok, route } from '../route'
import { at, uuid } from '../schemas/fields'

const entry = z
  .object({ journalId: z.string(), account: z.string(), amountMinor: z.int(), currency: z.string(), at, cause: z.string() })
  .meta({ id: 'LedgerEntry' })

const getLedger = route({
  method: 'get',
  path: '/v1/orders/{orderId}/ledger',
  tag: 'Money',
  summary: 'The order’s entries in the double-entry ledger',
  description: 'Debits are positive, credits negative; the entries of a journal sum to zero. `cause` says what each amount is for.',
  roles: may.readLedger,
  params: z.object({ orderId: uuid }),
  answers: { 200: z.object({ entries: z.array(entry) }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return ok({ entries: await ledgerOf(ctx.db, ctx.params.orderId) })
  },
})

export const ledgerRoutes = [getLedger]
