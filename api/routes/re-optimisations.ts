/** Open orders planned again together: a proposal first, then, when somebody says so, the moves. */
import { z } from 'zod'
import { policyDocument } from '../../db/policies'
import { beginApplying, findReOptimisation, insertReOptimisation, movesOf } from '../../db/re-optimisations'
import type { Db, Transaction } from '../../db/connection'
import { findChannel } from '../../db/views/network'
import type { SourcingPolicy } from '../../domain/policy/sourcing'
import { refuse } from '../../domain/refusals'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route } from '../route'
import { at, channelId, minor, uuid } from '../schemas/fields'

const tag = 'Sourcing'
const params = z.object({ reOptimisationId: uuid })
const shipment = z.object({ nodeId: z.string(), lines: z.array(z.object({ lineId: z.string(), sku: z.string(), quantity: z.int() })) })

const answer = z
  .object({
    reOptimisationId: z.string(),
    status: z.enum(['computing', 'proposed', 'applying', 'applied', 'failed']),
    channel: z.string(),
    policyVersion: z.int(),
    orders: z.int().nullable().meta({ description: 'Open orders that nobody has begun to pick' }),
    beforeMinor: minor.nullable(),
    afterMinor: minor.nullable().meta({ description: 'When all moves are made' }),
    moves: z.array(
      z.object({
        group: z.int().meta({ description: 'Moves of one group need each other: all of them are made, or none' }),
        orderId: z.string(),
        from: z.array(shipment),
        to: z.array(shipment),
        costMinor: z.int(),
        savesMinor: z.int().meta({ description: 'Below zero: it makes way for others of its group' }),
        outcome: z.enum(['proposed', 'moved', 'skipped']),
        reason: z.string().nullable(),
      }),
    ),
    failure: z.string().nullable(),
    createdBy: z.string(),
    createdAt: at,
    appliedBy: z.string().nullable(),
    endedAt: at.nullable(),
  })
  .meta({ id: 'ReOptimisation' })

const ask = command({
  method: 'post',
  path: '/v1/sourcing/re-optimisations',
  tag,
  summary: 'Plans all open, unpicked orders of a channel together',
  description: 'Proposes only what is cheaper in sum and keeps every promise. Nothing moves until it is applied. A long job: read it again.',
  roles: may.reOptimise,
  body: z.strictObject({ channel: channelId, version: z.int().min(1).optional().meta({ description: 'Of the sourcing policy whose costs count; absent: the one in force' }) }),
  answers: { 201: answer },
  async run(ctx, tx) {
    const { channel, version } = ctx.body
    if (!(await findChannel(tx, channel))) throw refuse('channel.unknown', { channel }, undefined, [{ pointer: '/channel', message: `No channel ${channel}` }])
    const policy = await policyDocument(tx, 'sourcing', version)
    const { mode, costs } = policy.document as SourcingPolicy
    if (!costs) throw refuse('re_optimisation.no_costs', { version: policy.version, mode }, undefined, [{ pointer: '/version', message: `Version ${policy.version} has no costs` }])
    const id = await insertReOptimisation(tx, { channel, policyVersion: policy.version, actor: ctx.actor })
    return created(await shown(tx, id), `/v1/sourcing/re-optimisations/${id}`)
  },
})

const get = route({
  method: 'get',
  path: '/v1/sourcing/re-optimisations/{reOptimisationId}',
  tag,
  summary: 'What is proposed, and what became of each move',
  roles: may.trySourcing,
  params,
  answers: { 200: answer },
  run: async (ctx) => ok(await shown(ctx.db, ctx.params.reOptimisationId)),
})

const apply = command({
  method: 'post',
  path: '/v1/sourcing/re-optimisations/{reOptimisationId}/apply',
  tag,
  summary: 'Makes the proposed moves',
  description: 'Each order is looked at again: what has gone on, changed or lost its shelf meanwhile stays where it is, with its whole group and the reason.',
  roles: may.reOptimise,
  params,
  body: z.strictObject({}),
  answers: { 200: answer },
  async run(ctx, tx) {
    const found = await findReOptimisation(tx, ctx.params.reOptimisationId, true)
    if (!found) throw refuse('re_optimisation.unknown')
    if (found.status !== 'proposed') throw refuse('re_optimisation.state', { state: found.status })
    await beginApplying(tx, found.reOptimisationId, ctx.actor)
    return ok(await shown(tx, found.reOptimisationId))
  },
})

async function shown(db: Db | Transaction, id: string): Promise<object> {
  const found = await findReOptimisation(db, id)
  if (!found) throw refuse('re_optimisation.unknown')
  return { ...found, moves: await movesOf(db, id) }
}

export const reOptimisationRoutes = [ask, get, apply]
