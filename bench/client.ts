/** A caller that costs little: plain Node HTTP with connections kept open, and the event stream as the way to hear what happened. */
import http from 'node:http'

export interface Answer {
  status: number
  body: Record<string, never> & { orderId?: string; code?: string; short?: { sku: string }[] }
  replayed: boolean
}
export type Call = (method: string, path: string, key: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

let keys = 0

export function createCaller(base: string, maxSockets = 128): Call {
  const agent = new http.Agent({ keepAlive: true, maxSockets })
  const { hostname, port } = new URL(base)
  return (method, path, key, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const data = body === undefined ? undefined : JSON.stringify(body)
      const request = http.request(
        {
          host: hostname, port, method, path, agent,
          headers: {
            authorization: `Bearer ${key}`,
            ...(data === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) }),
            ...(method === 'POST' ? { 'idempotency-key': `bench-${process.pid}-${(keys += 1)}` } : {}),
            ...headers,
          },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode!, body: (text ? JSON.parse(text) : {}) as Answer['body'], replayed: response.headers['idempotent-replayed'] === 'true' }),
          )
        },
      )
      request.on('error', reject)
      request.end(data)
    })
}

/** Follows everything that happens; `told` resolves when the order's timeline says `type`. */
export async function follow(base: string): Promise<{ told(orderId: string, type: string): Promise<Record<string, string>>; close(): void }> {
  const waits = new Map<string, (data: Record<string, string>) => void>()
  const seen = new Map<string, Record<string, string>>()
  const hear = (event: { orderId: string; type: string; data: Record<string, string> }): void => {
    const key = `${event.orderId} ${event.type}`
    const wait = waits.get(key)
    if (!wait) return void seen.set(key, event.data)
    waits.delete(key)
    wait(event.data)
  }
  const request = await new Promise<http.ClientRequest>((resolve, reject) => {
    const opened = http.get(`${base}/v1/events`, { headers: { authorization: 'Bearer demo-operations' } }, (response) => {
      let rest = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const frames = (rest + chunk).split('\n\n')
        rest = frames.pop()!
        for (const frame of frames) {
          const data = frame.split('\n').find((line) => line.startsWith('data:'))
          if (data) hear(JSON.parse(data.slice(5)) as Parameters<typeof hear>[0])
        }
      })
      response.on('error', () => undefined)
      resolve(opened)
    })
    opened.on('error', reject)
  })
  return {
    told: (orderId, type) => {
      const key = `${orderId} ${type}`
      const known = seen.get(key)
      if (known) {
        seen.delete(key)
        return Promise.resolve(known)
      }
      return new Promise((resolve) => waits.set(key, resolve))
    },
    close: () => void request.destroy(),
  }
}

let numbers = 0
const run = Date.now().toString(36)

/** An order document unlike any other. */
export function anOrder(sku: string, channel = 'web', more: object = {}): Record<string, unknown> {
  numbers += 1
  return {
    channel, channelOrderId: `${run}-${numbers}`, placedAt: '2026-11-23T09:00:00Z', currency: 'EUR',
    customer: { customerRef: `c-${numbers}`, name: 'Customer', email: `c${numbers}@example.com` },
    shipTo: { name: 'Customer', line1: 'Street 1', city: 'Berlin', postalCode: '10115', country: 'DE', latitude: 52.5285, longitude: 13.3975 },
    delivery: { method: 'delivery' }, lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 1000 }], shipping: { priceMinor: 490 }, totalMinor: 1490, taxIncluded: true,
    tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 1490 }], ...more,
  }
}

/** Puts `onHand` units of each SKU at each node. */
export async function stockUp(call: Call, skus: readonly string[], nodes: readonly string[], onHand: number): Promise<void> {
  const asOf = new Date().toISOString()
  const answer = await call('POST', '/v1/inventory/counts', 'demo-operations', skus.flatMap((sku) => nodes.map((nodeId) => ({ sku, nodeId, onHand, asOf }))))
  if (answer.status !== 200) throw new Error(`stock was not counted: ${JSON.stringify(answer.body)}`)
}

export const percentile = (values: readonly number[], p: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? 0
