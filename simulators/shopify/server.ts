/** A shop on Shopify that keeps its own books: orders to be listed, what it was told of parcels and stock, and trouble on demand. Speaks as much of the Admin API as is needed to be told and asked. */
import express, { type Express, type Request, type Response } from 'express'
import { listen } from '../listen'
import { createTrouble, type Trouble } from '../trouble'
import { cancelOrder, createRefund, finishJobs, openOf, refundableOf, suggestedRefund, unitsOf, type CancelJob, type NewRefund, type ShopRefund } from './cancellations'

export interface LineItem {
  admin_graphql_api_id: string
  quantity: number
  sku: string
  price?: unknown
}
export interface ShopOrder {
  admin_graphql_api_id: string
  updated_at: string
  line_items: LineItem[]
  [field: string]: unknown
}
export interface ShopFulfillment {
  id: string
  order: string
  numbers: string[]
  company: string
  lines: { lineItem: string; quantity: number }[]
}
export interface ShopSimulator extends Pick<Trouble, 'fail'> {
  url: string
  orders: Map<string, ShopOrder>
  fulfillments: ShopFulfillment[]
  refunds: ShopRefund[]
  /** Cancellations that it does in the background. */
  jobs: CancelJob[]
  finishJobs(): void
  /** What it can sell, by `sku@location`. */
  stock: Map<string, number>
  close(): Promise<void>
}

const pageSize = 3

export async function startShopSimulator({ port = 0, token, skus }: { port?: number; token: string; skus: readonly string[] }): Promise<ShopSimulator> {
  const shop = { orders: new Map<string, ShopOrder>(), fulfillments: [] as ShopFulfillment[], refunds: [] as ShopRefund[], jobs: [] as CancelJob[], stock: new Map<string, number>() }
  const trouble = createTrouble()
  const app: Express = express().disable('x-powered-by')
  app.use(express.json())
  app.use((request, response, next) => void (request.get('x-shopify-access-token') === token ? next() : response.status(401).json({ errors: 'Invalid API key or access token' })))
  app.get('/admin/api/:version/orders.json', trouble.answering((request, response) => listOrders(shop.orders, request, response)))
  app.post('/admin/api/:version/graphql.json', trouble.answering((request, response) => void response.json({ data: graphql(shop, skus, request.body as Call) })))
  const listening = await listen(app, port)
  return { url: listening.url, ...shop, fail: trouble.fail, finishJobs: () => finishJobs(shop), close: () => listening.close() }
}

/** Oldest change first, a few at a time, with the cursor in the link to the next page. */
function listOrders(orders: ReadonlyMap<string, ShopOrder>, request: Request, response: Response): void {
  const cursor = typeof request.query.page_info === 'string' ? (JSON.parse(Buffer.from(request.query.page_info, 'base64url').toString()) as { since: string; from: number }) : undefined
  const since = cursor?.since ?? String(request.query.updated_at_min)
  const from = cursor?.from ?? 0
  const found = [...orders.values()].filter((o) => Date.parse(o.updated_at) >= Date.parse(since)).sort((a, b) => Date.parse(a.updated_at) - Date.parse(b.updated_at))
  const next = Buffer.from(JSON.stringify({ since, from: from + pageSize })).toString('base64url')
  if (from + pageSize < found.length) response.set('Link', `<http://${request.get('host')}${request.path}?limit=${pageSize}&page_info=${next}>; rel="next"`)
  response.json({ orders: found.slice(from, from + pageSize) })
}

interface Level {
  inventoryItemId: string
  locationId: string
  quantity: number
}
interface Call {
  query: string
  variables: { id?: string; orderId?: string; key?: string; query?: string; fulfillment?: NewFulfillment; refundLineItems?: NewRefund['refundLineItems']; input?: { quantities: Level[] } | NewRefund }
}
export type Books = Pick<ShopSimulator, 'orders' | 'fulfillments' | 'refunds' | 'jobs' | 'stock'>

