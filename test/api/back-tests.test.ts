/** Asking the policy lab: what is accepted, and what is refused with its field and reason. The work itself is in test/stories/back-test.test.ts. */
import { defaultPolicies } from '../../domain/policy/kinds'
import type { SourcingPolicy } from '../../domain/policy/sourcing'
import { routes } from '../../api/routes'
import { endBackTest, noteProgress } from '../../db/back-tests'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
  await place(edge.db, { placedAt: '2026-11-02T09:00:00.000Z' })
  await place(edge.db, { placedAt: '2026-11-03T09:00:00.000Z' })
})
afterAll(() => edge.close())

const november = { from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' }
const policyOf = (more: Partial<SourcingPolicy> = {}): SourcingPolicy => ({ ...defaultPolicies.sourcing, ...more })
const ask = (body: object, key?: string): Promise<Reply> => edge.post('/v1/sourcing/back-tests', { ...november, draft: 1, ...body }, { key })

it('accepts a back-test as a row that says how far it is', async () => {
  const asked = await ask({ draft: policyOf({ maxShipments: 2 }), channel: 'web' })
  expect(asked).toMatchObject({ status: 201, body: { status: 'running' } })
  const path = `/v1/sourcing/back-tests/${String(asked.body.backTestId)}`
  expect(asked.headers.get('location')).toBe(path)
  const shown = (await edge.get(path)).body
  expect(routes.find((r) => r.method === 'get' && r.path === '/v1/sourcing/back-tests/{backTestId}')!.answers[200]!.safeParse(shown).error).toBeUndefined()
  expect(shown).toMatchObject({ status: 'running', channel: 'web', progress: { done: 0, of: 4 }, draft: { document: { maxShipments: 2 } }, against: { version: 1 } })
  expect(shown.result).toBeUndefined()
})

it('ends once, whoever says so later', async () => {
  const { backTestId } = (await ask({})).body as { backTestId: string }
  await noteProgress(edge.db, backTestId, 3)
  await endBackTest(edge.db, backTestId, { failure: 'out of memory' })
  await endBackTest(edge.db, backTestId, { failure: 'again' })
  await noteProgress(edge.db, backTestId, 4)
  expect((await edge.get(`/v1/sourcing/back-tests/${backTestId}`)).body).toMatchObject({ status: 'failed', failure: 'out of memory', progress: { done: 3, of: 4 } })
})

const wrong: [string, object, object][] = [
  ['a period that ends before it begins', { to: november.from }, { status: 400, code: 'request.invalid', errors: [{ pointer: '/to', message: 'Must be after from' }] }],
  ['a period without orders', { from: '2020-01-01T00:00:00Z', to: '2020-02-01T00:00:00Z' }, { status: 409, code: 'back_test.no_orders', errors: [{ pointer: '/from' }] }],
  ['a channel that sold nothing then', { channel: 'pos' }, { status: 409, code: 'back_test.no_orders' }],
  ['a channel nobody knows', { channel: 'nowhere' }, { status: 400, code: 'channel.unknown', errors: [{ pointer: '/channel' }] }],
  ['an unknown version as the draft', { draft: 99 }, { status: 404, code: 'policy.unknown', errors: [{ pointer: '/draft' }] }],
  ['an unknown version to compare with', { against: 99 }, { status: 404, code: 'policy.unknown', errors: [{ pointer: '/against' }] }],
  ['a draft that contradicts itself', { draft: policyOf({ mode: 'cost' }) }, { status: 400, code: 'request.invalid', errors: [{ pointer: '/draft/costs' }] }],
  ['a draft that names a node that is gone', { draft: policyOf({ fences: { ...defaultPolicies.sourcing.fences, excludeNodes: ['dc-01', 'gone'] } }) }, { status: 400, code: 'node.unknown', errors: [{ pointer: '/draft/fences/excludeNodes/1' }] }],
]
it.each(wrong)('refuses %s', async (_, body, refusal) => {
  expect((await ask(body)).body).toMatchObject(refusal)
})

it('does not add up euros and francs', async () => {
  await edge.db('orders').where({ channel: 'web', placed_at: '2026-11-03T09:00:00.000Z' }).update({ currency: 'CHF' })
  expect((await ask({})).body).toMatchObject({ status: 409, code: 'back_test.currencies', currencies: ['CHF', 'EUR'] })
})

it('shows nothing of a back-test that is not there, and is no business of a channel', async () => {
  expect((await edge.get('/v1/sourcing/back-tests/0198c5a2-0000-7000-8000-000000000000')).body).toMatchObject({ status: 404, code: 'back_test.unknown' })
  expect((await edge.get('/v1/sourcing/back-tests/what')).body).toMatchObject({ status: 404, code: 'back_test.unknown' })
  expect((await ask({}, 'demo-channel-web')).status).toBe(403)
})
