/** What we read of Shopify's order document. Everything else it sends is let be; numbers that do not fit a double are read from the GraphQL ids. */
import { z } from 'zod'

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'Must be a decimal amount')
const gid = (noun: string) => z.string().regex(new RegExp(`^gid://shopify/${noun}/\\d{1,40}$`), `Must be gid://shopify/${noun}/<digits>`)
const words = z.string().nullish()

const taxLine = z.looseObject({ price: decimal })
const allocation = z.looseObject({ amount: decimal })

const lineItem = z.looseObject({
  admin_graphql_api_id: gid('LineItem'),
  sku: words,
  quantity: z.int().min(1),
  price: decimal,
  requires_shipping: z.boolean().default(true),
  gift_card: z.boolean().default(false),
  tax_lines: z.array(taxLine).default([]),
  discount_allocations: z.array(allocation).default([]),
})

const shippingLine = z.looseObject({ price: decimal, tax_lines: z.array(taxLine).default([]), discount_allocations: z.array(allocation).default([]) })

const address = z.looseObject({
  name: words,
  address1: words,
  address2: words,
  city: words,
  province: words,
  zip: words,
  country_code: words,
  phone: words,
  latitude: z.number().nullish(),
  longitude: z.number().nullish(),
})

export const shopifyOrder = z.looseObject({
  admin_graphql_api_id: gid('Order'),
  created_at: z.iso.datetime({ offset: true }),
  cancelled_at: words,
  currency: z.string(),
  email: words,
  phone: words,
  financial_status: words,
  taxes_included: z.boolean().default(false),
  total_price: decimal,
  total_discounts: decimal.default('0'),
  line_items: z.array(lineItem).min(1).max(500),
  shipping_lines: z.array(shippingLine).default([]),
  shipping_address: address.nullish(),
  customer: z.looseObject({ admin_graphql_api_id: words, email: words, phone: words, first_name: words, last_name: words }).nullish(),
})
export type ShopifyOrder = z.output<typeof shopifyOrder>

/** What a cancellation is read by. */
export const shopifyCancellation = z.looseObject({ admin_graphql_api_id: gid('Order'), cancel_reason: words })

/** `gid://shopify/Order/820982911946154508` → `820982911946154508`. */
export const digitsOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
