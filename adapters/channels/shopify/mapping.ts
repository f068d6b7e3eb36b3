/** Shopify's order in our words, or every reason why it is not one. Pure: what the network knows (SKUs, the channel's currency) is checked after. */
import { isCurrency, shareOut, type Currency } from '../../../domain/money'
import type { Said } from '../../../domain/order/channel-update'
import type { NewLine, ShipTo, SubmittedOrder } from '../../../domain/order/new-order'
import type { RefusalDetail } from '../../../domain/refusals'
import type { ChannelAdapter, Mapped } from '../adapter'
import { minorOf, noSku, reason, schemaReasons, without } from '../reading'
import { amountReasons } from './amounts'
import { digitsOf, shopifyNumber, shopifyOrder, shopifySequence, shopifyState, type ShopifyOrder, type ShopifyState } from './schema'

export const shopify: ChannelAdapter = { name: 'shopify', map: mapShopifyOrder, said: saidByShopify, numberOf: numberAtShopify, sequenceOf: sequenceAtShopify, pointer: (pointer) => shopifyPointer(pointer) }

/** @returns the order as far as it can be read, and what Shopify's own words say against it. That its currency is none is for the network to say. */
export function mapShopifyOrder(body: unknown, channel: string): Mapped {
  const read = shopifyOrder.safeParse(body)
  if (!read.success) return { reasons: [...stateReasons(body), ...schemaReasons(read.error)] }
  const order = read.data
  const scale = scaleOf(order)
  return {
    order: orderOf(order, channel, scale),
    reasons: [...cancelledReasons(order), ...paidReasons(order), ...lineReasons(order), ...addressReasons(order), ...amountReasons(order, scale)],
  }
}

/** How many digits an unknown currency has nobody knows; two let its amounts be checked against each other. */
const scaleOf = ({ currency }: Pick<ShopifyOrder, 'currency'>): Currency => (isCurrency(currency) ? currency : 'EUR')

function numberAtShopify(body: unknown): string | undefined {
  const read = shopifyNumber.safeParse(body)
  return read.success ? digitsOf(read.data.admin_graphql_api_id) : undefined
}

/** Shops count their orders one by one. */
function sequenceAtShopify(body: unknown): number | undefined {
  const read = shopifySequence.safeParse(body)
  return read.success ? read.data.order_number : undefined
}

/** After an order was edited, `quantity` is still what was ordered first, and `current_quantity` what is left of it. A discount of the whole order was spread when it was placed, and not over what came later. */
function saidByShopify(body: unknown, channel: string): ReturnType<ChannelAdapter['said']> {
  const read = shopifyOrder.safeParse(body)
  const { order } = mapShopifyOrder(body, channel)
  if (!read.success || !order || order.lines.some((l) => Number.isNaN(l.unitPriceMinor + l.discountMinor + l.taxMinor))) return undefined
  const lines = linesAsWritten(read.data, (text) => minorOf(text, scaleOf(read.data))).map((line, i) => ({ ...line, quantity: read.data.line_items[i]!.current_quantity ?? line.quantity }))
  const { updated_at: at } = read.data
  const money = moneyOf(read.data)
  return { lines, ...(money && { money }), ...(order.shipTo && { shipTo: order.shipTo }), saidAt: at ? new Date(at).toISOString() : null }
}

/** After an order was edited, `total_price` is still what it cost first. */
function moneyOf({ currency, total_price, current_total_price, total_outstanding, financial_status }: ShopifyOrder): Said['money'] {
  const minor = (text: string): number => minorOf(text, scaleOf({ currency }))
  const totalMinor = minor(current_total_price ?? total_price)
  const isPaid = (financial_status === 'paid' || financial_status === 'partially_refunded') && !(total_outstanding != null && minor(total_outstanding) > 0)
  return Number.isNaN(totalMinor) ? undefined : { totalMinor, isPaid }
}

/** Where a problem of our document stands in Shopify's. */
const shopifyPointer = (pointer: string): string =>
  pointer
    .replace(/^\/lines\/(\d+)\/discountMinor/, '/line_items/$1/discount_allocations')
    .replace(/^\/lines\/(\d+)\/lineId/, '/line_items/$1/admin_graphql_api_id')
    .replace(/^\/lines/, '/line_items')
    .replace(/^\/(totalMinor|tenders)/, '/total_price')

/** Of a body that cannot be read as a whole, what it says of itself is named all the same. */
function stateReasons(body: unknown): RefusalDetail[] {
  const read = shopifyState.safeParse(body)
  if (!read.success) return []
  return [...cancelledReasons(read.data), ...(read.data.financial_status ? paidReasons(read.data) : [])]
}

const cancelledReasons = ({ cancelled_at }: ShopifyState): RefusalDetail[] =>
  cancelled_at ? [reason('channel.order_cancelled', '/cancelled_at', `The shop cancelled the order at ${cancelled_at}`)] : []

