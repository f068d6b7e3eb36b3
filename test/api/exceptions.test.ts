/** The exception queue: taken, tried again, settled; each step on the order's timeline and in the audit. */
import { openException } from '../../db/waiting'
import { NoAnswerYet } from '../../api/threads'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())
beforeEach(() => {
  edge.threads.onRetry = () => Promise.resolve()
})

const open = async (owner: 'operations' | 'support' | 'finance' = 'operations', kind = 'label_missing'): Promise<{ orderId: string; exceptionId: string }> => {
  const orderId = await place(edge.db)
  const wanted = { orderId, channel: 'web', kind, subject: orderId, owner, summary: 'The carrier gives no label', deadline: '2026-12-01T00:00:00Z' }
  return { orderId, exceptionId: await edge.db.transaction((tx) => openException(tx, wanted)) }
}
const does = (exceptionId: string, action: string, body: object, sending = {}): Promise<Reply> => edge.post(`/v1/exceptions/${exceptionId}/${action}`, body, sending)
const timeline = async (orderId: string): Promise<string[]> => ((await edge.get(`/v1/orders/${orderId}/timeline`)).body.items as { type: string }[]).map((e) => e.type)

it('lists what is open, oldest first, with owner, age and deadline', async () => {
  const first = await open('support', 'address')
  const second = await open('support', 'address')
  const { body } = await edge.get('/v1/exceptions?owner=support&kind=address')
  expect(body.items).toMatchObject([
    { ...first, kind: 'address', owner: 'support', status: 'open', ageSeconds: expect.any(Number), deadline: '2026-12-01T00:00:00.000Z', channel: 'web' },
    second,
  ])
  expect((await edge.get('/v1/exceptions?owner=nobody')).body.items).toEqual([])
})

it('is taken by somebody, and settled with words', async () => {
  const { orderId, exceptionId } = await open()
  expect((await does(exceptionId, 'assign', { assignee: 'anna' })).body).toMatchObject({ exceptionId, assignee: 'anna', status: 'open' })
  expect((await does(exceptionId, 'resolve', { resolution: 'label printed by hand' })).body).toMatchObject({ status: 'resolved', resolution: 'label printed by hand', resolvedBy: 'operations:demo-operations' })
  expect((await does(exceptionId, 'assign', { assignee: 'ben' })).body).toMatchObject({ status: 409, code: 'exception.resolved', resolution: 'label printed by hand' })
  expect(await timeline(orderId)).toEqual(['order.placed', 'exception.opened', 'exception.assigned', 'exception.resolved'])
  const audit = await edge.db('audit').where({ subject: exceptionId }).orderBy('audit_id')
  expect(audit.map((a: { action: string }) => a.action)).toEqual(['exception.assign', 'exception.resolve'])
  expect((await edge.get(`/v1/exceptions?status=resolved&orderId=${orderId}`)).body.items).toHaveLength(1)
})

it('tells the order to try again, and says so on the timeline', async () => {
  const { orderId, exceptionId } = await open()
  expect((await does(exceptionId, 'retry', {})).status).toBe(200)
  expect(edge.threads.retries.at(-1)).toEqual({ orderId, exceptionId })
  expect(await timeline(orderId)).toContain('exception.retried')
})

it('does not call a retry done that the order never heard of', async () => {
  const { orderId, exceptionId } = await open()
  edge.threads.onRetry = () => Promise.reject(new NoAnswerYet('Temporal is away'))
  const failed = await does(exceptionId, 'retry', {}, { idempotencyKey: 'retry-1' })
  expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '1'])
  edge.threads.onRetry = () => Promise.resolve()
  const again = await does(exceptionId, 'retry', {}, { idempotencyKey: 'retry-1' })
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
  expect(edge.threads.retries.filter((r) => r.orderId === orderId)).toHaveLength(1)
  expect((await timeline(orderId)).filter((type) => type === 'exception.retried')).toHaveLength(1)
})

it('lets finance settle what is finance’s', async () => {
  const [theirs, other] = [await open('finance'), await open('operations')]
  expect((await does(theirs.exceptionId, 'resolve', { resolution: 'booked' }, { key: 'demo-finance' })).status).toBe(200)
  expect((await does(other.exceptionId, 'resolve', { resolution: 'booked' }, { key: 'demo-finance' })).body.code).toBe('auth.role')
})

it('lists quarantined messages with their reasons', async () => {
  await edge.db('quarantine').insert({ quarantine_id: '01890000-0000-7000-8000-000000000001', channel: 'web', source: 'shopify:web', event_id: 'e-1', body: '{"id":1}', reasons: '[{"code":"sku.unknown"}]' })
  const { body } = await edge.get('/v1/quarantine?channel=web')
  expect(body).toMatchObject({ items: [{ channel: 'web', status: 'open', reasons: [{ code: 'sku.unknown' }] }], nextCursor: null })
})
