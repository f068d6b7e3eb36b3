/**
 * What every way in must pass: messages that repeat, reorder, garble and lie. Each has one ending: an order, the same order, a quarantined body with its reasons, or a no
 * that leaves nothing behind. Nothing is dropped, nothing is answered 5xx, and there is never a second order.
 */
import { openEdge, type Edge, type Reply } from '../../api/edge'
import type { Changes, Document, Door, Ending, Line, Sent } from './door'

/** One document, and how it ends. */
type Case = [what: string, changes: Changes, ending: Ending]

const many = (count: number): Line[] => Array.from({ length: count }, (_, i) => ({ id: String(5000 + i), quantity: 1 }))
const tomorrow = new Date(Date.now() + 86_400_000).toISOString()

const documents: Case[] = [
  ['500 lines', { lines: many(500) }, 'order'],
  ['501 lines', { lines: many(501) }, ['request.invalid']],
  ['no lines', { lines: [] }, ['request.invalid']],
  ['the same line twice', { lines: [{ id: '7' }, { id: '7' }] }, ['order.lines_repeated']],
  ['the same SKU on two lines', { lines: [{ id: '7' }, { id: '8' }] }, 'order'],
  ['a price of nothing', { lines: [{ price: '0.00' }] }, 'order'],
  ['a price below zero', { lines: [{ price: '-5.00' }], total: '10.00' }, ['order.totals']],
  ['a total that does not add up', { total: '19.99' }, ['order.totals']],
  ['a total beyond counting', { total: '99999999999999999999.99' }, ['order.totals']],
  ['a price finer than a cent', { lines: [{ price: '10.005' }], total: '20.01' }, ['order.totals']],
  ['a price with noughts after its cents', { lines: [{ price: '10.0000' }] }, 'order'],
  ['a price with a comma', { lines: [{ price: '10,00' }], total: '20.00' }, ['request.invalid']],
  ['a price in the notation of physicists', { lines: [{ price: '1e1' }] }, ['request.invalid']],
  ['a price that is a number', { lines: [{ price: 10 }] }, ['request.invalid']],
  ['no units', { lines: [{ quantity: 0 }] }, ['request.invalid']],
  ['units below zero', { lines: [{ quantity: -2 }], total: '20.00' }, ['request.invalid']],
  ['half a unit', { lines: [{ quantity: 0.5 }] }, ['request.invalid']],
  ['units in words', { lines: [{ quantity: '2' }] }, ['request.invalid']],
  ['more units than an order may have', { lines: [{ quantity: 100_001 }] }, ['request.invalid']],
  ['more units than can be counted', { lines: [{ quantity: 1e300 }], total: '1.00' }, ['request.invalid']],
  ['a currency that is none', { currency: 'XXX' }, ['currency.unknown']],
  ['a currency named by a word of Object', { currency: 'constructor' }, ['currency.unknown']],
  ['a currency the channel does not sell in', { currency: 'USD' }, ['currency.not_accepted']],
  ['null for its currency', { currency: null }, ['request.invalid']],
  ['a SKU that nobody knows', { lines: [{ sku: 'NO-SUCH' }] }, ['sku.unknown']],
  ['null for its SKU', { lines: [{ sku: null }] }, ['sku.unknown']],
  ['a SKU that is a list', { lines: [{ sku: ['SOCKS-3P'] }] }, ['request.invalid']],
  ['a clock that is a day ahead', { placedAt: tomorrow }, 'order'],
  ['a clock that is years behind', { placedAt: '2001-01-01T00:00:00Z' }, 'order'],
  ['an instant in an odd offset', { placedAt: '2026-11-20T09:15:00.123456-11:30' }, 'order'],
  ['an instant before there were channels', { placedAt: '0001-01-01T00:00:00Z' }, ['request.invalid']],
  ['an instant that is no day', { placedAt: '2026-02-30T00:00:00Z' }, ['request.invalid']],
  ['half of a character in a name', { name: 'A\ud800B' }, 'order'],
  ['the character U+0000 in a name', { name: 'A\u0000B' }, 'order'],
  ['a name that turns its reading direction, with pictures', { name: '\u202eאב 👩‍👩‍👧‍👦' }, 'order'],
  ['a name of ten thousand letters', { name: 'ä'.repeat(10_000) }, 'order'],
  ['a name that is a number', { name: 5 }, ['request.invalid']],
  ['no address', { address: null }, ['channel.address_missing']],
  ['an address without a country', { country: null }, ['channel.address_missing']],
  ['a country in words', { country: 'Germany' }, ['channel.address_missing']],
  ['money that was not taken', { state: 'not paid' }, ['channel.not_paid']],
  ['fields nobody has heard of', { extra: { note: 'x', numbers: [1, 2, 3], deep: { er: null } } }, 'order'],
  ['a field named __proto__', { extra: JSON.parse('{"__proto__": {"orderId": "x"}, "constructor": 1}') as Document }, 'order'],
  ['a number larger than most', { extra: { huge: 1e308 } }, 'order'],
]

