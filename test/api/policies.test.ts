/** Policies: immutable versions, drafted whole, in force from the moment somebody said. */
import { activePolicies } from '../../db/policies'
import { defaultPolicies } from '../../domain/policy/kinds'
import { waitUntil } from '../../dev/wait'
import { openEdge, type Edge } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const draft = async (kind: string, document: object): Promise<number> => Number((await edge.post(`/v1/policies/${kind}`, document)).body.version)
const activate = (kind: string, version: number, body: object = {}): ReturnType<Edge['post']> => edge.post(`/v1/policies/${kind}/${version}/activate`, body)
const versions = async (kind: string): Promise<[number, string][]> =>
  ((await edge.get(`/v1/policies/${kind}`)).body.versions as { version: number; status: string }[]).map((v) => [v.version, v.status])

it('starts every kind with its default as version 1', async () => {
  expect((await edge.get('/v1/policies/payment')).body).toMatchObject({ kind: 'payment', active: { version: 1, status: 'active', document: defaultPolicies.payment } })
  expect(await activePolicies(edge.db)).toMatchObject({ documents: defaultPolicies, versions: { payment: 1, care: 1 } })
})

it('lets a draft apply once it is activated, and not before', async () => {
  const document = { window: 'P14D', restockBy: 'P20D' }
  const made = await edge.post('/v1/policies/returns', document)
  expect([made.status, made.body]).toEqual([201, { kind: 'returns', version: 2, status: 'draft' }])
  expect((await edge.get('/v1/policies/returns')).body).toMatchObject({ active: { version: 1 } })
  expect((await activate('returns', 2)).body).toMatchObject({ kind: 'returns', version: 2, status: 'active', document })
  expect(await versions('returns')).toEqual([[2, 'active'], [1, 'retired']])
  expect(await waitUntil(async () => (await activePolicies(edge.db)).documents.returns.window === 'P14D', 3_000)).toBe(true)
  const inside = await edge.db.transaction((tx) => activePolicies(tx))
  expect(inside.versions.returns).toBe(2)
})

it('switches by itself when a scheduled moment has come', async () => {
  const version = await draft('care', { retryEvery: 'PT7S' })
  const at = new Date(Date.now() + 1_200).toISOString()
  expect((await activate('care', version, { at })).body).toMatchObject({ version, status: 'scheduled', activateAt: at })
  expect(await versions('care')).toEqual([[2, 'scheduled'], [1, 'active']])
  expect(await waitUntil(async () => (await versions('care'))[0]![1] === 'active', 5_000)).toBe(true)
  expect(await versions('care')).toEqual([[2, 'active'], [1, 'retired']])
  expect(await waitUntil(async () => (await activePolicies(edge.db)).documents.care.retryEvery === 'PT7S', 3_000)).toBe(true)
  const next = await draft('care', { retryEvery: 'PT8S' })
  expect((await activate('care', next)).status).toBe(200)
  expect(await versions('care')).toEqual([[3, 'active'], [2, 'retired'], [1, 'retired']])
})

it('activates a draft once', async () => {
  const version = await draft('promise', { confidence: 0.8, quoteLifetime: 'PT5M', holdLifetime: 'PT0.2S' })
  expect((await activate('promise', version)).status).toBe(200)
  expect((await activate('promise', version)).body).toMatchObject({ status: 409, code: 'policy.not_draft' })
  expect((await activate('promise', 99)).body).toMatchObject({ status: 404, code: 'policy.unknown' })
  expect((await activate('promise', 1)).body).toMatchObject({ code: 'policy.not_draft' })
})

it('leads back to the version before with one press, and forth again with another', async () => {
  expect((await edge.post('/v1/policies/payment/return', {})).body).toMatchObject({ status: 409, code: 'policy.no_earlier', kind: 'payment' })
  const version = await draft('payment', { deadline: 'PT5M', reauthorizeBefore: 'P1D' })
  await activate('payment', version)
  expect((await edge.post('/v1/policies/payment/return', {})).body).toMatchObject({ version: 1, status: 'active', document: defaultPolicies.payment })
  expect(await versions('payment')).toEqual([[2, 'retired'], [1, 'active']])
  expect((await edge.post('/v1/policies/payment/return', {})).body).toMatchObject({ version: 2, status: 'active' })
})

it('takes the published fields alone; later ones have a default', async () => {
  const version = await draft('last_mile', { waveSize: 3, waveWait: 'PT1M', attempts: 2 })
  expect((await activate('last_mile', version)).body).toMatchObject({ document: { deliverWithin: defaultPolicies.last_mile.deliverWithin } })
})

it('numbers drafts one after the other, however many come at once', async () => {
  const replies = await Promise.all(Array.from({ length: 6 }, () => edge.post('/v1/policies/payment', defaultPolicies.payment)))
  expect(replies.map((r) => r.body.version).sort()).toEqual([3, 4, 5, 6, 7, 8])
})
