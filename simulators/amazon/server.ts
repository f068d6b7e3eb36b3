/** A seller's account on Amazon that keeps its own books: orders to be listed, parcels that were confirmed, feeds that are done later. Speaks as much of the Selling Partner API as is needed to be told and asked. */
import express, { type Express, type Request, type Response } from 'express'
import { listen } from '../listen'
import { createTrouble, type Trouble } from '../trouble'

export interface SellerOrder {
  orderId: string
  lastUpdatedTime: string
  fulfillment: { fulfillmentStatus: string; [field: string]: unknown }
  orderItems: { orderItemId: string; quantityOrdered: number; [field: string]: unknown }[]
  [field: string]: unknown
}
export interface Confirmation {
  orderId: string
  packageReferenceId: string
  trackingNumber: string
  carrierName?: string
  orderItems: { orderItemId: string; quantity: number }[]
}
export interface Feed {
  feedId: string
  feedType: string
  text: string
  processingStatus: 'IN_QUEUE' | 'DONE'
}
export interface AmazonSimulator extends Pick<Trouble, 'fail'> {
  url: string
  orders: Map<string, SellerOrder>
  /** By order and package reference: one that is sent again takes the place of the first. */
  confirmations: Map<string, Confirmation>
  feeds: Feed[]
  /** How many access tokens were had. */
  tokens: () => number
  /** Does what the feeds ask for. */
  work(): void
  close(): Promise<void>
}
export interface AmazonAccount {
  port?: number
  clientId: string
  clientSecret: string
  refreshToken: string
  marketplaceId: string
}

const pageSize = 3

export async function startAmazonSimulator({ port = 0, ...account }: AmazonAccount): Promise<AmazonSimulator> {
  const books = { orders: new Map<string, SellerOrder>(), confirmations: new Map<string, Confirmation>(), feeds: [] as Feed[] }
  const uploads = new Map<string, string>()
  const issued = new Set<string>()
  const trouble = createTrouble()
  const app: Express = express().disable('x-powered-by')
  app.use(express.json(), express.urlencoded({ extended: false }), express.text({ type: 'text/xml' }))
  app.post('/auth/o2/token', (request, response) => void signIn(account, issued, request, response))
  app.put('/upload/:id', (request, response) => {
    uploads.set(request.params.id, String(request.body))
    response.status(200).end()
  })
  app.use((request, response, next) => void (issued.has(request.get('x-amz-access-token') ?? '') ? next() : refuse(response, 403, 'Unauthorized')))
  app.get('/orders/2026-01-01/orders', trouble.answering((request, response) => listOrders(books.orders, account.marketplaceId, request, response)))
  app.get('/orders/2026-01-01/orders/:orderId', trouble.answering((request, response) => {
    const order = books.orders.get(String(request.params.orderId))
    return order ? response.json({ order }) : refuse(response, 404, 'NotFound')
  }))
  app.post('/orders/v0/orders/:orderId/shipmentConfirmation', trouble.answering((request, response) => confirm(books, request, response)))
  app.post('/feeds/2021-06-30/documents', trouble.answering((request, response) => {
    const feedDocumentId = `document-${uploads.size + 1}`
    uploads.set(feedDocumentId, '')
    response.status(201).json({ feedDocumentId, url: `http://${request.get('host')}/upload/${feedDocumentId}` })
  }))
  app.post('/feeds/2021-06-30/feeds', trouble.answering((request, response) => {
    const { feedType, inputFeedDocumentId } = request.body as { feedType: string; inputFeedDocumentId: string }
    const feed: Feed = { feedId: `feed-${books.feeds.length + 1}`, feedType, text: uploads.get(inputFeedDocumentId) ?? '', processingStatus: 'IN_QUEUE' }
    books.feeds.push(feed)
    response.status(202).json({ feedId: feed.feedId })
  }))
  app.get('/feeds/2021-06-30/feeds/:feedId', trouble.answering((request, response) => {
    const feed = books.feeds.find((f) => f.feedId === request.params.feedId)
    return feed ? response.json({ feedId: feed.feedId, feedType: feed.feedType, processingStatus: feed.processingStatus }) : refuse(response, 404, 'NotFound')
  }))
  const listening = await listen(app, port)
  return { url: listening.url, ...books, tokens: () => issued.size, work: () => books.feeds.forEach((feed) => doFeed(books, feed)), fail: trouble.fail, close: () => listening.close() }
}

