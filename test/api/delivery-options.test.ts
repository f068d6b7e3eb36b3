/** What a customer can choose from, and an order that takes it up. */
import { jwtVerify } from 'jose'
import { routes } from '../../api/routes'
import { eventually, nextOrderNumber } from '../support/people'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

interface Options {
  quoteId: string
  expiresAt: string
  options: { optionId: string; service: string; priceMinor: number; promisedFrom: string; promisedBy: string; confidence: number; shipments: number; cutoffAt: string }[]
  unavailable: { sku: string; quantity: number; available: number; nextSupplyAt?: string; reason: string }[]
  withheld: { service: string; code: string; reason: string }[]
}
const mitte = { country: 'DE', postalCode: '10115', latitude: 52.5285, longitude: 13.3975 }
const askFor = (more: object = {}): object => ({ channel: 'web', destination: mitte, lines: [{ sku: 'SOCKS-3P', quantity: 1 }], currency: 'EUR', ...more })
const ask = (more: object = {}, key = 'demo-channel-web'): Promise<Reply> => edge.post('/v1/delivery-options', askFor(more), { key })
const optionsOf = (reply: Reply): Options => reply.body as unknown as Options

const order = (quoteId: string, optionId: string, more: object = {}): object => ({
  channel: 'web',
  channelOrderId: nextOrderNumber(),
  placedAt: '2026-11-23T09:00:00Z',
  currency: 'EUR',
  customer: { name: 'Customer' },
  shipTo: { name: 'Customer', line1: 'Street 1', city: 'Berlin', ...mitte },
  delivery: { quoteId, optionId },
  lines: [{ lineId: '1', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 1000 }],
  shipping: { priceMinor: 490 },
  totalMinor: 1490,
  taxIncluded: true,
  tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1490 }],
  ...more,
})
const submit = (document: object): Promise<Reply> => edge.post('/v1/orders', document, { key: 'demo-channel-web' })