const whole = (door: Door): string => JSON.stringify(door.fresh())
const bodies = (door: Door): [what: string, body: string][] => [
  ['cut off in the middle', whole(door).slice(0, 200)],
  ['empty', ''],
  ['text', 'hello'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a long number', '910982911946154508993'],
  ['nested ten thousand levels deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['two documents', whole(door) + whole(door)],
  ['bytes that are no text', '\u0000\u0001\ufffd'],
]

let edge: Edge
let door: Door
const send = (body: Document | string, sent?: Sent): Promise<Reply> => door.send(edge, body, sent)
const ordersOf = (document: Document): Promise<{ order_id: string; ship_to: Document }[]> => edge.db('orders').where({ channel: door.channel, channel_order_id: door.numberOf(document) })
/** What is still to be asked of an order. */
const factsOf = (document: Document): Promise<{ kind: string }[]> => edge.db('inbound_events').where({ subject: door.numberOf(document), status: 'queued' })
/** The codes it is kept for; at a door that keeps nothing, the one it is refused with. */
const codesOf = async ({ status, body: { quarantineId, code } }: Reply): Promise<string[]> => {
  if (!door.keeps) return [status >= 400 && status < 500 ? String(code) : `answered ${status}`]
  const { reasons } = (await edge.db('quarantine').where({ quarantine_id: quarantineId }).first()) as { reasons: { code: string }[] }
  return [...new Set(reasons.map((r) => r.code))].sort()
}
let ids = 0
const newId = (): string => `message-${(ids += 1)}`

export function passesTheKit(given: Door): void {
  door = given
  beforeAll(async () => {
    edge = await openEdge()
  })
  afterEach(async () => {
    expect((await edge.db.raw<{ rows: unknown[] }>('SELECT channel, channel_order_id FROM orders GROUP BY 1, 2 HAVING count(*) > 1')).rows).toEqual([])
    expect(edge.logged.filter((line) => line.includes('a request failed'))).toEqual([])
  })
  afterAll(() => edge.close())

  const here = documents.flatMap(([what, changes, usual]): Case[] => {
    const ending = given.endings?.[what] === undefined ? usual : given.endings[what]
    return ending === null ? [] : [[what, changes, ending]]
  })
  it.each(here)('%s', async (_what, changes, ending) => {
    const document = door.fresh(changes)
    const reply = await send(document)
    if (ending === 'order' || door.keeps) expect([200, 201]).toContain(reply.status)
    if (ending === 'order') expect(await ordersOf(document)).toMatchObject([{ order_id: reply.body.orderId }])
    else expect([await codesOf(reply), await ordersOf(document)]).toEqual([ending, []])
  })

  it.each(bodies(given))(`a body that is %s is ${given.keeps ? 'kept, with the reason' : 'refused, and nothing of it is kept'}`, async (_what, text) => {
    const before = await edge.db('orders').count()
    const reply = await send(text)
    if (door.keeps) expect([reply.status, await codesOf(reply)]).toEqual([200, ['request.invalid']])
    else expect([reply.status >= 400 && reply.status < 500, ['request.not_json', 'request.invalid', 'bulk.invalid']]).toEqual([true, expect.arrayContaining(await codesOf(reply))])
    expect(await edge.db('orders').count()).toEqual(before)
  })

  describe('who speaks', whoSpeaks)
  describe('again, and out of turn', again)
  describe('what is kept', kept)
}

function whoSpeaks(): void {
  it.each(['wrong', 'none', 'of another channel'] as const)('a credential that is %s leaves nothing behind', async (credential) => {
    const document = door.fresh()
    const { status } = await send(document, { credential })
    expect(status).toBe(credential === 'of another channel' ? door.refusals.foreign : door.refusals.wrong)
    expect(await ordersOf(document)).toEqual([])
  })

  it('a channel that is not there is not found', async () => expect((await send(door.fresh(), { channel: 'nowhere' })).status).toBe(door.refusals.nowhere))

  it('a message without an id is refused: its repeat could not be known', async () => expect((await send(door.fresh(), { messageId: '' })).status).toBe(400))

  it('another content type changes nothing, or is refused as one', async () => {
    const { status, body } = await send(door.fresh(), { contentType: 'text/plain' })
    expect([status, 'orderId' in body]).toEqual([door.refusals.otherType, door.refusals.otherType === 200])
  })

  if (door.signs)
    it('a message that was cut short after it was signed is none of the channel’s', async () => {
      const document = door.fresh()
      expect((await send(document, { cut: true })).status).toBe(door.refusals.wrong)
      expect(await ordersOf(document)).toEqual([])
    })

  it('more than a megabyte is not read, and nothing of it is kept', async () => {
    const before = await edge.db('quarantine').count()
    expect((await send(door.fresh({ extra: { filling: 'x'.repeat(1_100_000) } }))).status).toBe(door.refusals.tooLong)
    expect(await edge.db('quarantine').count()).toEqual(before)
  })
}

function again(): void {
  it('the same message twice is one order, and the same answer', async () => {
    const [document, messageId] = [door.fresh(), newId()]
    const [first, second] = [await send(document, { messageId }), await send(document, { messageId })]
    expect(second.body).toEqual(first.body)
    expect(await ordersOf(document)).toHaveLength(1)
  })

  it('a signed message played back under another id is the same order', async () => {
    const document = door.fresh()
    const [first, second] = [await send(document), await send(document)]
    expect(second.body.orderId).toBe(first.body.orderId)
  })

  it('ten at once, each under its own id, are one order', async () => {
    const document = door.fresh()
    const replies = await Promise.all(Array.from({ length: 10 }, () => send(document)))
    const [order, ...others] = await ordersOf(document)
    expect([others, new Set(replies.map((r) => r.body.orderId))]).toEqual([[], new Set([order!.order_id])])
  })

  it('what is no order is kept once, or refused each time in the same words', async () => {
    const [document, messageId] = [door.fresh({ lines: [{ sku: 'NO-SUCH' }] }), newId()]
    const [first, second] = [await send(document, { messageId }), await send(document, { messageId })]
    expect({ ...second.body, requestId: null }).toEqual({ ...first.body, requestId: null })
    expect(await ordersOf(document)).toEqual([])
  })

  it('another body under the same number: the first stands, and whoever should hears of it', async () => {
    const number = door.numberOf(door.fresh())
    const [first, second] = [await send(door.fresh({ number })), await send(door.fresh({ number, name: 'Somebody else' }))]
    expect(await ordersOf(door.fresh({ number }))).toMatchObject([{ order_id: first.body.orderId }])
    if (!door.keeps) return expect(await codesOf(second)).toEqual(['order.duplicate'])
    expect(second.body.orderId).toBe(first.body.orderId)
    expect(await edge.db('order_events').where({ order_id: first.body.orderId, type: 'order.resubmitted' })).toHaveLength(1)
  })

  it('numbers may come in any sequence', async () => {
    const unsorted = [door.fresh(), door.fresh(), door.fresh()].sort((a, b) => (door.numberOf(a) < door.numberOf(b) ? 1 : -1))
    for (const document of unsorted) expect((await send(document)).body).toHaveProperty('orderId')
  })

  if (door.cancellation) describe('cancelled', cancelledAndChanged)
}

function cancelledAndChanged(): void {
  const cancellation = (document: Document): Document => door.cancellation!(document)

  it('a cancellation is asked of its order, once', async () => {
    const [document, messageId] = [door.fresh(), newId()]
    const { body } = await send(document)
    for (let i = 0; i < 2; i += 1) expect((await send(cancellation(document), { topic: 'cancel', messageId })).body.orderId).toBe(body.orderId)
    expect(await factsOf(document)).toHaveLength(1)
  })

  it('a cancellation that overtakes its order waits for it', async () => {
    const document = door.fresh()
    expect(await send(cancellation(document), { topic: 'cancel' })).toMatchObject({ status: 200, body: {} })
    expect((await send(document)).body).toHaveProperty('orderId')
    expect(await factsOf(document)).toHaveLength(1)
  })

  if (door.refund) it('money given back before its order has come waits for it, once', () => refundFirst(door.refund!))
  if (door.counted) it('a number that was counted past is missing until it comes', () => countedPast(door.counted!))

  it('an update that overtakes its order makes no second one', async () => {
    const number = door.numberOf(door.fresh())
    const update = await send(door.fresh({ number, lines: [{ quantity: 1 }] }), { topic: 'update' })
    expect(update.status).toBe(200)
    const created = await send(door.fresh({ number }))
    expect(await ordersOf(door.fresh({ number }))).toMatchObject([{ order_id: created.body.orderId }])
    if (door.hasTopics) expect(await factsOf(door.fresh({ number }))).toMatchObject([{ kind: expect.stringContaining('updated') }])
  })
}

async function refundFirst(refundOf: NonNullable<Door['refund']>): Promise<void> {
  const [document, messageId] = [door.fresh(), newId()]
  const refund = refundOf(document)
  for (let i = 0; i < 2; i += 1) expect(await send(refund, { topic: 'refund', messageId })).toMatchObject({ status: 200, body: {} })
  expect((await send(document)).body).toHaveProperty('orderId')
  expect(await factsOf(document)).toHaveLength(1)
}

async function countedPast(counted: NonNullable<Door['counted']>): Promise<void> {
  const missing = async (): Promise<number[]> => ((await edge.get(`/v1/channels/${door.channel}/health`, 'demo-support')).body.sequence as { missing: number[] }).missing
  const [first, lost, third] = [71, 72, 73].map((number) => door.fresh({ extra: counted(number) }))
  await send(first!)
  await send(third!)
  expect(await missing()).toEqual([72])
  await send(lost!)
  expect(await missing()).toEqual([])
}

function kept(): void {
  it('a number longer than a double can hold keeps each of its digits', async () => {
    const document = door.fresh({ number: door.longNumber })
    const { body } = await send(document)
    expect(await ordersOf(document)).toMatchObject([{ order_id: body.orderId, channel_order_id: door.longNumber }])
  })

  if (door.keeps) describe('in quarantine', repaired)
}

function repaired(): void {
  it('what cannot be kept of a name is replaced, and the rest of it stays', async () => {
    const [garbled, long] = [door.fresh({ name: 'A\ud800\u0000B' }), door.fresh({ name: 'ä'.repeat(10_000) })]
    await send(garbled)
    await send(long)
    expect((await ordersOf(garbled))[0]!.ship_to.name).toBe('A\ufffd B')
    expect((await ordersOf(long))[0]!.ship_to.name).toBe('ä'.repeat(200))
  })

  it('the channel’s own words stay beside the order', async () => {
    const document = door.fresh({ extra: { note: 'as it came' } })
    const { body } = await send(document)
    const { items } = (await edge.get(`/v1/orders/${body.orderId}/source`, 'demo-support')).body as { items: { source: string; body: unknown }[] }
    expect(items).toMatchObject([{ source: `${door.name}:${door.channel}`, body: document }])
    expect((await edge.get(`/v1/orders/${body.orderId}/source`, 'demo-channel-web')).status).toBe(403)
  })

  it('what was kept for a reason becomes an order once it is repaired', async () => {
    const document = door.fresh()
    const { body } = await send(door.fresh({ number: door.numberOf(document), state: 'not paid' }))
    expect(await edge.post(`/v1/quarantine/${body.quarantineId}/retry`, { patch: document }, { key: 'demo-support' })).toMatchObject({ status: 200 })
    expect(await ordersOf(document)).toHaveLength(1)
  })
}
