/** What a sourcing policy must not say: of everybody, and of the channels that its rules single out. What is merged must be as sound as what is written whole. */
import { changeSourcing } from './channel-rules'
import { rulesThatMeet } from './rules-that-meet'
import type { SourcingPolicy } from './sourcing'

export interface Contradiction {
  path: (string | number)[]
  message: string
}
/** Of a node; undefined where that is not known. */
export type TypeOf = (nodeId: string) => string | undefined

/** @param typeOf absent: nothing is said of what depends on it */
export function contradictions(policy: SourcingPolicy, typeOf: TypeOf = () => undefined): Contradiction[] {
  const ofAll = ofEverybody(policy, typeOf)
  const seen = new Set<string>()
  const sets = rulesThatMeet(policy.channelRules ?? [])
  if (!sets) return [...ofAll, { path: ['channelRules'], message: 'They meet in too many ways to be held against each other: let fewer of them name channels and flags one by one' }]
  const ofSome = sets.flatMap((met) => broughtIn(policy, met, typeOf))
  return [...ofAll, ...ofSome.filter(({ path, message }) => !seen.has(`${path.join('/')} ${message}`) && seen.add(`${path.join('/')} ${message}`))]
}

/** Of these rules together: what holds in the end, at the rule with which it began to. */
function broughtIn(policy: SourcingPolicy, met: readonly number[], typeOf: TypeOf): Contradiction[] {
  const rules = policy.channelRules!
  const { channelRules: _, ...said } = policy
  const steps = met.reduce<SourcingPolicy[]>((all, i) => [...all, changeSourcing(all.at(-1)!, rules[i]!)], [said])
  const found = steps.map((step) => ofEverybody(step, typeOf))
  const isIn = (step: number, { path, message }: Contradiction): boolean => found[step]!.some((f) => f.message === message && f.path.join() === path.join())
  const ofCosts = met.filter((i) => rules[i]!.costs && !policy.costs).map((i) => ({ path: ['channelRules', i, 'costs'], message: 'The policy has no costs that could be others' }))
  return [
    ...ofCosts,
    ...found.at(-1)!.flatMap((contradiction): Contradiction[] => {
      const since = steps.findLastIndex((_step, k) => k > 0 && isIn(k, contradiction) && !isIn(k - 1, contradiction))
      if (since < 0) return []
      const before = met.slice(0, since - 1).map((i) => `"${rules[i]!.name}"`)
      const together = before.length ? ` (for channels that are also meant by ${before.join(', ')})` : ''
      return [{ path: ['channelRules', met[since - 1]!, ...contradiction.path], message: contradiction.message + together }]
    }),
  ]
}

function ofEverybody({ mode, rules, maxShipments, consolidateAt, splitLines, splitGuardMinor, fences: f, costs: c }: SourcingPolicy, typeOf: TypeOf): Contradiction[] {
  const found: Contradiction[] = []
  const say = (message: string, ...path: (string | number)[]): void => void found.push({ path, message })
  rules.forEach((rule, i) => rules.indexOf(rule) < i && say(`${rule} is named before`, 'rules', i))
  if (rules.includes('stores_first') && rules.includes('warehouses_first')) say('stores_first and warehouses_first contradict each other', 'rules')
  if (mode === 'cost' && !c) say('Mode cost needs costs', 'costs')
  if (maxShipments === 1 && splitLines) say('Lines cannot be split into one shipment: allow more in maxShipments', 'splitLines')
  if (maxShipments === 1 && consolidateAt !== undefined) say('There is nothing to gather with one shipment: allow more in maxShipments', 'consolidateAt')
  const hubType = consolidateAt === undefined ? undefined : typeOf(consolidateAt)
  if (consolidateAt !== undefined && (f.excludeNodes.includes(consolidateAt) || f.excludeTypes?.some((type) => type === hubType))) say('This node takes no orders by this policy', 'consolidateAt')
  if (maxShipments === 1 && splitGuardMinor > 0) say('There is nothing to guard with one shipment: allow more in maxShipments', 'splitGuardMinor')
  const reach = Math.max(0, ...(c?.rateCard ?? []).map((zone) => zone.upToKm))
  if (c && f.maxDistanceKm !== undefined && f.maxDistanceKm > reach) say(`Farther than the rate card reaches (${reach} km)`, 'fences', 'maxDistanceKm')
  c?.rateCard.forEach((zone, i) => c.rateCard.findIndex((z) => z.upToKm === zone.upToKm) < i && say(`Another zone ends at ${zone.upToKm} km`, 'costs', 'rateCard', i))
  return found
}
