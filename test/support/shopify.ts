/** Shopify as it speaks to us: its body, its headers, its signature. */
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ShopifyBody {
  line_items: Record<string, unknown>[]
  shipping_address: Record<string, unknown>
  [field: string]: unknown
}

/** Our own paid order of Shopify's shape, with demo SKUs. */
export const readFixture = (): ShopifyBody => JSON.parse(readFileSync(join(__dirname, '../fixtures/shopify/paid-order.json'), 'utf8')) as ShopifyBody

/** The same under a number nobody has used. */
export const freshShopifyOrder = (): ShopifyBody & { admin_graphql_api_id: string } => ({
  ...readFixture(),
  admin_graphql_api_id: `gid://shopify/Order/${BigInt(`0x${randomBytes(8).toString('hex')}`)}`,
})

export interface ShopifyDelivery {
  topic?: string
  webhookId?: string
  secret?: string
  channel?: string
  /** Sent instead of the signed body. */
  changedBody?: string
}

export async function sendShopify(url: string, body: unknown, delivery: ShopifyDelivery = {}): Promise<{ status: number; body: { orderId?: string; quarantineId?: string; code?: string } }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}/v1/channels/${delivery.channel ?? 'web'}/shopify/webhooks`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': delivery.topic ?? 'orders/create',
      'x-shopify-webhook-id': delivery.webhookId ?? randomBytes(8).toString('hex'),
      'x-shopify-hmac-sha256': createHmac('sha256', delivery.secret ?? 'demo-shopify-secret').update(text).digest('base64'),
    },
    body: delivery.changedBody ?? text,
  })
  return { status: response.status, body: (await response.json()) as { orderId?: string } }
}
