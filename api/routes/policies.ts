/** Business rules: read, drafted as whole documents, activated now or from a moment on. They apply to orders placed later. */
import { z } from 'zod'
import { activatePolicy, draftPolicy, policyVersions, returnToLast } from '../../db/policies'
import type { Transaction } from '../../db/connection'
import { unknownNodes } from '../../db/views/network'
import type { SourcingPolicy } from '../../domain/policy/sourcing'
import { refuse } from '../../domain/refusals'
import { command } from '../command'
import { may } from '../permissions'
import { refuseSchema } from '../problem'
import { created, ok, route } from '../route'
import { instant } from '../schemas/fields'
import { anyPolicyDocument, policyDocuments, policyKind, policyVersion, policyVersionNumber } from '../schemas/policy'

const tag = 'Policies'
const params = z.object({ kind: policyKind })

const getPolicy = route({
  method: 'get',
  path: '/v1/policies/{kind}',
  tag,
  summary: 'The version in force and all others',
  roles: may.readNetwork,
  params,
  answers: { 200: z.object({ kind: policyKind, active: policyVersion, versions: z.array(policyVersion) }) },
  async run(ctx) {
    const { kind } = ctx.params
    const versions = await policyVersions(ctx.db, kind)
    return ok({ kind, active: versions.find((v) => v.status === 'active'), versions })
  },
})

const draft = command({
  method: 'post',
  path: '/v1/policies/{kind}',
  tag,
  summary: 'Drafts a new version: the whole document',
  roles: may.writeNetwork,
  params,
  body: z.unknown(),
  bodyShown: anyPolicyDocument,
  answers: { 201: z.object({ kind: policyKind, version: z.int(), status: z.literal('draft') }) },
  async run(ctx, tx) {
    const { kind } = ctx.params
    const document = policyDocuments[kind].safeParse(ctx.body)
    if (!document.success) throw refuseSchema(document.error, 'body')
    if (kind === 'sourcing') await knownNodes(tx, document.data as SourcingPolicy)
    const { version } = await draftPolicy(tx, { kind, document: document.data, actor: ctx.actor })
    return created({ kind, version, status: 'draft' })
  },
})

const activate = command({
  method: 'post',
  path: '/v1/policies/{kind}/{version}/activate',
  tag,
  summary: 'Lets a draft apply, from now or from `at` on',
  roles: may.writeNetwork,
  params: z.object({ kind: policyKind, version: policyVersionNumber }),
  body: z.strictObject({ at: instant.optional() }),
  answers: { 200: policyVersion },
  async run(ctx, tx) {
    return ok(await activatePolicy(tx, { ...ctx.params, at: ctx.body.at, actor: ctx.actor }))
  },
})

const goBack = command({
  method: 'post',
  path: '/v1/policies/{kind}/return',
  tag,
  summary: 'Returns to the version that applied before, at once',
  description: 'For when a new version does harm. Orders keep the version they were placed under; twice leads back again.',
  roles: may.writeNetwork,
  params,
  answers: { 200: policyVersion },
  run: async (ctx, tx) => ok(await returnToLast(tx, { ...ctx.params, actor: ctx.actor })),
})

/** A rule that names a node that is not there is a rule nobody meant. */
async function knownNodes(tx: Transaction, { fences: { excludeNodes }, consolidateAt }: SourcingPolicy): Promise<void> {
  const named = [...excludeNodes.map((nodeId, i) => ({ nodeId, pointer: `/fences/excludeNodes/${i}` })), ...(consolidateAt === undefined ? [] : [{ nodeId: consolidateAt, pointer: '/consolidateAt' }])]
  const unknown = new Set(await unknownNodes(tx, named.map((n) => n.nodeId)))
  const problems = named.filter((n) => unknown.has(n.nodeId)).map(({ nodeId, pointer }) => ({ pointer, message: `No node ${nodeId}` }))
  if (problems.length) throw refuse('node.unknown', { nodeId: [...unknown][0]! }, undefined, problems)
}

export const policyRoutes = [getPolicy, draft, activate, goBack]
