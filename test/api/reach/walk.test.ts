/** Every route × role × own and foreign id, held against the table of roles: who may do what, and what an id gives away to those who may not. */
import { jsonFraudCheck } from '../../../adapters/fraud/json-fraud-check'
import { stripeWebhook } from '../../../adapters/stripe/webhook'
import { contracts } from '../../../adapters/carriers/contracts'
import { parcelCarrier } from '../../../adapters/carriers/parcel-carrier'
import { routes as ownRoutes } from '../../../api/routes'
import { outsideRoutes } from '../../../api/routes/outside'
import type { Route } from '../../../api/route'
import type { OrderAsk } from '../../../api/threads'
import { needHold } from '../../../db/holds'
import { needChange } from '../../../db/order-changes'
import { placeHold } from '../../../db/steps/place-hold'
import type { PlaceHold, ReleaseHold } from '../../../domain/messages'
import { refuse } from '../../../domain/refusals'
import { openEdge, type Edge } from '../edge'
import { classified, type Line } from './classified'
import { roles, table, type Reach, type Role } from './table'
import { thingsAt, type Things } from './things'

const outside = outsideRoutes({
  webhook: stripeWebhook({ secret: 'whsec_test' }),
  carriers: [parcelCarrier({ contract: contracts.swiftparcel, baseUrl: 'http://127.0.0.1:1', webhookSecret: 'test-secret', timeoutMs: 100 })],
  fraud: jsonFraudCheck({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k', webhookSecret: 'test-secret', timeoutMs: 100 }),
  wake: () => undefined,
})
const routes: readonly Route[] = [...ownRoutes, ...outside]
const nameOf = (route: Route): string => `${route.method.toUpperCase()} ${route.path}`

let edge: Edge
/** `mine`: of the store and its driver; `sold`: of the web shop; `foreign`: of nobody who asks. */
let mine: Things
let sold: Things
let foreign: Things
beforeAll(async () => {
  edge = await openEdge({ routes: outside })
  foreign = await thingsAt(edge, { channelId: 'marketplace', nodeId: 'store-kreuzberg', driverId: 'driver-ada' })
  mine = await thingsAt(edge, { channelId: 'pos', nodeId: 'store-mitte', driverId: 'driver-mark' })
  edge.threads.answer = asAnOrderDoes
  sold = await thingsAt(edge, { channelId: 'web', nodeId: 'dc-01', driverId: 'driver-mark' })
}, 30_000)
afterAll(() => edge?.close())

/** The steps of the order's workflow that matter here: whose change it is, and that nothing was delivered or paid. */
async function asAnOrderDoes({ orderId, update, args }: OrderAsk): Promise<object> {
  if (update === 'changeOrder') await edge.db.transaction((tx) => needChange(tx, { orderId, ...(args as object as { changeId: string }) }))
  if (update === 'placeHold') await edge.db.transaction((tx) => placeHold(tx, { orderId, ...(args as PlaceHold) }))
  if (update === 'releaseHold') await edge.db.transaction((tx) => needHold(tx, orderId, (args as ReleaseHold).holdId))
  if (/^request|^returnAtCounter$/.test(update)) throw refuse('return.state')
  if (update === 'refundOrder') throw refuse('refund.above_captured')
  return {}
}

const keys: Record<Role, string> = {
  channel: 'demo-channel-web', store: 'demo-store-store-mitte', courier: 'demo-courier-driver-mark',
  support: 'demo-support', operations: 'demo-operations', finance: 'demo-finance', admin: 'demo-admin',
}
const ownOf = (role: Role): Things => (role === 'channel' ? sold : mine)

/** What a path names that belongs to a channel, a node or a driver. */
const scoped = ['orderId', 'draftId', 'changeId', 'holdId', 'refundId', 'returnId', 'fulfillmentId', 'packageId', 'waveId', 'nodeId', 'runId', 'stopId', 'driverId', 'reservationId', 'quoteId', 'channelId', 'endpointId', 'deliveryId']
const namesOf = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!)
const pathOf = (path: string, { ids }: Things): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (ids[name] === undefined) throw new Error(`test/api/reach/things.ts has no ${name}: add one`)
    return encodeURIComponent(ids[name])
  })

interface Heard {
  status: number
  text: string
}
async function ask(route: Route, line: Line, at: Things, key: string | null): Promise<Heard> {
  const path = pathOf(route.path, at) + (line.query ? `?${line.query}` : '')
  if (!line.stream) return edge.send(route.method.toUpperCase(), path, { key, body: line.body, ...(line.raw && { raw: line.raw.text, headers: { 'content-type': line.raw.type } }) })
  const left = new AbortController()
  const answer = await fetch(edge.url + path, { headers: key === null ? {} : { authorization: `Bearer ${key}` }, signal: left.signal })
  const text = answer.ok ? '' : await answer.text()
  left.abort()
  return { status: answer.status, text }
}