const paidReasons = ({ financial_status }: ShopifyState): RefusalDetail[] =>
  financial_status === 'paid' ? [] : [reason('channel.not_paid', '/financial_status', `The shop has not taken the money: ${financial_status ?? 'no status'}`)]

const lineReasons = ({ line_items }: ShopifyOrder): RefusalDetail[] =>
  line_items.flatMap((line, i) => {
    if (line.gift_card) return [reason('channel.line_not_goods', `/line_items/${i}/gift_card`, 'A gift card is not sent by a store')]
    if (!line.requires_shipping) return [reason('channel.line_not_goods', `/line_items/${i}/requires_shipping`, 'Nothing is to be sent for this line')]
    return []
  })

function addressReasons({ shipping_address }: ShopifyOrder): RefusalDetail[] {
  if (!shipping_address) return [reason('channel.address_missing', '/shipping_address', 'There is no address to send it to')]
  const country = shipping_address.country_code ?? ''
  return /^[A-Z]{2}$/.test(country) ? [] : [reason('channel.address_missing', '/shipping_address/country_code', 'There is no country to send it to')]
}

function orderOf(order: ShopifyOrder, channel: string, scale: Currency): SubmittedOrder {
  const minor = (text: string): number => minorOf(text, scale)
  const sum = <T>(items: readonly T[], of: (item: T) => string): number => items.reduce((total, item) => total + minor(of(item)), 0)
  const totalMinor = minor(order.total_price)
  const shippingMinor = order.shipping_lines.reduce((total, line) => total + minor(line.price) - sum(line.discount_allocations, (a) => a.amount), 0)
  return {
    channel,
    channelOrderId: digitsOf(order.admin_graphql_api_id),
    placedAt: new Date(order.created_at).toISOString(),
    currency: order.currency,
    claim: 'later', // the shop has sold it already
    priority: 5,
    customer: customerOf(order),
    shipTo: addressOf(order.shipping_address),
    ...billToOf(order),
    delivery: { method: 'delivery' },
    lines: linesOf(order, minor),
    shipping: { priceMinor: shippingMinor, taxMinor: order.shipping_lines.reduce((total, line) => total + sum(line.tax_lines, (t) => t.price), 0) },
    totalMinor,
    taxIncluded: order.taxes_included,
    tenders: [{ tenderId: 'shopify', provider: 'paid_elsewhere', amountMinor: totalMinor }],
  }
}

const allocated = (allocations: readonly { amount: string }[], minor: (text: string) => number): number => allocations.reduce((total, a) => total + minor(a.amount), 0)

const linesAsWritten = (order: ShopifyOrder, minor: (text: string) => number): NewLine[] =>
  order.line_items.map((line) => ({
    lineId: digitsOf(line.admin_graphql_api_id),
    sku: line.sku ?? noSku,
    quantity: line.quantity,
    unitPriceMinor: minor(line.price),
    discountMinor: allocated(line.discount_allocations, minor),
    taxMinor: line.tax_lines.reduce((total, t) => total + minor(t.price), 0),
  }))

/** A discount of the whole order that Shopify has not spread over the lines is spread by their value, to the cent. */
function linesOf(order: ShopifyOrder, minor: (text: string) => number): NewLine[] {
  const lines = linesAsWritten(order, minor)
  const spread = [...order.line_items, ...order.shipping_lines].reduce((total, line) => total + allocated(line.discount_allocations, minor), 0)
  const rest = minor(order.total_discounts) - spread
  const values = lines.map((l) => l.unitPriceMinor * l.quantity - l.discountMinor)
  if (!(rest > 0) || !values.every((v) => Number.isSafeInteger(v) && v >= 0)) return lines
  const shares = shareOut(rest, values)
  return lines.map((line, i) => ({ ...line, discountMinor: line.discountMinor + shares[i]! }))
}

function customerOf({ customer, email, phone }: ShopifyOrder): SubmittedOrder['customer'] {
  const name = [customer?.first_name, customer?.last_name].filter(Boolean).join(' ')
  return without({
    customerRef: customer?.admin_graphql_api_id ? digitsOf(customer.admin_graphql_api_id) : undefined,
    name: name || undefined,
    email: email ?? customer?.email,
    phone: phone ?? customer?.phone,
  })
}

/** One without a country is none: there is nothing to compare it by. */
function billToOf({ billing_address: to }: ShopifyOrder): Pick<SubmittedOrder, 'billTo'> {
  const billTo = addressOf(to)
  return billTo && /^[A-Z]{2}$/.test(billTo.country) ? { billTo } : {}
}

function addressOf(to: ShopifyOrder['shipping_address']): ShipTo | undefined {
  if (!to) return undefined
  return without({
    name: to.name,
    line1: to.address1,
    line2: to.address2,
    city: to.city,
    region: to.province,
    postalCode: to.zip,
    country: to.country_code ?? '',
    latitude: to.latitude,
    longitude: to.longitude,
  })
}
