/** Nodes, SKUs, channels, drivers: set up as whole documents, read back as they can be written. */
import { openEdge, type Edge } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

it.each(['/v1/nodes/store-mitte', '/v1/skus/SHOE-LB-42', '/v1/channels/web', '/v1/drivers/driver-mark'])('gives %s in the shape in which it can be written back', async (path) => {
  const before = await edge.get(path)
  expect(before.status).toBe(200)
  const written = await edge.put(path, before.body)
  expect([written.status, written.body]).toEqual([200, before.body])
  expect((await edge.get(path)).body).toEqual(before.body)
})

it('creates with 201, changes with 200, and writes down who did it', async () => {
  const node = { name: 'Store Wedding', type: 'store', timeZone: 'Europe/Berlin', country: 'DE', latitude: 52.55, longitude: 13.36 }
  expect((await edge.put('/v1/nodes/store-wedding', node)).status).toBe(201)
  const changed = await edge.put('/v1/nodes/store-wedding', { ...node, name: 'Wedding', methods: ['delivery', 'pickup'], calendar: { monday: { opens: '10:00', closes: '19:00' } }, active: false })
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ nodeId: 'store-wedding', name: 'Wedding', methods: ['delivery', 'pickup'], active: false, cutoffs: {}, calendar: { monday: { opens: '10:00', closes: '19:00' } } })
  const audit = await edge.db('audit').where({ subject: 'store-wedding' }).orderBy('audit_id')
  expect(audit.map((a: { actor: string; action: string }) => [a.actor, a.action])).toEqual([
    ['operations:demo-operations', 'node.put'],
    ['operations:demo-operations', 'node.put'],
  ])
})

it('refuses a day that closes before it opens', async () => {
  const { body } = await edge.put('/v1/nodes/n-1', { name: 'N', type: 'store', timeZone: 'UTC', country: 'DE', latitude: 1, longitude: 1, calendar: { sunday: { opens: '10:00', closes: '09:00' } } })
  expect((body.errors as { pointer: string }[])[0]!.pointer).toBe('/calendar/sunday/closes')
})

it('takes a channel’s secret and never gives it out', async () => {
  const settings = { name: 'Outlet', currency: 'EUR', timeZone: 'Europe/Berlin' }
  const made = await edge.put('/v1/channels/outlet', { ...settings, shopifySecret: 'very-secret' })
  expect(made.status).toBe(201)
  expect(made.text).not.toContain('very-secret')
  expect((await edge.put('/v1/channels/outlet', settings)).body).toMatchObject({ hasShopifySecret: true, claim: 'required' })
  expect((await edge.put('/v1/channels/outlet', { ...settings, shopifySecret: null })).body).toMatchObject({ hasShopifySecret: false })
  expect(edge.logged.join('')).not.toContain('very-secret')
})

it.each(['https://127.0.0.1/', 'https://10.1.2.3/', 'http://shop.example.com/', 'https://user:word@shop.example.com/', 'https://localhost/'])('refuses a channel whose own api is at %s', async (url) => {
  const { status, body } = await edge.put('/v1/channels/inner', { name: 'Inner', currency: 'EUR', timeZone: 'Europe/Berlin', api: { kind: 'shopify', url } })
  expect({ status, body }).toMatchObject({ status: 400, body: { errors: [{ pointer: '/api/url' }] } })
  expect((await edge.get('/v1/channels/inner')).status).toBe(404)
})

it('lists SKUs in pages', async () => {
  const first = await edge.get('/v1/skus?limit=10')
  const second = await edge.get(`/v1/skus?limit=10&cursor=${first.body.nextCursor as string}`)
  const ids = [...(first.body.items as { sku: string }[]), ...(second.body.items as { sku: string }[])].map((s) => s.sku)
  expect(ids).toHaveLength(20)
  expect([...ids].sort()).toEqual([...new Set(ids)].sort())
})

const store = { name: 'Store', type: 'store', timeZone: 'Europe/Berlin', country: 'DE', latitude: 52.5, longitude: 13.4, calendar: { monday: { opens: '10:00', closes: '19:00' } } }
const wrongHours: [string, object, string][] = [
  ['a calendar without an open day', { calendar: {}, specialDays: { '2026-12-24': { hours: [] } } }, '/calendar'],
  ['a cut-off on no open day', { cutoffs: { standard: '15:00' }, calendar: {}, specialDays: { '2026-12-24': { hours: [] } } }, '/calendar'],
  ['a carrier that collects on no open day', { pickups: { swiftparcel: { sunday: ['16:00'] } } }, '/pickups'],
  ['a date that does not exist', { specialDays: { '2026-02-30': { hours: [] } } }, '/specialDays/2026-02-30'],
  ['no time to work', { leadMinutes: 0 }, '/leadMinutes'],
]
it.each(wrongHours)('refuses a node with %s', async (_, more, pointer) => {
  expect((await edge.put('/v1/nodes/store-wrong', { ...store, ...more })).body).toMatchObject({ status: 400, code: 'request.invalid', errors: [{ pointer }] })
})

it('keeps holidays, collections and lead time of a node', async () => {
  const hours = { specialDays: { '2026-12-24': { hours: [{ opens: '09:00', closes: '13:00' }] } }, pickups: { swiftparcel: ['12:00', '17:30'] }, leadMinutes: 45 }
  expect((await edge.put('/v1/nodes/store-hours', { ...store, ...hours })).status).toBe(201)
  expect((await edge.get('/v1/nodes/store-hours')).body).toMatchObject(hours)
})
