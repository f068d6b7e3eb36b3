/** Each change has one audit row with actor and cause: every route that changes something is called and must leave one, in the transaction of the change. */
import { routes } from '../../api/routes'
import { actionOf } from '../../api/audit'
import { isOrderRoute } from '../../api/command'
import type { Route } from '../../api/route'
import { openEdge, type Edge, type Reply } from './edge'
import { classified } from './reach/classified'
import { place } from './orders-in-store'
import { thingsAt, type Things } from './reach/things'

let edge: Edge
let at: Things
beforeAll(async () => {
  edge = await openEdge()
  at = await thingsAt(edge, { channelId: 'web', nodeId: 'store-mitte', driverId: 'driver-mark' })
}, 30_000)
afterAll(() => edge?.close())

const nameOf = (route: Route): string => `${route.method.toUpperCase()} ${route.path}`
const call = (route: Route): Promise<Reply> => {
  const { body, raw } = classified(at)[nameOf(route)]!
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(at.ids[name]!))
  return edge.send(route.method.toUpperCase(), path, { key: 'demo-admin', body, ...(raw && { raw: raw.text, headers: { 'content-type': raw.type } }) })
}
const newest = async (): Promise<number> => ((await edge.db('audit').max('audit_id as id').first()) as { id: number | null }).id ?? 0
const since = (id: number): Promise<{ actor: string; action: string; subject: string; cause: string }[]> => edge.db('audit').where('audit_id', '>', id).orderBy('audit_id')

/** They change nothing: a question asked by POST. */
const questions = ['POST /v1/delivery-options', 'POST /v1/gift-cards/balance', 'POST /v1/sourcing/dry-run']

it('leaves one row per change, whatever the route, and none for what was refused', async () => {
  const wrong: string[] = []
  let changed = 0
  // What an order is asked is done by its workflow, whose steps leave the row: A1-commands looks at those after every story.
  for (const route of routes.filter((r) => r.method !== 'get' && r.roles !== 'public' && !questions.includes(nameOf(r)) && (!isOrderRoute(r) || r.path.endsWith('/pick')))) {
    const before = await newest()
    const { status, body } = await call(route)
    const rows = await since(before)
    if (status < 300) changed++
    const wanted = status < 300 ? 1 : 0
    const quarantined = body.code === 'quarantine.still_invalid' // what was found anew is kept, so there is a row
    if (rows.length !== wanted && !quarantined) wrong.push(`${nameOf(route)} answered ${status} and left ${rows.length} rows`)
    for (const { actor, action, subject, cause } of rows) {
      if (actor !== 'admin:demo-admin' || !/^[a-z_]+\.[a-z_-]+$/.test(action) || subject === '' || cause === '') wrong.push(`${nameOf(route)} left ${JSON.stringify({ actor, action, subject, cause })}`)
    }
  }
  expect(wrong).toEqual([])
  expect(changed).toBeGreaterThan(25)
}, 30_000)

it('repeats no row when a command is repeated, and has none where nothing was done', async () => {
  const before = await newest()
  const body = { sku: 'SOCKS-3P', nodeId: 'store-mitte', delta: 1, reason: 'found behind the shelf' }
  const first = await edge.post('/v1/inventory/adjustments', body, { idempotencyKey: 'once' })
  const again = await edge.post('/v1/inventory/adjustments', body, { idempotencyKey: 'once' })
  expect([first.status, again.status]).toEqual([200, 200])
  expect((await edge.post('/v1/inventory/adjustments', { ...body, delta: -1_000_000 })).status).toBe(409)
  expect(await since(before)).toMatchObject([{ action: 'stock.adjust', subject: 'SOCKS-3P@store-mitte', cause: 'found behind the shelf' }])
})

it('is read by subject, actor and time, page after page, the newest first', async () => {
  const orderId = await place(edge.db)
  await edge.db('audit').insert([1, 2, 3].map((n) => ({ actor: 'support:ines', action: 'order.look', subject: orderId, cause: `time ${n}` })))
  const first = await edge.get(`/v1/audit?subject=${orderId}&limit=2`)
  expect(first.body).toMatchObject({ items: [{ cause: 'time 3' }, { cause: 'time 2' }] })
  const second = await edge.get(`/v1/audit?subject=${orderId}&limit=2&cursor=${String(first.body.nextCursor)}`)
  expect(second.body).toMatchObject({ items: [{ cause: 'time 1', actor: 'support:ines' }], nextCursor: null })
  expect((await edge.get('/v1/audit?actor=support:ines&to=2020-01-01T00:00:00Z')).body.items).toEqual([])
  expect(((await edge.get(`/v1/audit?actor=support:ines&from=2020-01-01T00:00:00Z`)).body.items as object[]).length).toBe(3)
  expect((await edge.get('/v1/audit?from=yesterday')).status).toBe(400)
})

it('names what has no words of its own by its route', () => {
  expect(actionOf('/v1/runs/{runId}/accept', false)).toBe('run.accept')
  expect(actionOf('/v1/orders', true)).toBe('order.create')
  expect(actionOf('/v1/nodes/{nodeId}/runs', true)).toBe('run.create')
  expect(actionOf('/v1/policies/{kind}/{version}/activate', false)).toBe('policy.activate')
  expect(actionOf('/v1/sourcing/re-optimisations/{reOptimisationId}/apply', false)).toBe('re_optimisation.apply')
})
