/** The people of a story, each with a key of their own, talking HTTP as they would. */
import { randomBytes } from 'node:crypto'
import type { OrderView } from '../../db/views/orders'
import type { FulfillmentView } from '../../db/views/fulfillments'
import type { System } from './system'

export interface Answer<Body = Record<string, unknown>> {
  status: number
  headers: Headers
  body: Body
}

export type Call = <Body = Record<string, unknown>>(method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer<Body>>

/** Somebody with a key. Commands get an Idempotency-Key of their own unless one is given. */
export const caller =
  (url: string, key: string): Call =>
  async <Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' ? { 'idempotency-key': randomBytes(8).toString('hex') } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as Body }
  }

/** An address a short walk from store-mitte. */
export const nearMitte = { name: 'Customer', line1: 'Street 1', city: 'Berlin', postalCode: '10115', country: 'DE', latitude: 52.5285, longitude: 13.3975 }

let numbers = 0
/** No two orders of a run share a number: workflows of all suites live in one namespace. */
const run = randomBytes(4).toString('hex')
export const nextOrderNumber = (): string => `${run}-${(numbers += 1)}`

export interface OrderWish {
  channelOrderId?: string
  channel?: string
  lines?: { sku: string; quantity: number; unitPriceMinor?: number }[]
  paymentMethod?: string
  claim?: 'required' | 'later'
  paidElsewhere?: boolean
  /** In place of a card; the last pays what the others do not. */
  tenders?: { provider: string; paymentMethod?: string; amountMinor?: number }[]
  priority?: number
  customer?: Record<string, string>
  flags?: string[]
  shipTo?: Record<string, unknown>
  delivery?: { method: string; nodeId?: string; service?: string }
}

/** An order document that adds up. */
export function orderOf(wish: OrderWish = {}): Record<string, unknown> & { channelOrderId: string; totalMinor: number } {
  const lines = (wish.lines ?? [{ sku: 'SHOE-LB-42', quantity: 1, unitPriceMinor: 8900 }]).map((l, i) => ({
    lineId: String(i + 1),
    sku: l.sku,
    quantity: l.quantity,
    unitPriceMinor: l.unitPriceMinor ?? 1000,
    discountMinor: 0,
    taxMinor: 0,
  }))
  const totalMinor = lines.reduce((sum, l) => sum + l.unitPriceMinor * l.quantity, 490)
  return {
    channel: wish.channel ?? 'web',
    channelOrderId: wish.channelOrderId ?? nextOrderNumber(),
    placedAt: '2026-11-23T09:00:00Z',
    currency: 'EUR',
    ...(wish.claim ? { claim: wish.claim } : {}),
    ...(wish.priority === undefined ? {} : { priority: wish.priority }),
    ...(wish.flags?.length ? { flags: wish.flags } : {}),
    customer: wish.customer ?? { customerRef: 'c-77', name: 'Customer', email: 'customer@example.com' },
    shipTo: wish.shipTo ?? nearMitte,
    delivery: wish.delivery ?? { method: 'delivery' },
    lines,
    shipping: { priceMinor: 490, taxMinor: 0 },
    totalMinor,
    taxIncluded: true,
    tenders: tendersOf(wish, totalMinor),
  }
}

function tendersOf({ tenders, paidElsewhere, paymentMethod = 'pm_card_visa' }: OrderWish, totalMinor: number): object[] {
  const given = tenders ?? [paidElsewhere ? { provider: 'paid_elsewhere' } : { provider: 'stripe', paymentMethod }]
  const named = given.reduce((sum, t) => sum + (t.amountMinor ?? 0), 0)
  return given.map((tender, i) => ({ tenderId: `t${i + 1}`, amountMinor: totalMinor - named, ...tender }))
}

export interface Waiting {
  timeoutMs?: number
  what?: string
}

