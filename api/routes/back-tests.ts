/** The policy lab: what a draft would have done with the orders of a period. Asking writes a row; the worker does the rest. */
import { z } from 'zod'
import { findBackTest, insertBackTest, type BackTestAsk, type BackTestRow } from '../../db/back-tests'
import type { Transaction } from '../../db/connection'
import { policyDocument } from '../../db/policies'
import { countPeriod } from '../../db/views/back-test'
import { findChannel } from '../../db/views/network'
import { Refusal, refuse } from '../../domain/refusals'
import type { SourcingPolicy } from '../../domain/policy/sourcing'
import { command } from '../command'
import { knownInSourcing } from '../known-in-policy'
import { may } from '../permissions'
import { created, ok, route } from '../route'
import { backTestAccepted, backTestAnswer, backTestBody } from '../schemas/back-test'
import { uuid } from '../schemas/fields'

const tag = 'Sourcing'
/** Orders that one back-test holds in memory. */
const most = 500_000

const askBackTest = command({
  method: 'post',
  path: '/v1/sourcing/back-tests',
  tag,
  summary: 'Replays the orders of a period against a draft and another version of the policy',
  description: 'On the stock as it was, priced by the same costs. A long job: read it again to see how far it is.',
  roles: may.trySourcing,
  body: backTestBody,
  answers: { 201: backTestAccepted },
  async run(ctx, tx) {
    const { from, to, channel, draft, against } = ctx.body
    if (channel !== undefined && !(await findChannel(tx, channel))) throw refuse('channel.unknown', { channel }, undefined, [{ pointer: '/channel', message: `No channel ${channel}` }])
    const ask: BackTestAsk = { from, to, channel, draft: await draftOf(tx, draft), against: await versionOf(tx, '/against', against) }
    const { orders, currencies } = await countPeriod(tx, ask)
    if (orders === 0) throw refuse('back_test.no_orders', { from, to }, undefined, [{ pointer: '/from', message: 'No order was placed between from and to' }])
    if (orders > most) throw refuse('back_test.too_many_orders', { orders, most }, undefined, [{ pointer: '/from', message: `${orders} orders were placed between from and to` }])
    if (currencies.length > 1) throw refuse('back_test.currencies', { currencies }, undefined, [{ pointer: '/channel', message: `Orders in ${currencies.join(', ')}` }])
    const backTestId = await insertBackTest(tx, { ask, orders, actor: ctx.actor })
    return created({ backTestId, status: 'running' }, `/v1/sourcing/back-tests/${backTestId}`)
  },
})

const getBackTest = route({
  method: 'get',
  path: '/v1/sourcing/back-tests/{backTestId}',
  tag,
  summary: 'How far a back-test is, and what came out',
  roles: may.trySourcing,
  params: z.object({ backTestId: uuid }),
  answers: { 200: backTestAnswer },
  async run(ctx) {
    const found = await findBackTest(ctx.db, ctx.params.backTestId)
    if (!found) throw refuse('back_test.unknown')
    return ok(shown(found))
  },
})

const shown = ({ backTestId, status, ask, done, of, result, failure, createdBy, createdAt, endedAt }: BackTestRow): object => ({
  backTestId,
  status,
  ...ask,
  progress: { done, of },
  ...(result && { result }),
  ...(failure !== null && { failure }),
  createdBy,
  createdAt,
  ...(endedAt !== null && { endedAt }),
})

async function draftOf(tx: Transaction, draft: number | SourcingPolicy): Promise<BackTestAsk['draft']> {
  if (typeof draft === 'number') return versionOf(tx, '/draft', draft)
  await knownInSourcing(tx, draft, ['draft'])
  return { document: draft }
}

/** @throws `policy.unknown`, with the field that names it. */
async function versionOf(tx: Transaction, pointer: string, version?: number): Promise<BackTestAsk['against']> {
  try {
    const found = await policyDocument(tx, 'sourcing', version)
    return { version: found.version, document: found.document as SourcingPolicy }
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw refuse(cause.code, cause.data, undefined, [{ pointer, message: `No version ${version}` }])
  }
}

export const backTestRoutes = [askBackTest, getBackTest]