describe('delivery options', () => {
  it('have a price, a window and the confidence of it, for every service', async () => {
    const reply = await ask()
    const { options, quoteId, unavailable, withheld } = optionsOf(reply)
    expect(routes.find((r) => r.path === '/v1/delivery-options')!.answers[200]!.safeParse(reply.body).error).toBeUndefined()
    expect(options.map((o) => [o.service, o.priceMinor]).sort()).toEqual([['express', 990], ['own_driver', 490], ['pickup', 0], ['pickup', 0], ['pickup', 0], ['standard', 490]])
    for (const option of options) {
      expect(option.confidence).toBeGreaterThanOrEqual(0.9)
      expect(option.confidence).toBeLessThan(1)
      expect(option.cutoffAt < option.promisedBy && option.promisedFrom <= option.promisedBy && option.promisedBy > new Date().toISOString()).toBe(true)
    }
    expect(options.map((o) => o.promisedBy)).toEqual(options.map((o) => o.promisedBy).sort())
    expect([unavailable, withheld]).toEqual([[], []])
    expect((await jwtVerify(quoteId, Buffer.from('test-quote-secret'))).payload.jti).toEqual(expect.any(String))
  })

  it('write nothing', async () => {
    const all = (): Promise<unknown[]> => Promise.all(['stock_levels', 'stock_movements', 'allocations', 'orders', 'idempotency_keys'].map((table) => edge.db(table)))
    const before = await all()
    await ask()
    expect(await all()).toEqual(before)
  })

  it('say what is short instead of a date', async () => {
    const expectedAt = new Date(Date.now() + 5 * 86_400_000).toISOString()
    expect((await edge.post('/v1/inventory/supply', { sku: 'SHOE-LB-42', nodeId: 'dc-01', quantity: 100, expectedAt, reference: 'PO-1' })).status).toBe(200)
    const { options, unavailable } = await eventually(async () => optionsOf(await ask({ lines: [{ sku: 'SHOE-LB-42', quantity: 50 }] })), (o) => o.unavailable.some((u) => u.nextSupplyAt))
    expect(options).toEqual([])
    expect(unavailable).toMatchObject([{ sku: 'SHOE-LB-42', quantity: 50, nextSupplyAt: expectedAt, reason: 'Not enough of it is available' }])
  })

  it('say why a service is withheld where no carrier goes', async () => {
    const { options, withheld } = optionsOf(await ask({ destination: { country: 'AQ', postalCode: '0' } }))
    expect(options).toEqual([])
    expect(withheld).toEqual(['standard', 'express'].map((service) => ({ service, code: 'carrier.does_not_serve', reason: expect.stringContaining('AQ') as string })))
  })

  it('say why where the node that has it never opens', async () => {
    const mine = { nodeId: 'store-never', name: 'Never', type: 'store', timeZone: 'Europe/Berlin', country: 'DE', latitude: 52.5, longitude: 13.4 }
    expect((await edge.put('/v1/nodes/store-never', mine)).status).toBe(201)
    await edge.put('/v1/skus/ONLY-THERE', { name: 'Only there', weightGrams: 100 })
    await edge.post('/v1/inventory/adjustments', { sku: 'ONLY-THERE', nodeId: 'store-never', delta: 1, reason: 'opening' })
    const { options, withheld } = await eventually(async () => optionsOf(await ask({ lines: [{ sku: 'ONLY-THERE', quantity: 1 }] })), (o) => o.withheld.length > 0)
    expect([options, withheld.map((w) => w.code)]).toEqual([[], ['calendar.no_open_day', 'calendar.no_open_day']])
  })

  it('are given for a kit as for its components, and an order takes them up', async () => {
    for (const sku of ['KIT-SOLE', 'KIT-LACE', 'KIT-BOTH']) await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 100, ...(sku === 'KIT-BOTH' && { kit: [{ sku: 'KIT-SOLE', quantity: 1 }, { sku: 'KIT-LACE', quantity: 2 }] }) })
    for (const [sku, delta] of [['KIT-SOLE', 5], ['KIT-LACE', 3]] as const) await edge.post('/v1/inventory/adjustments', { sku, nodeId: 'store-mitte', delta, reason: 'opening' })
    expect(optionsOf(await ask({ lines: [{ sku: 'KIT-BOTH', quantity: 2 }] })).unavailable).toMatchObject([{ sku: 'KIT-LACE', quantity: 4, available: 3 }])
    const { quoteId, options } = optionsOf(await ask({ lines: [{ sku: 'KIT-BOTH', quantity: 1 }] }))
    const { optionId } = options.find((o) => o.service === 'standard')!
    expect((await edge.post(`/v1/quotes/${quoteId}/hold`, { optionId }, { key: 'demo-channel-web' })).status).toBe(201)
    expect((await submit(order(quoteId, optionId, { lines: [{ lineId: '1', sku: 'KIT-BOTH', quantity: 1, unitPriceMinor: 1000 }] }))).status).toBe(201)
    const [laces] = (await edge.get('/v1/inventory?sku=KIT-LACE&nodeId=store-mitte')).body.items as object[]
    expect(laces).toMatchObject({ reserved: 0, allocated: 2, available: 1 })
  })

  it('move to a later day as the work ahead of a node fills it', async () => {
    const store = (await edge.get('/v1/nodes/store-kreuzberg')).body
    const only = { lines: [{ sku: 'KREUZBERG-ONLY', quantity: 1 }] }
    await edge.put('/v1/skus/KREUZBERG-ONLY', { name: 'Kreuzberg only', weightGrams: 100 })
    await edge.post('/v1/inventory/adjustments', { sku: 'KREUZBERG-ONLY', nodeId: 'store-kreuzberg', delta: 500, reason: 'opening' })
    const idle = optionsOf(await ask(only)).options[0]!
    await edge.put('/v1/nodes/store-kreuzberg', { ...store, capacity: { ordersPerHour: 1 } })
    for (let i = 0; i < 25; i += 1) {
      const placed = await submit(order('', '', { delivery: { method: 'delivery' }, lines: [{ lineId: '1', sku: 'KREUZBERG-ONLY', quantity: 1, unitPriceMinor: 1000 }] }))
      expect(placed.status).toBe(201)
    }
    const aDayLater = (o: Options): boolean => Date.parse(o.options[0]!.promisedBy) - Date.parse(idle.promisedBy) >= 86_400_000
    await eventually(async () => optionsOf(await ask(only)), aDayLater) // answers may be a second old
  })

  it('are refused for what is not there, with the field', async () => {
    expect((await ask({ lines: [{ sku: 'NOPE', quantity: 1 }] })).body).toMatchObject({ status: 400, code: 'sku.unknown', errors: [{ pointer: '/lines/0/sku' }] })
    expect((await ask({ currency: 'USD' })).body).toMatchObject({ status: 400, code: 'currency.not_accepted', accepts: 'EUR' })
    expect((await ask({ channel: 'nowhere' }, 'demo-operations')).body).toMatchObject({ status: 400, code: 'channel.unknown' })
    expect((await ask({ channel: 'marketplace' })).status).toBe(403)
    expect((await ask({ lines: [] })).body).toMatchObject({ status: 400, errors: [{ pointer: '/lines' }] })
    expect((await ask({ lines: [{ sku: 'SOCKS-3P', quantity: 0 }] })).body).toMatchObject({ status: 400, errors: [{ pointer: '/lines/0/quantity' }] })
  })
})

