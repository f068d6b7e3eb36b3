/** Orders whose customer was erased are still read, printed and settled like any other; only nothing can be sent to anybody. */
import { routes } from '../../api/routes'
import { previewReplacement } from '../../db/steps/request-replacement'
import { openEdge, type Edge } from './edge'
import { place } from './orders-in-store'
import { classified } from './reach/classified'
import { thingsAt, type Things } from './reach/things'

let edge: Edge
let at: Things
beforeAll(async () => {
  edge = await openEdge()
  at = await thingsAt(edge, { channelId: 'web', nodeId: 'store-mitte', driverId: 'driver-mark' })
  await edge.db('orders').update({ workflow_open: false, stage: 'completed' })
}, 30_000)
afterAll(() => edge?.close())

const erase = (path: string, body: object = {}): Promise<{ status: number; body: object }> => edge.post(path, body, { key: 'demo-support' })

it('shows and prints what is left of an erased order, everywhere', async () => {
  const reads = routes.filter((route) => route.method === 'get' && /\{(orderId|fulfillmentId|packageId|returnId|runId|exceptionId)\}/.test(route.path) && !route.path.endsWith('/events'))
  const read = async (erased: boolean): Promise<string[]> => {
    const bad: string[] = []
    for (const route of reads) {
      const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => at.ids[name]!)
      const { query } = classified(at)[`GET ${route.path}`] ?? {}
      const { status, text } = await edge.get(path + (query ? `?${query}` : ''), 'demo-admin')
      if (status !== 200 && status !== 409) bad.push(`${path}: ${status} ${text.slice(0, 200)}`)
      if (erased && /Mira|Torstra|mira@/.test(text)) bad.push(`${path}: ${text.slice(0, 200)}`)
    }
    return bad
  }
  expect(await read(false)).toEqual([])
  expect(await erase(`/v1/orders/${at.orderId}/erase`)).toMatchObject({ status: 200, body: { status: 'done', orders: { erased: 1, waiting: 0 } } })
  expect(await read(true)).toEqual([])
  expect(reads.length).toBeGreaterThan(10)
  const shown = await edge.get(`/v1/orders/${at.orderId}`, 'demo-support')
  expect(shown.text).not.toMatch(/Mira|Torstra|mira@/)
  expect((await edge.get(`/t/${at.ids.token}`, null)).status).toBe(404)
})

it('sends nothing to somebody nobody knows any more', async () => {
  const ask = { orderId: at.orderId, lines: [{ lineId: '1', quantity: 1, reason: 'torn' }], collectOld: 'none' as const, staff: true }
  await expect(edge.db.transaction((tx) => previewReplacement(tx, ask))).rejects.toMatchObject({ code: 'order.erased' })
})

it('takes what came after the erasure too, when an order was opened again', async () => {
  await edge.db('return_proofs').insert({ proof_id: '01a20902-5e47-7186-a716-0e418df55dc0', order_id: at.orderId, proof: JSON.stringify({ receipt: 'late' }) })
  expect(await erase(`/v1/orders/${at.orderId}/erase`)).toMatchObject({ status: 200, body: { orders: { erased: 0 }, rows: { return_proofs: 1 } } })
  expect(await erase(`/v1/orders/${at.orderId}/erase`)).toMatchObject({ status: 200, body: { orders: { erased: 0 }, rows: {} } })
})

it('is refused to everybody but support and admin, asks for a key of its own, and keeps no number of hers', async () => {
  for (const key of ['demo-channel-web', 'demo-operations', 'demo-finance']) expect((await edge.post('/v1/customers/c-77/erase', {}, { key })).status).toBe(403)
  expect((await edge.post('/v1/customers/c-77/erase', {}, { key: 'demo-support', idempotencyKey: null })).status).toBe(400)
  const orderId = await place(edge.db, { customer: { customerRef: 'kundin-4711-x', name: 'Mira Vogel', email: 'mira@example.org' } })
  const first = await edge.post('/v1/customers/kundin-4711-x/erase', {}, { key: 'demo-support', idempotencyKey: 'erase-her' })
  expect(first.body).toMatchObject({ status: 'scheduled', orders: { erased: 0, waiting: 1 } })
  expect((await edge.post('/v1/customers/kundin-4711-x/erase', {}, { key: 'demo-support', idempotencyKey: 'erase-her' })).body).toEqual(first.body)
  const other = await edge.post('/v1/customers/kundin-4712-x/erase', {}, { key: 'demo-support', idempotencyKey: 'erase-her' })
  expect(other.body).toMatchObject({ status: 'done', orders: { erased: 0 } })
  expect(await edge.db('idempotency_keys').whereILike('route', '%4711%')).toEqual([])
  expect(await edge.db('audit').whereILike('subject', '%4711%')).toEqual([])
  expect(await edge.db('orders').where({ order_id: orderId }).first('erased_at')).toEqual({ erased_at: null })
})
