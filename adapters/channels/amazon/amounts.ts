/** Amazon's amounts by what they are for. Whatever is for something we do not know is named, so that no cent is lost on the way in. */
import type { Currency } from '../../../domain/money'
import type { RefusalDetail } from '../../../domain/refusals'
import { amountProblem, minorOf, reason } from '../reading'
import type { AmazonItem, AmazonMoney, AmazonOrder } from './schema'

export interface ItemAmounts {
  unitPriceMinor: number
  discountMinor: number
  taxMinor: number
  shippingMinor: number
  shippingTaxMinor: number
}

/** What an item costs, and what its breakdown says of discount, tax and shipping. Discounts are written above or below zero. */
export function amountsOf(item: AmazonItem, scale: Currency): ItemAmounts {
  const minor = ({ amount }: AmazonMoney): number => minorOf(amount, scale)
  const breakdowns = item.proceeds?.breakdowns ?? []
  const sum = (type: string): number => breakdowns.filter((b) => b.type === type).reduce((total, b) => total + minor(b.subtotal), 0)
  const taxes = breakdowns.filter((b) => b.type === 'TAX')
  const shippingTaxMinor = taxes.flatMap((b) => b.detailedBreakdowns).filter((d) => d.subtype === 'SHIPPING').reduce((total, d) => total + minor(d.value), 0)
  const goodsMinor = sum('ITEM')
  const priced = item.product.price ? minor(item.product.price.unitPrice) : goodsMinor / item.quantityOrdered
  return {
    unitPriceMinor: priced,
    discountMinor: Math.abs(sum('DISCOUNT')),
    taxMinor: sum('TAX') - shippingTaxMinor,
    shippingMinor: sum('SHIPPING'),
    shippingTaxMinor,
  }
}

/** Below zero, too large, too fine, in another currency than the order, or for something else than goods, shipping, tax and discount. */
export function amountReasons(order: AmazonOrder, scale: Currency): RefusalDetail[] {
  const { grandTotal } = order.proceeds
  const wrong = (money: AmazonMoney, pointer: string, isDiscount = false): RefusalDetail[] => {
    const problem = amountProblem(isDiscount ? money.amount.replace(/^-/, '') : money.amount, scale)
    const foreign = money.currencyCode !== grandTotal.currencyCode
    return [...(problem ? [reason('order.totals', `${pointer}/amount`, problem)] : []), ...(foreign ? [reason('order.totals', `${pointer}/currencyCode`, `is not the currency of the order (${grandTotal.currencyCode})`)] : [])]
  }
  const items = order.orderItems.flatMap((item, i) => {
    const at = `/order/orderItems/${i}`
    const price = item.product.price
    const inParts = (item.proceeds?.breakdowns ?? []).flatMap((b, j) => {
      const pointer = `${at}/proceeds/breakdowns/${j}`
      const unknown = !known.has(b.type) && /[1-9]/.test(b.subtotal.amount)
      return [
        ...wrong(b.subtotal, `${pointer}/subtotal`, b.type === 'DISCOUNT'),
        ...b.detailedBreakdowns.flatMap((d, k) => wrong(d.value, `${pointer}/detailedBreakdowns/${k}/value`, b.type === 'DISCOUNT')),
        ...(unknown ? [reason('order.totals', `${pointer}/type`, `${b.type.slice(0, 50)} is nothing that is known here`)] : []),
      ]
    })
    const unpriced = !price && !Number.isSafeInteger(amountsOf(item, scale).unitPriceMinor)
    return [...(price ? wrong(price.unitPrice, `${at}/product/price/unitPrice`) : []), ...inParts, ...(unpriced ? [reason('order.totals', `${at}/product/price`, 'Nothing says what one unit costs')] : [])]
  })
  return [...wrong(grandTotal, '/order/proceeds/grandTotal'), ...items]
}
const known: ReadonlySet<string> = new Set(['ITEM', 'SHIPPING', 'TAX', 'DISCOUNT'])