describe('a hold', () => {
  const held = async (units: number, onHand = units): Promise<{ quoteId: string; optionId: string; sku: string; hold: () => Promise<Reply> }> => {
    const sku = `HOLD-${nextOrderNumber()}`
    await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 100 })
    await edge.post('/v1/inventory/adjustments', { sku, nodeId: 'store-mitte', delta: onHand, reason: 'opening' })
    const { quoteId, options } = optionsOf(await ask({ lines: [{ sku, quantity: units }] }))
    const { optionId } = options.find((o) => o.service === 'standard')!
    return { quoteId, optionId, sku, hold: () => edge.post(`/v1/quotes/${quoteId}/hold`, { optionId }, { key: 'demo-channel-web' }) }
  }
  const level = async (sku: string): Promise<object> => ((await edge.get(`/v1/inventory?sku=${sku}&nodeId=store-mitte`)).body.items as object[])[0]!
  const buy = (sku: string): Promise<Reply> => submit(order('', '', { delivery: { method: 'delivery' }, lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 1000 }] }))

  it('keeps the stock from others, and is the same reservation when asked for again', async () => {
    const { sku, hold } = await held(2)
    const [first, second] = await Promise.all([hold(), hold()])
    expect([first.status, second.status, first.body.reservationId]).toEqual([201, 201, second.body.reservationId])
    expect(await level(sku)).toMatchObject({ onHand: 2, reserved: 2, available: 0 })
    expect((await buy(sku)).body).toMatchObject({ status: 409, code: 'stock.short' })
  })

  it('books a place in the work of its node, and gives it back', async () => {
    const hour = (new Date().getUTCHours() + 2) % 23 // an hour that has not begun
    const open = { opens: `${String(hour).padStart(2, '0')}:00`, closes: `${String(hour + 1).padStart(2, '0')}:00` }
    const node = { name: 'One a day', type: 'store', timeZone: 'UTC', country: 'DE', latitude: 52.6, longitude: 13.4, calendar: Object.fromEntries(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((d) => [d, open])), pickups: { swiftparcel: [open.closes] }, capacity: { ordersPerHour: 1 } }
    expect((await edge.put('/v1/nodes/store-one', node)).status).toBe(201)
    await edge.put('/v1/skus/ONE-A-DAY', { name: 'One a day', weightGrams: 100 })
    await edge.post('/v1/inventory/adjustments', { sku: 'ONE-A-DAY', nodeId: 'store-one', delta: 9, reason: 'opening' })
    const look = async (): Promise<Options> => optionsOf(await ask({ lines: [{ sku: 'ONE-A-DAY', quantity: 1 }] }))
    const free = await eventually(look, (o) => o.options.length > 0)
    const by = free.options[0]!.promisedBy
    const reservation = await edge.post(`/v1/quotes/${free.quoteId}/hold`, { optionId: free.options[0]!.optionId }, { key: 'demo-channel-web' })
    await eventually(look, (o) => o.options[0]!.promisedBy > by)
    await edge.send('DELETE', `/v1/reservations/${String(reservation.body.reservationId)}`, { key: 'demo-channel-web' })
    await eventually(look, (o) => o.options[0]!.promisedBy === by)
  })

  it('becomes the order that names its quote', async () => {
    const { sku, quoteId, optionId, hold } = await held(1)
    const reservation = await hold()
    const placed = await submit(order(quoteId, optionId, { lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 1000 }] }))
    expect(placed.status).toBe(201)
    expect(await level(sku)).toMatchObject({ onHand: 1, reserved: 0, allocated: 1, available: 0 })
    expect((await hold()).body).toMatchObject({ status: 409, code: 'reservation.ended', state: 'taken' })
    const gone = await edge.send('DELETE', `/v1/reservations/${String(reservation.body.reservationId)}`, { key: 'demo-channel-web' })
    expect(gone.body).toMatchObject({ status: 409, code: 'reservation.ended', state: 'taken' })
  })

  it('is given back once, however often that is asked for', async () => {
    const { sku, hold } = await held(1)
    const { reservationId } = (await hold()).body as { reservationId: string }
    const drop = (key = 'demo-channel-web'): Promise<Reply> => edge.send('DELETE', `/v1/reservations/${reservationId}`, { key })
    expect((await drop('demo-channel-marketplace')).body).toMatchObject({ status: 404, code: 'reservation.unknown' })
    expect((await Promise.all([drop(), drop(), drop()])).map((r) => r.body.status)).toEqual(['released', 'released', 'released'])
    expect(await level(sku)).toMatchObject({ reserved: 0, available: 1 })
    expect((await buy(sku)).status).toBe(201)
  })

  it('does not refuse anybody once it has expired, swept or not', async () => {
    const { sku, hold } = await held(1)
    await hold()
    await edge.db('reservations').where({ status: 'open' }).update({ expires_at: new Date(Date.now() - 1_000) })
    expect((await buy(sku)).status).toBe(201)
    expect(await level(sku)).toMatchObject({ reserved: 0, allocated: 1 })
    expect((await hold()).body).toMatchObject({ code: 'reservation.ended', state: 'expired' })
  })

  it('is refused with new options when the goods are gone', async () => {
    const { sku, hold } = await held(1)
    expect((await buy(sku)).status).toBe(201)
    expect((await hold()).body).toMatchObject({ status: 409, code: 'quote.gone', instead: { quoteId: expect.any(String) as string } })
  })

  it('can be asked for a quote of five hundred lines', async () => {
    const skus = Array.from({ length: 500 }, (_, i) => `LINES-OF-MANY-${i * 7919}`)
    await edge.db('skus').insert(skus.map((sku) => ({ sku, name: sku, weight_grams: 10 })))
    await edge.db('stock_levels').insert(skus.map((sku) => ({ sku, node_id: 'dc-01', on_hand: 1 })))
    const { quoteId, options } = optionsOf(await ask({ lines: skus.map((sku) => ({ sku, quantity: 1 })) }))
    expect((await edge.post(`/v1/quotes/${quoteId}/hold`, { optionId: options[0]!.optionId }, { key: 'demo-channel-web' })).status).toBe(201)
  })
})

