/**
 * The policies that orders of one channel live by: rules that are for it change what the policy says, from top to bottom, so that the last one that speaks of a field
 * has the word. Fences are added up instead: a rule never opens what the policy or another rule has closed.
 */
import { isForChannel, type ChannelFacts } from './channel-facts'
import { durationMs } from './duration'
import type { Policies, PromiseChannelRule, PromisePolicy } from './kinds'
import type { SourcingChannelRule, SourcingFences, SourcingPolicy } from './sourcing'

/** What is changed about the channel later changes nothing of what was sold: the answer is kept with the order. Where no rule is for some channels only, it is the policies themselves. */
export function policiesFor<Known extends Policies>(policies: Known, channel: ChannelFacts): Known {
  const [sourcing, promise, returns] = [sourcingFor(policies.sourcing, channel), promiseFor(policies.promise, channel), returnsFor(policies.returns, channel)]
  const same = sourcing === policies.sourcing && promise === policies.promise && returns === policies.returns
  return same ? policies : { ...policies, sourcing, promise, returns }
}

/** Of the rules of returns only those that are for the channel: which of them governs a line is seen when it comes back. */
function returnsFor(policy: Policies['returns'], channel: ChannelFacts): Policies['returns'] {
  const { rules } = policy
  const own = rules?.filter((rule) => isForChannel(rule, channel) && (rule.terms?.some((name) => name === channel.returnTerms) ?? true))
  return !own || own.length === rules!.length ? policy : { ...policy, rules: own }
}

type Sourcing = Pick<SourcingPolicy, 'fences' | 'costs' | 'consolidateAt' | 'channelRules' | 'appliedRules'>

export const sourcingFor = <Policy extends Sourcing>(policy: Policy, channel: ChannelFacts): Policy => ruled<SourcingChannelRule, Policy>(policy, channel, changeSourcing)

export const promiseFor = (policy: PromisePolicy, channel: ChannelFacts): PromisePolicy => ruled(policy, channel, changePromise)

type Ruled<Rule> = { channelRules?: readonly Rule[]; appliedRules?: readonly string[] }

function ruled<Rule extends SourcingChannelRule | PromiseChannelRule, Policy extends Ruled<Rule>>(policy: Policy, channel: ChannelFacts, change: (policy: Policy, rule: Rule) => Policy): Policy {
  if (!policy.channelRules) return policy
  const { channelRules: _, ...said } = policy
  const rules = policy.channelRules.filter((rule) => isForChannel(rule, channel))
  const own = rules.reduce(change, said as Policy)
  return rules.length ? { ...own, appliedRules: rules.map((r) => r.name) } : own
}

/** @param rule as it is written; for whom it is does not count here */
export function changeSourcing<Policy extends Sourcing>(policy: Policy, { name: _, channels: _ids, channelKinds: _kinds, channelFlags: _flags, fences, costs, consolidateAt, ...said }: SourcingChannelRule): Policy {
  const { consolidateAt: before, ...known } = policy
  const gathered = consolidateAt === undefined ? before : (consolidateAt ?? undefined)
  return {
    ...known,
    ...said,
    ...(fences && { fences: bothFences(policy.fences, fences) }),
    ...(costs && policy.costs && { costs: { ...policy.costs, ...costs } }),
    ...(gathered !== undefined && { consolidateAt: gathered }),
  } as Policy
}

const changePromise = (policy: PromisePolicy, { name: _, channels: _ids, channelKinds: _kinds, channelFlags: _flags, prices, collect, whenLate, ...said }: PromiseChannelRule): PromisePolicy => ({
  ...policy,
  ...said,
  ...(prices && { prices: { ...policy.prices, ...prices } }),
  ...(collect && { collect: { ...policy.collect, ...collect } }),
  ...(whenLate && { whenLate: { ...policy.whenLate, ...whenLate } }),
})

/** What passes is what passes either. */
export function bothFences(one: SourcingFences, other: Partial<SourcingFences>): SourcingFences {
  const types = union(one.excludeTypes, other.excludeTypes)
  const maxDistanceKm = least(one.maxDistanceKm, other.maxDistanceKm, (km) => km)
  const openWithin = least(one.openWithin, other.openWithin, durationMs)
  return {
    excludeNodes: union(one.excludeNodes, other.excludeNodes),
    ...(types.length > 0 && { excludeTypes: types }),
    ...(maxDistanceKm !== undefined && { maxDistanceKm }),
    sameCountry: one.sameCountry || (other.sameCountry ?? false),
    ...(openWithin !== undefined && { openWithin }),
    leastTrust: Math.max(one.leastTrust, other.leastTrust ?? 0),
  }
}

const union = <T extends string>(one: readonly T[] = [], other: readonly T[] = []): T[] => [...new Set([...one, ...other])].sort()

const least = <T>(one: T | undefined, other: T | undefined, size: (of: T) => number): T | undefined =>
  one === undefined ? other : other === undefined || size(one) <= size(other) ? one : other

/** An order that is planned again by another version: by what that one prefers, behind its own fences too, and no further apart than it was sold. */
export const withinOwn = (policy: SourcingPolicy, own: SourcingPolicy): SourcingPolicy => ({
  ...policy,
  fences: bothFences(policy.fences, own.fences),
  maxShipments: Math.min(policy.maxShipments, own.maxShipments),
  splitLines: policy.splitLines && own.splitLines,
})