const said = ({ status, text }: Heard): string => `${status} ${text.slice(0, 200)}`
const isWell = ({ status }: Heard): boolean => status < 500 && ![400, 401, 403, 404, 415, 422].includes(status)
/** Of an answer to whoever reaches a part only: it names nothing of the rest. */
const leaks = ({ text }: Heard): string | undefined => ['orderId', 'draftId', 'fulfillmentId', 'runId', 'returnId', 'waveId', 'endpointId', 'deliveryId'].map((name) => foreign.ids[name]!).find((id) => text.includes(id))

/** @returns what is wrong with how one role is answered; nothing if all is well. */
async function walk(route: Route, role: Role, reach: Reach): Promise<string[]> {
  const lineAt = (at: Things): Line => classified(at)[nameOf(route)]!
  const own = await ask(route, lineAt(ownOf(role)), ownOf(role), keys[role])
  const wrong = (wanted: string, heard: Heard): string => `${role}: ${nameOf(route)} should ${wanted}, and says ${said(heard)}`
  if (reach === '-') return own.status === 403 && own.text.includes('auth.role') ? [] : [wrong('be 403 auth.role', own)]
  const found = isWell(own) ? [] : [wrong('be done, or refused by the state of things', own)]
  if (reach === 'all') return found
  if (leaks(own)) found.push(wrong(`not name ${leaks(own)}, which is not its own`, own))
  const { inBody, inLines } = lineAt(foreign)
  if (!inBody && !inLines && !namesOf(route.path).some((name) => scoped.includes(name))) return found
  const theirs = await ask(route, lineAt(foreign), inBody || inLines ? ownOf(role) : foreign, keys[role])
  const scope = theirs.text.includes('auth.scope')
  const refused = inLines ? theirs.status === 200 && scope : inBody ? theirs.status === 403 && scope : theirs.status === 404
  return refused ? found : [...found, wrong(inLines || inBody ? 'say auth.scope of what is not its own' : 'be 404 for what is not its own', theirs)]
}

it('knows for every route who may use it', () => {
  const known = Object.keys(classified(mine))
  const names = routes.map(nameOf)
  expect(names.filter((name) => !known.includes(name)).map((name) => `${name}: give it a line in test/api/reach/classified.ts`)).toEqual([])
  expect(known.filter((name) => !names.includes(name)).map((name) => `${name}: no such route any more`)).toEqual([])
})

const byRow = (wanted: (row: Line['row']) => boolean): Route[] => {
  const lines = classified(mine)
  return routes.filter((route) => nameOf(route) in lines && wanted(lines[nameOf(route)]!.row))
}
const withKey = (row: Line['row']): row is keyof typeof table => row !== 'signed' && row !== 'public'

it('answers every role on every route as the table of roles says, and gives nothing away of what is not its own', async () => {
  const found: string[] = []
  const all = byRow(withKey)
  const each = async (route: Route): Promise<void> => {
    const { row } = classified(mine)[nameOf(route)]!
    for (const role of roles) found.push(...(await walk(route, role, table[row as keyof typeof table][role])))
  }
  const reads = all.filter((route) => route.method === 'get')
  const hand = async (): Promise<void> => {
    for (let route = reads.shift(); route; route = reads.shift()) await each(route)
  }
  await Promise.all([hand(), hand(), hand(), hand()])
  for (const route of all.filter((r) => r.method !== 'get')) await each(route)
  expect(found).toEqual([])
}, 120_000)

it('asks everybody without a key for one, and takes nothing that is not signed', async () => {
  const found: string[] = []
  for (const route of byRow(() => true)) {
    const line = classified(mine)[nameOf(route)]!
    const wanted = line.row === 'public' ? [200] : [401]
    for (const key of line.row === 'public' || line.row === 'signed' ? [null] : [null, 'no-key-of-ours']) {
      const heard = await ask(route, line.row === 'signed' ? { ...line, body: {} } : line, sold, key)
      if (!wanted.includes(heard.status)) found.push(`${nameOf(route)} should be ${wanted.join('/')}, and says ${said(heard)}`)
    }
  }
  expect(found).toEqual([])
}, 30_000)

it('finds what belongs to one order or run under no other, whoever asks', async () => {
  const found: string[] = []
  const inside = routes.filter((route) => namesOf(route.path).filter((name) => ['orderId', 'changeId', 'holdId', 'runId', 'stopId'].includes(name)).length === 2)
  for (const route of inside) {
    const inner = namesOf(route.path)[1]!
    const heard = await ask(route, classified(mine)[nameOf(route)]!, { ...mine, ids: { ...mine.ids, [inner]: foreign.ids[inner]! } }, keys.admin)
    if (heard.status !== 404) found.push(`${nameOf(route)} with another's ${inner} should be 404, and says ${said(heard)}`)
  }
  expect(inside.length).toBeGreaterThan(3)
  expect(found).toEqual([])
})