describe('an order that names a quote', () => {
  it('is promised what was quoted, and uses it up', async () => {
    const { quoteId, options } = optionsOf(await ask())
    const standard = options.find((o) => o.service === 'standard')!
    const document = order(quoteId, standard.optionId)
    const placed = await submit(document)
    expect(placed.status).toBe(201)
    const view = (await edge.get(`/v1/orders/${String(placed.body.orderId)}`)).body
    expect(view).toMatchObject({
      delivery: { method: 'delivery', service: 'standard' },
      promise: { promisedFrom: standard.promisedFrom, promisedBy: standard.promisedBy, confidence: standard.confidence, state: 'on_track' },
    })
    expect((await submit(document)).status).toBe(200)
    expect((await submit(order(quoteId, standard.optionId))).body).toMatchObject({ status: 409, code: 'quote.used' })
  })

  it('has to be what was quoted', async () => {
    const { quoteId, options } = optionsOf(await ask())
    const { optionId } = options.find((o) => o.service === 'express')!
    const other = order(quoteId, optionId, { lines: [{ lineId: '1', sku: 'SOCKS-3P', quantity: 2, unitPriceMinor: 500 }], shipTo: { name: 'Customer', country: 'DE', postalCode: '80331' } })
    expect((await submit(other)).body).toMatchObject({ status: 409, code: 'quote.mismatch', errors: [{ pointer: '/lines' }, { pointer: '/shipTo' }, { pointer: '/shipping/priceMinor' }] })
    expect((await submit(order(quoteId, 'delivery:teleport'))).body).toMatchObject({ code: 'quote.mismatch', errors: [{ pointer: '/delivery/optionId' }] })
    expect((await submit(order('not-a-quote', optionId))).body).toMatchObject({ status: 400, code: 'quote.unknown' })
    const forged = quoteId.slice(0, -4) + (quoteId.endsWith('AAAA') ? 'BBBB' : 'AAAA')
    expect((await submit(order(forged, optionId))).body).toMatchObject({ code: 'quote.unknown' })
  })

  it('is refused with new options when the goods are gone meanwhile', async () => {
    await edge.put('/v1/skus/LAST-ONE', { name: 'Last one', weightGrams: 100 })
    for (const nodeId of ['store-mitte']) await edge.post('/v1/inventory/adjustments', { sku: 'LAST-ONE', nodeId, delta: 1, reason: 'opening' })
    const lines = [{ lineId: '1', sku: 'LAST-ONE', quantity: 1, unitPriceMinor: 1000 }]
    const { quoteId, options } = optionsOf(await ask({ lines: [{ sku: 'LAST-ONE', quantity: 1 }] }))
    expect((await submit(order('', '', { lines, delivery: { method: 'delivery' } }))).status).toBe(201)
    const gone = await submit(order(quoteId, options.find((o) => o.service === 'standard')!.optionId, { lines }))
    expect(gone.body).toMatchObject({ status: 409, code: 'quote.gone', instead: { quoteId: expect.any(String), options: expect.any(Array) } })
  })

  it('comes too late for an expired one', async () => {
    const version = (await edge.post('/v1/policies/promise', { confidence: 0.9, quoteLifetime: 'PT0.1S', holdLifetime: 'PT1M' })).body.version
    await edge.post(`/v1/policies/promise/${String(version)}/activate`, {})
    const given = await eventually(async () => optionsOf(await ask()), (o) => Date.parse(o.expiresAt) - Date.now() < 5_000)
    const taken = order(given.quoteId, 'delivery:standard', { channelOrderId: nextOrderNumber() })
    expect((await submit(taken)).status).toBe(201)
    const late = (): Promise<Reply> => submit(order(given.quoteId, 'delivery:none'))
    expect((await eventually(late, (reply) => reply.body.code !== 'quote.mismatch')).body).toMatchObject({ status: 409, code: 'quote.expired' })
    expect((await submit(taken)).status).toBe(200)
  })
})