/** Looks until it sees what it waits for; says what it last saw when it gives up. */
export async function eventually<Seen>(look: () => Promise<Seen>, enough: (seen: Seen) => boolean, { timeoutMs = 40_000, what = 'the fact' }: Waiting = {}): Promise<Seen> {
  const until = Date.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (enough(seen)) return seen
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms for ${what}; last saw ${JSON.stringify(seen).slice(0, 2_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export interface People {
  shop: Call
  support: Call
  operations: Call
  store(nodeId: string): Call
  /** A new SKU with units at named nodes. @returns the SKU. */
  stocked(units: Record<string, number>): Promise<string>
  /** Places an order and expects it to be accepted. */
  place(wish?: OrderWish): Promise<string>
  order(orderId: string): Promise<OrderView>
  /** Waits until the order is as wished. */
  until(orderId: string, enough: (order: OrderView) => boolean, what?: string): Promise<OrderView>
  /** A fault of ours is made good with money; where another person has to agree, she does. */
  claim(orderId: string, claim: object): Promise<Answer>
  /** Money without goods, and another person decides where one has to. */
  giveBack(orderId: string, wish: object, decision: 'approve' | 'reject'): Promise<Answer>
  /** The types on the order's timeline. */
  told(orderId: string): Promise<string[]>
  pickAll(work: FulfillmentWork): Promise<Answer<FulfillmentView>>
  packAll(work: FulfillmentWork): Promise<Answer<FulfillmentView>>
  /** What was picked, where some of it was not. */
  packPicked(work: FulfillmentWork): Promise<Answer<FulfillmentView>>
  handOver(work: FulfillmentWork): Promise<Answer<FulfillmentView>>
  /** Picked, packed, handed over, and brought by its carrier. */
  deliver(work: FulfillmentWork): Promise<void>
  /** Any other command on a work order, by the store that has it, or another. */
  work(work: FulfillmentWork, action: string, body: unknown, nodeId?: string): Promise<Answer<FulfillmentView>>
  /** The carrier reports a parcel by itself. */
  carrierSays(trackingNumber: string, status: string, more?: object): Promise<void>
}
export type FulfillmentWork = OrderView['fulfillments'][number]

export function peopleOf(system: Pick<System, 'url'> & Partial<Pick<System, 'carriers'>>): People {
  const support = caller(system.url, 'demo-support')
  const store = (nodeId: string): Call => caller(system.url, nodeId.startsWith('store-') ? `demo-store-${nodeId}` : 'demo-operations')
  const shop = caller(system.url, 'demo-channel-web')
  const admin = caller(system.url, 'demo-admin')
  const operations = caller(system.url, 'demo-operations')
  const order = async (orderId: string): Promise<OrderView> => (await support<OrderView>('GET', `/v1/orders/${orderId}`)).body
  const work = (w: FulfillmentWork, action: string, body: unknown, nodeId = w.nodeId): Promise<Answer<FulfillmentView>> =>
    store(nodeId)<FulfillmentView>('POST', `/v1/fulfillments/${w.fulfillmentId}/${action}`, body)
  const pickAll: People['pickAll'] = (w) => work(w, 'pick', { lines: w.lines.map((l) => ({ lineId: l.lineId, picked: l.quantity })) })
  const packAll: People['packAll'] = (w) => work(w, 'pack', { packages: [boxOf(w.lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity })))] })
  const handOver: People['handOver'] = (w) => work(w, 'hand-over', {})
  const carrierSays: People['carrierSays'] = async (trackingNumber, status, more = {}) => {
    const answer = await fetch(`${system.carriers!.url}/control/parcels/${trackingNumber}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ status, ...more }),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }
  return {
    shop,
    support,
    operations,
    claim: async (orderId, claim) => {
      const asked = await support<{ status: string; refundId: string }>('POST', `/v1/orders/${orderId}/claims`, { reason: 'torn', ...claim })
      return asked.body.status === 'waiting' ? admin('POST', `/v1/orders/${orderId}/refunds/${asked.body.refundId}/approve`, {}) : asked
    },
    giveBack: async (orderId, wish, decision) => {
      const asked = await support<{ status: string; refundId: string }>('POST', `/v1/orders/${orderId}/refunds`, wish)
      return asked.body.status === 'waiting' ? admin('POST', `/v1/orders/${orderId}/refunds/${asked.body.refundId}/${decision}`, { reason: 'by phone' }) : asked
    },
    stocked: async (units) => {
      const sku = `GOODS-${randomBytes(4).toString('hex')}`
      await operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 400 })
      for (const [nodeId, delta] of Object.entries(units)) await operations('POST', '/v1/inventory/adjustments', { sku, nodeId, delta, reason: 'opening' })
      return sku
    },
    store,
    order,
    place: async (wish = {}) => {
      const caller_ = wish.channel && wish.channel !== 'web' ? caller(system.url, `demo-channel-${wish.channel}`) : shop
      const placed = await caller_<{ orderId: string }>('POST', '/v1/orders', orderOf(wish))
      if (placed.status !== 201) throw new Error(`not accepted: ${JSON.stringify(placed.body)}`)
      return placed.body.orderId
    },
    until: (orderId, enough, what) => eventually(() => order(orderId), enough, { what: what ?? `order ${orderId}` }),
    told: async (orderId) =>
      (await support<{ items: { type: string }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items.map((e) => e.type),
    pickAll,
    packAll,
    packPicked: async (w) => {
      const { lines } = (await store(w.nodeId)<FulfillmentView>('GET', `/v1/fulfillments/${w.fulfillmentId}`)).body
      const packed = lines.filter((l) => l.picked > 0).map((l) => ({ lineId: l.lineId, quantity: l.picked }))
      return work(w, 'pack', { packages: [boxOf(packed)] })
    },
    handOver,
    deliver: async (w) => {
      await pickAll(w)
      const packed = await packAll(w)
      const gone = await handOver(w)
      if (gone.status !== 200) throw new Error(`not handed over: ${JSON.stringify(gone.body)}`)
      await carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
    },
    work,
    carrierSays,
  }
}

/** A box that weighs as much as what is in it could. */
const boxOf = (lines: { lineId: string; quantity: number }[]): { weightGrams: number; lines: object } => ({ weightGrams: 900 * lines.reduce((sum, l) => sum + l.quantity, 0), lines })