function graphql(shop: Books, skus: readonly string[], { query, variables }: Call): object {
  if (query.includes('fulfillmentCreate')) return { fulfillmentCreate: createFulfillment(shop, variables.fulfillment!) }
  if (query.includes('inventorySetQuantities')) return { inventorySetQuantities: setQuantities(shop, variables.input as { quantities: Level[] }) }
  if (query.includes('orderCancel')) return { orderCancel: cancelOrder(shop, variables.orderId!) }
  if (query.includes('refundCreate')) return { refundCreate: createRefund(shop, variables.input as NewRefund, variables.key!) }
  if (query.includes('job(')) return { job: shop.jobs.find((job) => job.id === variables.id) ?? null }
  if (query.includes('suggestedRefund')) return { order: { suggestedRefund: suggestedRefund(shop, variables.id!, variables.refundLineItems!) } }
  if (query.includes('inventoryItems')) return { inventoryItems: { nodes: skus.filter((sku) => String(variables.query).includes(JSON.stringify(sku))).map((sku) => ({ id: `gid://shopify/InventoryItem/${sku}`, sku })) } }
  return { order: orderOf(shop, variables.id!) }
}

function orderOf(shop: Books, id: string): object | null {
  const order = [...shop.orders.values()].find((o) => o.admin_graphql_api_id === id)
  if (!order) return null
  const nodes = order.line_items.map((line) => ({ id: `${line.admin_graphql_api_id}/open`, remainingQuantity: openOf(shop, id, line), lineItem: { id: line.admin_graphql_api_id } }))
  return {
    cancelledAt: order.cancelled_at ?? null,
    refunds: shop.refunds.filter((r) => r.order === id).map((r) => ({ id: r.id, note: r.note })),
    lineItems: { nodes: order.line_items.map((line) => ({ id: line.admin_graphql_api_id, refundableQuantity: refundableOf(shop, id, line), unfulfilledQuantity: unitsOf(shop, id, line) })) },
    fulfillments: shop.fulfillments.filter((f) => f.order === id).map((f) => ({ id: f.id, trackingInfo: f.numbers.map((number) => ({ number })) })),
    fulfillmentOrders: { nodes: [{ id: `${id}/fulfillment-order`, lineItems: { nodes } }] },
  }
}

interface NewFulfillment {
  lineItemsByFulfillmentOrder: { fulfillmentOrderId: string; fulfillmentOrderLineItems: { id: string; quantity: number }[] }[]
  trackingInfo: { company: string; numbers: string[] }
}

function createFulfillment(shop: Books, { lineItemsByFulfillmentOrder, trackingInfo }: NewFulfillment): object {
  const order = lineItemsByFulfillmentOrder[0]?.fulfillmentOrderId.replace('/fulfillment-order', '') ?? ''
  const lines = lineItemsByFulfillmentOrder.flatMap((o) => o.fulfillmentOrderLineItems).map(({ id, quantity }) => ({ lineItem: id.replace('/open', ''), quantity }))
  const known = [...shop.orders.values()].find((o) => o.admin_graphql_api_id === order)?.line_items ?? []
  const tooMany = lines.some((l) => l.quantity > openOf(shop, order, known.find((k) => k.admin_graphql_api_id === l.lineItem)!))
  if (tooMany) return { fulfillment: null, userErrors: [{ message: 'Invalid fulfillment order line item quantity requested.' }] }
  const fulfillment = { id: `gid://shopify/Fulfillment/${shop.fulfillments.length + 1}`, order, numbers: trackingInfo.numbers, company: trackingInfo.company, lines }
  shop.fulfillments.push(fulfillment)
  return { fulfillment: { id: fulfillment.id }, userErrors: [] }
}

function setQuantities({ stock }: Books, { quantities }: { quantities: Level[] }): object {
  for (const { inventoryItemId, locationId, quantity } of quantities) stock.set(`${inventoryItemId.split('/').pop()}@${locationId.split('/').pop()}`, quantity)
  return { userErrors: [] }
}
