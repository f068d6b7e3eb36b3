/** Shopify signs the raw body: base64 of its HMAC-SHA256 under the channel's secret. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** @returns whether `given` (the X-Shopify-Hmac-Sha256 header) was made from exactly these bytes. */
export function isSignedByShopify(rawBody: Buffer, given: string | undefined, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(rawBody).digest()
  const actual = Buffer.from(given ?? '', 'base64')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}