const refuse = (response: Response, status: number, code: string): void => void response.status(status).json({ errors: [{ code, message: code }] })

function signIn({ clientId, clientSecret, refreshToken }: AmazonAccount, issued: Set<string>, { body }: Request, response: Response): void {
  const { grant_type, refresh_token, client_id, client_secret } = body as Record<string, string>
  if (grant_type !== 'refresh_token' || refresh_token !== refreshToken || client_id !== clientId || client_secret !== clientSecret) return void response.status(400).json({ error: 'invalid_grant' })
  const token = `Atza|${issued.size + 1}`
  issued.add(token)
  response.json({ access_token: token, token_type: 'bearer', expires_in: 3600 })
}

/** A token for the next page holds for the filters it was given with, and for no others. */
function listOrders(orders: ReadonlyMap<string, SellerOrder>, marketplaceId: string, { query }: Request, response: Response): void {
  const { lastUpdatedAfter: since, marketplaceIds, paginationToken } = query as Record<string, string>
  const page = paginationToken ? (JSON.parse(Buffer.from(paginationToken, 'base64url').toString()) as { since: string; from: number }) : { since, from: 0 }
  if (since === undefined || marketplaceIds !== marketplaceId || page.since !== since) return refuse(response, 400, 'InvalidInput')
  const found = [...orders.values()].filter((o) => Date.parse(o.lastUpdatedTime) >= Date.parse(since)).sort((a, b) => Date.parse(a.lastUpdatedTime) - Date.parse(b.lastUpdatedTime))
  const next = page.from + pageSize < found.length ? { nextToken: Buffer.from(JSON.stringify({ since, from: page.from + pageSize })).toString('base64url') } : {}
  response.json({ orders: found.slice(page.from, page.from + pageSize), pagination: next, lastUpdatedBefore: new Date().toISOString() })
}

type Books = Pick<AmazonSimulator, 'orders' | 'confirmations'>

const confirmedOf = ({ confirmations }: Books, orderId: string, itemId: string, except = ''): number =>
  [...confirmations.values()].filter((c) => c.orderId === orderId && c.packageReferenceId !== except).flatMap((c) => c.orderItems).filter((i) => i.orderItemId === itemId).reduce((sum, i) => sum + i.quantity, 0)

function confirm(books: Books, request: Request, response: Response): void {
  const order = books.orders.get(String(request.params.orderId))
  if (!order) return refuse(response, 404, 'NotFound')
  const { packageDetail } = request.body as { packageDetail: Omit<Confirmation, 'orderId'> }
  const { packageReferenceId, orderItems } = packageDetail
  const fits = ({ orderItemId, quantity }: Confirmation['orderItems'][number]): boolean =>
    quantity + confirmedOf(books, order.orderId, orderItemId, packageReferenceId) <= (order.orderItems.find((i) => i.orderItemId === orderItemId)?.quantityOrdered ?? 0)
  if (!/^[1-9]\d*$/.test(packageReferenceId) || orderItems.length === 0 || !orderItems.every(fits)) return refuse(response, 400, 'InvalidInput')
  books.confirmations.set(`${order.orderId}/${packageReferenceId}`, { orderId: order.orderId, ...packageDetail })
  order.fulfillment.fulfillmentStatus = order.orderItems.every((i) => confirmedOf(books, order.orderId, i.orderItemId) === i.quantityOrdered) ? 'SHIPPED' : 'PARTIALLY_SHIPPED'
  response.status(204).end()
}

/** An acknowledgement that says `Failure` cancels an order of which nothing has been sent. */
function doFeed({ orders }: Books, feed: Feed): void {
  if (feed.processingStatus === 'DONE') return
  feed.processingStatus = 'DONE'
  const order = orders.get(/<AmazonOrderID>([\d-]+)<\/AmazonOrderID><StatusCode>Failure</.exec(feed.text)?.[1] ?? '')
  const known = (itemId: string): boolean => order?.orderItems.some((i) => i.orderItemId === itemId) ?? false
  const items = [...feed.text.matchAll(/<AmazonOrderItemCode>([^<]*)<\/AmazonOrderItemCode><CancelReason>\w+<\/CancelReason>/g)].map((m) => m[1]!)
  if (order?.fulfillment.fulfillmentStatus === 'UNSHIPPED' && items.length > 0 && items.every(known)) Object.assign(order, { lastUpdatedTime: new Date().toISOString(), fulfillment: { ...order.fulfillment, fulfillmentStatus: 'CANCELLED' } })
}
