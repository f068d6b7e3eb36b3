/** Business rules: read, drafted as whole documents, activated now or from a moment on. They apply to orders placed later. */
import { z } from 'zod'
import { activatePolicy, draftPolicy, policyVersions, returnToLast } from '../../db/policies'
import type { PromisePolicy } from '../../domain/policy/kinds'
import type { SourcingPolicy } from '../../domain/policy/sourcing'
import { command } from '../command'
import { knownChannels, knownInSourcing } from '../known-in-policy'
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
    if (kind === 'sourcing') await knownInSourcing(tx, document.data as SourcingPolicy)
    if (kind === 'promise') await knownChannels(tx, document.data as PromisePolicy)
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

export const policyRoutes = [getPolicy, draft, activate, goBack]
