/** What we read of Shopify's order document. Everything else it sends is let be; numbers that do not fit a double are read from the GraphQL ids. */
import { z } from 'zod'

const decimal = z.string().max(40).regex(/^-?\d+(\.\d+)?$/, 'Must be a decimal amount')
const gid = (noun: string) => z.string().regex(new RegExp(`^gid://shopify/${noun}/\\d{1,40}$`), `Must be gid://shopify/${noun}/<digits>`)

/** Text that a database can hold and a label can show: well-formed, without control characters. Nothing left of it is the same as not given. */
const clean = (text: string | null | undefined): string | undefined => {
  const kept = text
    ?.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    // eslint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
  return kept === '' ? undefined : kept
}
const words = z.string().nullish().transform(clean)

/** When the shop cancelled; an instant that cannot be read still says that it did. */
const cancelledAt = z.string().nullish().transform((given) => (given ? (clean(given) ?? 'an unreadable instant') : undefined))

/** Shops leave out what is empty, or send null for it. */
const list = <T extends z.ZodType>(item: T, most: number) => z.array(item).max(most).nullish().transform((items) => items ?? [])
const flag = (otherwise: boolean) => z.boolean().nullish().transform((given) => given ?? otherwise)

const taxLine = z.looseObject({ price: decimal })
const allocation = z.looseObject({ amount: decimal })
const taxLines = list(taxLine, 100)
const allocations = list(allocation, 100)

const lineItem = z.looseObject({
  admin_graphql_api_id: gid('LineItem'),
  sku: words,
  quantity: z.int().min(1).max(100_000),
  price: decimal,
  requires_shipping: flag(true),
  gift_card: flag(false),
  tax_lines: taxLines,
  discount_allocations: allocations,
})

const shippingLine = z.looseObject({ price: decimal, tax_lines: taxLines, discount_allocations: allocations })

/** A position that is nowhere on earth is not one; the order can do without. */
const degrees = (most: number) => z.number().nullish().transform((given) => (given != null && Math.abs(given) <= most ? given : undefined))

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

const [earliest, latest] = [Date.UTC(1970, 0, 1), Date.UTC(9999, 0, 1)]
const instant = z.iso
  .datetime({ offset: true })
  .refine((value) => Date.parse(value) >= earliest && Date.parse(value) < latest, 'Must be an instant after 1970')

/** What a shop says of the order as a whole; readable even where the rest is not. */
export const shopifyState = z.looseObject({ cancelled_at: cancelledAt.catch(undefined), financial_status: words.catch(undefined) })
export type ShopifyState = z.output<typeof shopifyState>

export const shopifyOrder = z.looseObject({
  admin_graphql_api_id: gid('Order'),
  created_at: instant,
  cancelled_at: cancelledAt,
  currency: z.string().transform((code) => clean(code) ?? ''),
  email: words,
  phone: words,
  financial_status: words,
  taxes_included: flag(false),
  total_price: decimal,
  total_discounts: decimal.nullish().transform((given) => given ?? '0'),
  line_items: z.array(lineItem).min(1).max(500),
  shipping_lines: list(shippingLine, 100),
  shipping_address: address.nullish(),
  customer: z.looseObject({ admin_graphql_api_id: words, email: words, phone: words, first_name: words, last_name: words }).nullish(),
})
export type ShopifyOrder = z.output<typeof shopifyOrder>

const cancelReasons = ['customer', 'declined', 'fraud', 'inventory', 'other', 'staff'] as const

/** What a cancellation is read by. Only Shopify's own words for the reason are taken over: free text may name people, and the reason goes into histories. */
export const shopifyCancellation = z.looseObject({ admin_graphql_api_id: gid('Order'), cancel_reason: z.enum(cancelReasons).catch('other') })

/** `gid://shopify/Order/820982911946154508` → `820982911946154508`. */
export const digitsOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
