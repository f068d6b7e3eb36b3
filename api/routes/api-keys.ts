/** API keys: made, listed and revoked by whoever has one of role admin. */
import { z } from 'zod'
import { apiKeyList, apiKeyView, makeApiKey, revokeApiKey } from '../../db/api-keys'
import { writeAudit } from '../../db/audit'
import type { Transaction } from '../../db/connection'
import { findChannel, findDriver, unknownNodes } from '../../db/views/network'
import { refuse, type RefusalCode } from '../../domain/refusals'
import { newApiKey, prefixOf } from '../key-text'
import { command } from '../command'
import { may, roles } from '../permissions'
import { refuseField } from '../problem'
import { listRoute } from '../list-route'
import { created, ok } from '../route'
import { apiKeyAnswer, apiKeyBody, madeApiKeyAnswer } from '../schemas/api-keys'
import { uuid } from '../schemas/fields'

const tag = 'Safety'

const listKeys = listRoute({
  path: '/v1/api-keys',
  tag,
  summary: 'API keys, newest first, revoked ones too; never the keys themselves',
  roles: may.manageKeys,
  filter: { role: z.enum(roles).optional() },
  item: apiKeyAnswer,
  key: uuid,
  find: (ctx, { from, limit }) => apiKeyList(ctx.db, { ...ctx.query, before: from, limit }),
  keyOf: (key) => key.apiKeyId,
})

type Body = z.output<typeof apiKeyBody>

/** Between the transaction and the answer, per request: the text is kept nowhere. */
const made = new WeakMap<Body, string>()

const makeKey = command({
  method: 'post',
  path: '/v1/api-keys',
  tag,
  summary: 'Make a key',
  description: 'The key is in this answer and nowhere else; only its hash is kept. Answers to repeats of this request do not have it.',
  roles: may.manageKeys,
  body: apiKeyBody,
  answers: { 201: madeApiKeyAnswer },
  async run(ctx, tx) {
    const { body, actor } = ctx
    await needPlaces(tx, body)
    const key = newApiKey()
    const apiKeyId = await makeApiKey(tx, { ...body, key, prefix: prefixOf(key), actor })
    await writeAudit(tx, { actor, action: 'api_key.create', subject: apiKeyId, cause: `role ${body.role}` })
    made.set(body, key)
    return created({ ...(await apiKeyView(tx, apiKeyId))!, apiKey: null })
  },
  after: (ctx, answer) => Promise.resolve({ ...answer, body: { ...(answer.body as object), apiKey: made.get(ctx.body) ?? null } }),
})

/** @throws `channel.unknown`, `node.unknown`, `driver.unknown`, with the field */
async function needPlaces(tx: Transaction, { channels, nodes, driverId, expiresAt }: Body): Promise<void> {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) throw refuseField('/expiresAt', 'Must be in the future')
  const unknown = (code: RefusalCode, pointer: string, data: object): Error => refuse(code, { ...data }, undefined, [{ pointer, message: 'Is not known' }])
  for (const [i, channel] of channels.entries()) if (!(await findChannel(tx, channel))) throw unknown('channel.unknown', `/channels/${i}`, { channel })
  const [nodeId] = await unknownNodes(tx, nodes)
  if (nodeId !== undefined) throw unknown('node.unknown', `/nodes/${nodes.indexOf(nodeId)}`, { nodeId })
  if (driverId !== undefined && !(await findDriver(tx, driverId))) throw unknown('driver.unknown', '/driverId', { driverId })
}

const revokeKey = command({
  method: 'post',
  path: '/v1/api-keys/{apiKeyId}/revoke',
  tag,
  summary: 'Revoke a key',
  description: 'It stops working within five seconds, in every process. The last key of role admin cannot be revoked.',
  roles: may.manageKeys,
  params: z.strictObject({ apiKeyId: uuid }),
  body: z.strictObject({}),
  answers: { 200: apiKeyAnswer },
  async run(ctx, tx) {
    const { apiKeyId } = ctx.params
    await revokeApiKey(tx, { apiKeyId, actor: ctx.actor, demo: ctx.deps.config.DEMO })
    return ok((await apiKeyView(tx, apiKeyId))!)
  },
})

export const apiKeyRoutes = [listKeys, makeKey, revokeKey]
