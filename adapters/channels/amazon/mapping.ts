/** Amazon's order document in our words, or every reason why it is not an order. Pure: what the network knows (SKUs, the channel's currency) is checked after. */
import { isCurrency } from '../../../domain/money'
import type { ShipTo, SubmittedOrder } from '../../../domain/order/new-order'
import type { RefusalDetail } from '../../../domain/refusals'
import type { ChannelAdapter, Mapped } from '../adapter'
import { minorOf, noSku, reason, schemaReasons, without } from '../reading'
import { amountReasons, amountsOf } from './amounts'
import { amazonDocument, amazonState, type AmazonOrder } from './schema'

/** Amazon changes nothing of an order but to cancel it: a later document says the same of its lines. */
export const amazon: ChannelAdapter = { name: 'amazon', map: mapAmazonOrder, said: () => undefined, numberOf: numberAtAmazon, sequenceOf: () => undefined, pointer: (pointer) => amazonPointer(pointer) }

/** @returns the order as far as it can be read, and what Amazon's own words say against it. */
export function mapAmazonOrder(body: unknown, channel: string): Mapped {
  const read = amazonDocument.safeParse(body)
  if (!read.success) return { reasons: [...stateReasons(body), ...schemaReasons(read.error)] }
  const { order } = read.data
  const { currencyCode } = order.proceeds.grandTotal
  const scale = isCurrency(currencyCode) ? currencyCode : 'EUR' // an unknown one is for the network to say
  return { order: orderOf(order, channel, scale), reasons: [...statusReasons(order.fulfillment), ...addressReasons(order), ...amountReasons(order, scale)] }
}

/** The number of the order that Amazon says is cancelled; undefined for any other document. */
export function cancelledAtAmazon(body: unknown): string | undefined {
  const read = amazonState.safeParse(body)
  const { orderId, fulfillment } = read.success ? read.data.order : {}
  return orderId !== undefined && /^\d{3}-\d{7}-\d{7}$/.test(orderId) && isCancelled(fulfillment?.fulfillmentStatus) ? orderId : undefined
}

function numberAtAmazon(body: unknown): string | undefined {
  const read = amazonState.safeParse(body)
  return read.success ? read.data.order.orderId?.slice(0, 100) : undefined
}

const isCancelled = (status: string | undefined): boolean => status === 'CANCELLED' || status === 'CANCELED'

/** Where a problem of our document stands in Amazon's. */
const amazonPointer = (pointer: string): string =>
  pointer
    .replace(/^\/currency/, '/order/proceeds/grandTotal/currencyCode')
    .replace(/^\/lines\/(\d+)\/sku/, '/order/orderItems/$1/product/sellerSku')
    .replace(/^\/lines\/(\d+)\/lineId/, '/order/orderItems/$1/orderItemId')
    .replace(/^\/lines\/(\d+)\/discountMinor/, '/order/orderItems/$1/proceeds/breakdowns')
    .replace(/^\/lines/, '/order/orderItems')
    .replace(/^\/(totalMinor|tenders)/, '/order/proceeds/grandTotal')

/** Of a body that cannot be read as a whole, what it says of itself is named all the same. */
function stateReasons(body: unknown): RefusalDetail[] {
  const read = amazonState.safeParse(body)
  return read.success && read.data.order.fulfillment.fulfillmentStatus ? statusReasons(read.data.order.fulfillment) : []
}

/** Only what Amazon has the money for, has not been sent, and is for the merchant to send is an order. */
function statusReasons({ fulfillmentStatus: status, fulfilledBy }: AmazonOrder['fulfillment']): RefusalDetail[] {
  const pointer = '/order/fulfillment/fulfillmentStatus'
  const others = fulfilledBy === 'AMAZON' ? [reason('channel.fulfilled_elsewhere', '/order/fulfillment/fulfilledBy', 'Amazon sends this order itself')] : []
  if (status === 'UNSHIPPED') return others
  if (isCancelled(status)) return [reason('channel.order_cancelled', pointer, 'Amazon says that the order is cancelled'), ...others]
  if (status === 'SHIPPED' || status === 'PARTIALLY_SHIPPED') return [reason('channel.fulfilled_elsewhere', pointer, `Some of it has been sent already: ${status}`), ...others]
  return [reason('channel.not_paid', pointer, `Amazon has not released the order: ${status ?? 'no status'}`), ...others]
}

/** The address is personal data: it is there only if the document was asked for with it. */
function addressReasons({ recipient }: AmazonOrder): RefusalDetail[] {
  const to = recipient?.deliveryAddress
  if (!to) return [reason('channel.address_missing', '/order/recipient/deliveryAddress', 'There is no address to send it to: ask Amazon for the order with its recipient')]
  return /^[A-Z]{2}$/.test(to.countryCode ?? '') ? [] : [reason('channel.address_missing', '/order/recipient/deliveryAddress/countryCode', 'There is no country to send it to')]
}

function orderOf(order: AmazonOrder, channel: string, scale: Parameters<typeof amountsOf>[1]): SubmittedOrder {
  const items = order.orderItems.map((item) => ({ item, ...amountsOf(item, scale) }))
  const total = order.proceeds.grandTotal
  const totalMinor = minorOf(total.amount, scale)
  return {
    channel,
    channelOrderId: order.orderId,
    placedAt: new Date(order.createdTime).toISOString(),
    currency: total.currencyCode,
    claim: 'later', // Amazon has sold it already
    priority: 5,
    customer: without({ name: order.buyer?.buyerName, email: order.buyer?.buyerEmail, phone: order.recipient?.deliveryAddress?.phone }),
    shipTo: shipToOf(order),
    delivery: { method: 'delivery' },
    lines: items.map(({ item, unitPriceMinor, discountMinor, taxMinor }) => ({
      lineId: item.orderItemId,
      sku: item.product.sellerSku ?? noSku,
      quantity: item.quantityOrdered,
      unitPriceMinor,
      discountMinor,
      taxMinor,
    })),
    shipping: { priceMinor: items.reduce((sum, i) => sum + i.shippingMinor, 0), taxMinor: items.reduce((sum, i) => sum + i.shippingTaxMinor, 0) },
    totalMinor,
    taxIncluded: false,
    tenders: [{ tenderId: 'amazon', provider: 'paid_elsewhere', amountMinor: totalMinor }],
  }
}

function shipToOf({ recipient }: AmazonOrder): ShipTo | undefined {
  const to = recipient?.deliveryAddress
  if (!to) return undefined
  const second = [to.companyName, to.addressLine2, to.addressLine3].filter(Boolean).join(', ')
  return without({ name: to.name, line1: to.addressLine1, line2: second || undefined, city: to.city, region: to.stateOrRegion, postalCode: to.postalCode, country: to.countryCode ?? '' })
}
