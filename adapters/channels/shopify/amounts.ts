/** Every amount of Shopify's that no order can have, by its place in the body. */
import type { Currency } from '../../../domain/money'
import type { RefusalDetail } from '../../../domain/refusals'
import { amountProblem, minorOf } from '../reading'
import type { ShopifyOrder } from './schema'

/** An amount below zero, too large, or finer than the currency's minor unit would be changed on its way in; it is named instead. */
export function amountReasons(order: ShopifyOrder, currency: Currency): RefusalDetail[] {
  const wrong = amounts(order).flatMap(([pointer, text]) => {
    const message = amountProblem(text, currency)
    return message ? [{ code: 'order.totals' as const, pointer, message }] : []
  })
  return [...wrong, ...shippingReasons(order, currency)]
}

function shippingReasons({ shipping_lines }: ShopifyOrder, currency: Currency): RefusalDetail[] {
  return shipping_lines.flatMap((line, i) => {
    const discount = line.discount_allocations.reduce((sum, a) => sum + minorOf(a.amount, currency), 0)
    if (!(discount > Math.max(0, minorOf(line.price, currency)))) return []
    return [{ code: 'order.totals' as const, pointer: `/shipping_lines/${i}/discount_allocations`, message: `is more than the shipping costs (${line.price})` }]
  })
}

const amounts = (order: ShopifyOrder): [pointer: string, text: string][] => [
  ...order.line_items.flatMap((line, i) => amountsOfLine(line, `/line_items/${i}`)),
  ...order.shipping_lines.flatMap((line, i) => amountsOfLine(line, `/shipping_lines/${i}`)),
  ['/total_discounts', order.total_discounts],
  ['/total_price', order.total_price],
]

type PricedLine = Pick<ShopifyOrder['shipping_lines'][number], 'price' | 'tax_lines' | 'discount_allocations'>

const amountsOfLine = (line: PricedLine, pointer: string): [pointer: string, text: string][] => [
  [`${pointer}/price`, line.price],
  ...line.tax_lines.map((t, i): [string, string] => [`${pointer}/tax_lines/${i}/price`, t.price]),
  ...line.discount_allocations.map((a, i): [string, string] => [`${pointer}/discount_allocations/${i}/amount`, a.amount]),
]
