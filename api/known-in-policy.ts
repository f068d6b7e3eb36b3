/** A rule that names a node or a channel that is not there is a rule nobody meant: policies are held against the network before they are written. */
import { unknownChannels } from '../db/channel-policies'
import type { Transaction } from '../db/connection'
import { nodeTypesOf } from '../db/views/network'
import type { ForChannels } from '../domain/policy/channel-facts'
import type { SourcingPolicy } from '../domain/policy/sourcing'
import { contradictions } from '../domain/policy/sourcing-contradictions'
import { refuse } from '../domain/refusals'
import { pointerTo } from './problem'

interface Named {
  id: string
  path: (string | number)[]
}

/** @param at where the document is in the body. @throws `node.unknown`, `channel.unknown`, `request.invalid` with every place */
export async function knownInSourcing(tx: Transaction, policy: SourcingPolicy, at: string[] = []): Promise<void> {
  await knownChannels(tx, policy, at)
  const named = [...nodesIn(policy, at), ...(policy.channelRules ?? []).flatMap((rule, i) => nodesIn(rule, [...at, 'channelRules', i]))]
  const types = await nodeTypesOf(tx, named.map((n) => n.id))
  const unknown = named.filter((n) => !types.has(n.id))
  if (unknown[0]) throw refuse('node.unknown', { nodeId: unknown[0].id }, undefined, unknown.map(({ id, path }) => ({ pointer: pointerTo(path), message: `No node ${id}` })))
  const errors = contradictions(policy, (nodeId) => types.get(nodeId)).map(({ path, message }) => ({ pointer: pointerTo([...at, ...path]), message }))
  if (errors[0]) throw refuse('request.invalid', {}, `${errors[0].pointer}: ${errors[0].message}`, errors)
}

function nodesIn({ fences, consolidateAt }: { fences?: { excludeNodes?: readonly string[] }; consolidateAt?: string | null }, at: (string | number)[]): Named[] {
  const excluded = (fences?.excludeNodes ?? []).map((id, i): Named => ({ id, path: [...at, 'fences', 'excludeNodes', i] }))
  return typeof consolidateAt === 'string' ? [...excluded, { id: consolidateAt, path: [...at, 'consolidateAt'] }] : excluded
}

/** @throws `channel.unknown` */
export async function knownChannels(tx: Transaction, { channelRules = [] }: { channelRules?: readonly ForChannels[] }, at: string[] = []): Promise<void> {
  const named = channelRules.flatMap((rule, i) => (rule.channels ?? []).map((id, k): Named => ({ id, path: [...at, 'channelRules', i, 'channels', k] })))
  const missing = await unknownChannels(tx, named.map((n) => n.id))
  const unknown = named.filter((n) => missing.has(n.id))
  if (unknown[0]) throw refuse('channel.unknown', { channel: unknown[0].id }, undefined, unknown.map(({ id, path }) => ({ pointer: pointerTo(path), message: `No channel ${id}` })))
}
