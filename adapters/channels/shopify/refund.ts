/** Shopify's refund: which units it was for, what shall become of them, and how much was really given back. */
import { z } from 'zod'
import { isCurrency } from '../../../domain/money'
import { decimal, list, minorOf, words } from '../reading'
import { operationOf } from './cancel'
import { digitsOf } from './schema'

const digits = z.union([z.string().regex(/^\d{1,40}$/), z.int().min(1)]).transform(String)

const shopifyRefund = z.looseObject({
  admin_graphql_api_id: z.string().regex(/^gid:\/\/shopify\/Refund\/\d{1,40}$/),
  order_id: digits,
  note: words.catch(undefined),
  refund_line_items: list(
    z.looseObject({
      quantity: z.int().min(1).max(100_000),
      restock_type: z.string().max(40).nullish(),
      line_item: z.looseObject({ admin_graphql_api_id: z.string().regex(/^gid:\/\/shopify\/LineItem\/\d{1,40}$/) }),
    }),
    500,
  ),
  transactions: list(z.looseObject({ kind: words, status: words, amount: decimal, currency: words }), 100),
})

/** `cancel`: not sent, and not to be; `return`: comes back; `none`: stays where it is. */
export type RestockWish = 'cancel' | 'return' | 'none'

export interface ShopifyRefund {
  refundId: string
  channelOrderId: string
  units: { lineId: string; quantity: number; wish: RestockWish }[]
  amountMinor: number
  currency: string | null
  /** Under which we asked for it, where it was us. */
  operationId?: string
}

/** @returns the refund, or what of it cannot be read. Only transactions that succeeded are money. */
export function readShopifyRefund(body: unknown): ShopifyRefund | z.ZodError {
  const read = shopifyRefund.safeParse(body)
  if (!read.success) return read.error
  const { data } = read
  const given = data.transactions.filter((t) => t.kind === 'refund' && t.status === 'success')
  const currency = given[0]?.currency ?? null
  const amountMinor = given.reduce((sum, t) => sum + minorOf(t.amount, currency !== null && isCurrency(currency) ? currency : 'EUR'), 0)
  if (!Number.isSafeInteger(amountMinor)) return new z.ZodError([{ code: 'custom', path: ['transactions'], message: 'The amounts are too large', input: undefined }])
  const units = data.refund_line_items.map(({ quantity, restock_type, line_item }) => ({ lineId: digitsOf(line_item.admin_graphql_api_id), quantity, wish: wishOf(restock_type) }))
  const operationId = operationOf(data.note)
  return { refundId: digitsOf(data.admin_graphql_api_id), channelOrderId: data.order_id, units, amountMinor, currency, ...(operationId !== undefined && { operationId }) }
}

const wishOf = (type: string | null | undefined): RestockWish => (type === 'cancel' || type === 'return' ? type : type === 'legacy_restock' ? 'return' : 'none')
