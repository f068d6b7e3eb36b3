/** Shopify's order in our words, or every reason why it is not one. Pure: what the network knows (SKUs, the channel's currency) is checked after. */
import type { z } from 'zod'
import { isCurrency, parseMinor, shareOut, type Currency } from '../../../domain/money'
import type { NewLine, ShipTo, SubmittedOrder } from '../../../domain/order/new-order'
import type { RefusalCode, RefusalDetail } from '../../../domain/refusals'
import { digitsOf, shopifyOrder, type ShopifyOrder } from './schema'

export type Mapped = { order: SubmittedOrder; reasons: RefusalDetail[] } | { order?: undefined; reasons: RefusalDetail[] }

/** @returns the order as far as it can be read, and what Shopify's own words say against it. */
export function mapShopifyOrder(body: unknown, channel: string): Mapped {
  const read = shopifyOrder.safeParse(body)
  if (!read.success) return { reasons: read.error.issues.map(schemaReason) }
  const { currency } = read.data
  if (!isCurrency(currency)) return { reasons: [...statusReasons(read.data), reason('currency.unknown', '/currency', `${currency} is not an ISO 4217 currency code`)] }
  return { order: orderOf(read.data, channel, currency), reasons: [...statusReasons(read.data), ...lineReasons(read.data), ...addressReasons(read.data)] }
}

/** Where a problem of our document stands in Shopify's. */
export const shopifyPointer = (pointer: string): string =>
  pointer
    .replace(/^\/lines\/(\d+)\/discountMinor/, '/line_items/$1/discount_allocations')
    .replace(/^\/lines\/(\d+)\/lineId/, '/line_items/$1/admin_graphql_api_id')
    .replace(/^\/lines/, '/line_items')
    .replace(/^\/(totalMinor|tenders)/, '/total_price')

const reason = (code: RefusalCode, pointer: string, message: string): RefusalDetail => ({ code, pointer, message })

const schemaReason = (issue: z.core.$ZodIssue): RefusalDetail => reason('request.invalid', issue.path.map((part) => `/${String(part)}`).join(''), issue.message)

function statusReasons({ cancelled_at, financial_status }: ShopifyOrder): RefusalDetail[] {
  const reasons: RefusalDetail[] = []
  if (cancelled_at) reasons.push(reason('channel.order_cancelled', '/cancelled_at', `The shop cancelled the order at ${cancelled_at}`))
  if (financial_status !== 'paid') reasons.push(reason('channel.not_paid', '/financial_status', `The shop has not taken the money: ${financial_status ?? 'no status'}`))
  return reasons
}

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

function orderOf(order: ShopifyOrder, channel: string, currency: Currency): SubmittedOrder {
  const minor = (text: string): number => parseMinor(text, currency) ?? Number.NaN
  const sum = <T>(items: readonly T[], of: (item: T) => string): number => items.reduce((total, item) => total + minor(of(item)), 0)
  const totalMinor = minor(order.total_price)
  const shippingMinor = order.shipping_lines.reduce((total, line) => total + minor(line.price) - sum(line.discount_allocations, (a) => a.amount), 0)
  return {
    channel,
    channelOrderId: digitsOf(order.admin_graphql_api_id),
    placedAt: new Date(order.created_at).toISOString(),
    currency,
    claim: 'later', // the shop has sold it already
    priority: 5,
    customer: customerOf(order),
    shipTo: shipToOf(order),
    delivery: { method: 'delivery' },
    lines: linesOf(order, minor),
    shipping: { priceMinor: shippingMinor, taxMinor: order.shipping_lines.reduce((total, line) => total + sum(line.tax_lines, (t) => t.price), 0) },
    totalMinor,
    taxIncluded: order.taxes_included,
    tenders: [{ tenderId: 'shopify', provider: 'paid_elsewhere', amountMinor: totalMinor }],
  }
}

/** A discount of the whole order that Shopify has not spread over the lines is spread by their value, to the cent. */
function linesOf(order: ShopifyOrder, minor: (text: string) => number): NewLine[] {
  const allocated = (allocations: readonly { amount: string }[]): number => allocations.reduce((total, a) => total + minor(a.amount), 0)
  const lines = order.line_items.map((line) => ({
    lineId: digitsOf(line.admin_graphql_api_id),
    sku: clean(line.sku) ?? '',
    quantity: line.quantity,
    unitPriceMinor: minor(line.price),
    discountMinor: allocated(line.discount_allocations),
    taxMinor: line.tax_lines.reduce((total, t) => total + minor(t.price), 0),
  }))
  const spread = [...order.line_items, ...order.shipping_lines].reduce((total, line) => total + allocated(line.discount_allocations), 0)
  const rest = minor(order.total_discounts) - spread
  const values = lines.map((l) => l.unitPriceMinor * l.quantity - l.discountMinor)
  if (!(rest > 0) || !values.every((v) => Number.isSafeInteger(v) && v >= 0)) return lines
  const shares = shareOut(rest, values)
  return lines.map((line, i) => ({ ...line, discountMinor: line.discountMinor + shares[i]! }))
}

function customerOf({ customer, email, phone }: ShopifyOrder): SubmittedOrder['customer'] {
  const name = [customer?.first_name, customer?.last_name].map(clean).filter(Boolean).join(' ')
  return without({
    customerRef: customer?.admin_graphql_api_id ? digitsOf(customer.admin_graphql_api_id) : undefined,
    name: name || undefined,
    email: clean(email) ?? clean(customer?.email),
    phone: clean(phone) ?? clean(customer?.phone),
  })
}

function shipToOf({ shipping_address: to }: ShopifyOrder): ShipTo | undefined {
  if (!to) return undefined
  return without({
    name: clean(to.name),
    line1: clean(to.address1),
    line2: clean(to.address2),
    city: clean(to.city),
    region: clean(to.province),
    postalCode: clean(to.zip),
    country: to.country_code ?? '',
    latitude: to.latitude ?? undefined,
    longitude: to.longitude ?? undefined,
  })
}

/** Text that a database can hold and a label can show: well-formed, without control characters. */
const clean = (text: string | null | undefined): string | undefined => {
  const kept = text
    ?.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    // eslint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
  return kept === '' ? undefined : kept
}

const without = <T extends object>(record: T): T => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
