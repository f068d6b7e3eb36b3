/** Our own doors, as the conformance kit knocks at them: a single order by HTTP, a sale at a till, a file of many. What is no order is refused there, and nothing of it is kept. */
import { randomUUID } from 'node:crypto'
import type { Reply } from '../../api/edge'
import { sumOf, type Changes, type Document, type Door, type Ending, type Line, type Sent } from './door'

/** Minor units of what is written as a decimal; what is none goes in as it is, for the schema to see. */
const minor = (amount: unknown): unknown => (typeof amount === 'string' && /^-?\d{1,12}(\.\d+)?$/.test(amount) ? Number((Number(amount) * 100).toFixed(4)) : amount)

const lineOf = ({ id, sku = 'SOCKS-3P', quantity = 2, price = '10.00' }: Line, i: number): Document => ({ lineId: id ?? String(1000 + i), sku, quantity, unitPriceMinor: minor(price) })

interface Place {
  channel: string
  isTill?: boolean
}

const freshAt =
  ({ channel, isTill }: Place) =>
  ({ lines = [{}], total = sumOf(lines), currency = 'EUR', placedAt = '2026-11-20T09:15:00Z', name = 'Test Customer', address, country = 'DE', number, extra }: Changes = {}): Document => ({
    channel,
    channelOrderId: number ?? randomUUID(),
    placedAt,
    currency,
    claim: 'later',
    customer: { customerRef: 'c-1', name, email: 'customer@example.com' },
    ...(address !== null && !isTill && { shipTo: { name, line1: 'Street 1', city: 'Berlin', postalCode: '10115', country } }),
    delivery: isTill ? { method: 'carry_out', nodeId: 'store-mitte' } : { method: 'delivery' },
    lines: lines.map(lineOf),
    totalMinor: minor(total),
    taxIncluded: true,
    tenders: [{ tenderId: 't', provider: 'paid_elsewhere', amountMinor: minor(total) }],
    ...extra,
  })

const invalid: Ending = ['request.invalid']
/** What these doors read more strictly than others, and what nobody can say here. */
const endings: Record<string, Ending | null> = {
  'a price below zero': invalid,
  'a total beyond counting': invalid,
  'a price finer than a cent': invalid,
  'a price that is a number': null,
  'a currency that is none': invalid,
  'a currency named by a word of Object': invalid,
  'null for its SKU': invalid,
  'half of a character in a name': invalid,
  'the character U+0000 in a name': invalid,
  'a name of ten thousand letters': invalid,
  'no address': invalid,
  'an address without a country': invalid,
  'a country in words': invalid,
  'money that was not taken': null,
  'fields nobody has heard of': invalid,
  'a field named __proto__': invalid,
  'a number larger than most': invalid,
}
const withoutAddress: Record<string, null> = { 'no address': null, 'an address without a country': null, 'a country in words': null }

const door = (name: string, place: Place, more: Pick<Door, 'send'> & Partial<Door>): Door => ({
  name,
  channel: place.channel,
  keeps: false,
  fresh: freshAt(place),
  numberOf: ({ channelOrderId }) => String(channelOrderId),
  longNumber: '910982911946154508993',
  hasTopics: false,
  refusals: { wrong: 401, foreign: 403, nowhere: 403, otherType: 415, tooLong: 413 },
  endings: place.isTill ? { ...endings, ...withoutAddress } : endings,
  ...more,
})

const keyOf = (good: string, other: string) => ({ good, wrong: 'no-such-key', none: null, 'of another channel': other })
const textOf = (body: Document | string, channel?: string): string => (typeof body === 'string' ? body : JSON.stringify({ ...body, ...(channel !== undefined && { channel }) }))

const byHttp =
  (keys: ReturnType<typeof keyOf>): Door['send'] =>
  (edge, body, { messageId = randomUUID(), credential = 'good', contentType = 'application/json', channel }: Sent = {}) =>
    edge.send('POST', '/v1/orders', { key: keys[credential], raw: textOf(body, channel), headers: { 'content-type': contentType }, idempotencyKey: messageId === '' ? null : messageId })

/** A file of one order: what became of it stands in its line. */
const byFile: Door['send'] = async (edge, body, { messageId = randomUUID(), credential = 'good', contentType = 'application/x-ndjson', channel }: Sent = {}): Promise<Reply> => {
  const key = keyOf('demo-channel-web', 'demo-channel-marketplace')[credential]
  const reply = await edge.send('POST', '/v1/orders/bulk', { key, raw: textOf(body, channel), headers: { 'content-type': contentType }, idempotencyKey: messageId === '' ? null : messageId })
  const [first] = reply.status === 200 ? reply.text.split('\n').filter((line) => line !== '') : []
  const line = first === undefined ? undefined : (JSON.parse(first) as Document)
  return line ? { ...reply, body: line, status: line.outcome === 'refused' ? 422 : 200 } : reply
}

export const httpDoor = door('http', { channel: 'web' }, { send: byHttp(keyOf('demo-channel-web', 'demo-channel-marketplace')) })
export const tillDoor = door('till', { channel: 'pos', isTill: true }, { send: byHttp(keyOf('demo-channel-pos', 'demo-channel-web')) })
export const bulkDoor = door('bulk', { channel: 'web' }, { send: byFile, refusals: { wrong: 401, foreign: 422, nowhere: 422, otherType: 415, tooLong: 422 } })
