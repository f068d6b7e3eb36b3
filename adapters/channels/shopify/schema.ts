/** What we read of Shopify's order document. Everything else it sends is let be; numbers that do not fit a double are read from the GraphQL ids. */
import { z } from 'zod'
import { clean, decimal, degrees, flag, instant, list, words } from '../reading'

const gid = (noun: string) => z.string().regex(new RegExp(`^gid://shopify/${noun}/\\d{1,40}$`), `Must be gid://shopify/${noun}/<digits>`)

/** When the shop cancelled; an instant that cannot be read still says that it did. */
const cancelledAt = z.string().nullish().transform((given) => (given ? (clean(given) ?? 'an unreadable instant') : undefined))

const taxLine = z.looseObject({ price: decimal })
const allocation = z.looseObject({ amount: decimal })
const taxLines = list(taxLine, 100)
const allocations = list(allocation, 100)

const lineItem = z.looseObject({
  admin_graphql_api_id: gid('LineItem'),
  sku: words,
  quantity: z.int().min(1).max(100_000),
  current_quantity: z.int().min(0).max(100_000).nullish(),
  price: decimal,
  requires_shipping: flag(true),
  gift_card: flag(false),
  tax_lines: taxLines,
  discount_allocations: allocations,
})

const shippingLine = z.looseObject({ price: decimal, tax_lines: taxLines, discount_allocations: allocations })

const address = z.looseObject({
  name: words,
  address1: words,
  address2: words,
  city: words,
  province: words,
  zip: words,
  country_code: words,
  phone: words,
  latitude: degrees(90),
  longitude: degrees(180),
})

/** What a shop says of the order as a whole; readable even where the rest is not. */
export const shopifyState = z.looseObject({ cancelled_at: cancelledAt.catch(undefined), financial_status: words.catch(undefined) })
export type ShopifyState = z.output<typeof shopifyState>

/** The number of the order, of whatever can be read. */
export const shopifyNumber = z.looseObject({ admin_graphql_api_id: gid('Order') })

export const shopifySequence = z.looseObject({ order_number: z.int().min(1) })

export const shopifyOrder = z.looseObject({
  admin_graphql_api_id: gid('Order'),
  created_at: instant,
  updated_at: instant.nullish().catch(null),
  cancelled_at: cancelledAt,
  currency: z.string().transform((code) => clean(code) ?? ''),
  email: words,
  phone: words,
  financial_status: words,
  taxes_included: flag(false),
  total_price: decimal,
  current_total_price: decimal.nullish().catch(null),
  total_outstanding: decimal.nullish().catch(null),
  total_discounts: decimal.nullish().transform((given) => given ?? '0'),
  line_items: z.array(lineItem).min(1).max(500),
  shipping_lines: list(shippingLine, 100),
  shipping_address: address.nullish(),
  billing_address: address.nullish().catch(null),
  customer: z.looseObject({ admin_graphql_api_id: words, email: words, phone: words, first_name: words, last_name: words }).nullish(),
})
export type ShopifyOrder = z.output<typeof shopifyOrder>

const cancelReasons = ['customer', 'declined', 'fraud', 'inventory', 'other', 'staff'] as const

/** What a cancellation is read by. Only Shopify's own words for the reason are taken over: free text may name people, and the reason goes into histories. */
export const shopifyCancellation = z.looseObject({ admin_graphql_api_id: gid('Order'), cancel_reason: z.enum(cancelReasons).catch('other') })

/** `gid://shopify/Order/820982911946154508` → `820982911946154508`. */
export const digitsOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
