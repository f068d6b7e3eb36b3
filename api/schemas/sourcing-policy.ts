/** The sourcing policy as it may be written. What contradicts itself is refused here, by field and reason. */
import { z } from 'zod'
import { defaultPolicies } from '../../domain/policy/kinds'
import { sourcingRules, type SourcingPolicy } from '../../domain/policy/sourcing'
import { duration, nodeId } from './fields'

const minor = z.int().min(0).max(100_000_000)
const kilometres = z.number().gt(0).max(20_100)

const tier = z.strictObject({ upToGrams: z.int().min(1).max(100_000_000), priceMinor: minor })
const rateZone = z.strictObject({ upToKm: kilometres, tiers: z.array(tier).min(1).max(50) })

const costs = z
  .strictObject({
    rateCard: z.array(rateZone).min(1).max(50).meta({ description: 'What sending costs, by distance and weight; a node beyond the last zone does not ship there' }),
    handlingMinor: minor.default(0).meta({ description: 'Work on a shipment, whatever is in it' }),
    pickWarehouseMinor: minor.default(0).meta({ description: 'Work on each unit in a warehouse' }),
    pickStoreMinor: minor.default(0).meta({ description: 'Work on each unit anywhere else' }),
    splitMinor: minor.default(0).meta({ description: 'Each shipment after the first' }),
    capacityMinor: minor.default(0).meta({ description: 'A shipment from a node that is full; half as busy costs a quarter' }),
    stockOutMinor: minor.default(0).meta({ description: 'Taking the last unit of a shelf; one of n costs the n-th part' }),
    markdownMinor: minor.default(0).meta({ description: 'A unit from a shelf that has no more than `markdownAbove`, while others have too much' }),
    markdownAbove: z.int().min(0).max(1_000_000).default(0),
    latenessMinor: minor.default(0).meta({ description: 'A shipment that is expected a day late' }),
  })
  .meta({ id: 'SourcingCosts' })

const fences = z.strictObject({
  excludeNodes: z.array(nodeId).max(1_000).default([]),
  maxDistanceKm: kilometres.optional(),
  sameCountry: z.boolean().default(false),
  openWithin: duration.optional().meta({ description: 'A node that is closed for longer takes no orders now' }),
  leastTrust: z.number().min(0).max(1).default(0),
})

const defaults = defaultPolicies.sourcing

export const sourcingDocument: z.ZodType<SourcingPolicy> = z
  .strictObject({
    mode: z.enum(['simple', 'cost']),
    rules: z.array(z.enum(sourcingRules)).min(1).max(sourcingRules.length),
    maxShipments: z.int().min(1).max(10),
    splitLines: z.boolean().default(defaults.splitLines),
    consolidateAt: nodeId.optional().meta({ description: 'What would leave from several nodes is gathered at this one, which sends it as one' }),
    splitGuardMinor: minor.default(defaults.splitGuardMinor),
    fences: fences.default(fences.parse({})),
    costs: costs.optional(),
    retryEvery: duration,
    autoCancelAfter: duration,
  })
  .superRefine((policy, context) => {
    for (const { path, message } of contradictions(policy)) context.addIssue({ code: 'custom', path, message })
  })

function contradictions({ mode, rules, maxShipments, consolidateAt, splitLines, splitGuardMinor, fences: f, costs: c }: SourcingPolicy): { path: (string | number)[]; message: string }[] {
  const found: { path: (string | number)[]; message: string }[] = []
  const say = (message: string, ...path: (string | number)[]): void => void found.push({ path, message })
  rules.forEach((rule, i) => rules.indexOf(rule) < i && say(`${rule} is named before`, 'rules', i))
  if (rules.includes('stores_first') && rules.includes('warehouses_first')) say('stores_first and warehouses_first contradict each other', 'rules')
  if (mode === 'cost' && !c) say('Mode cost needs costs', 'costs')
  if (maxShipments === 1 && splitLines) say('Lines cannot be split into one shipment: allow more in maxShipments', 'splitLines')
  if (maxShipments === 1 && consolidateAt !== undefined) say('There is nothing to gather with one shipment: allow more in maxShipments', 'consolidateAt')
  if (consolidateAt !== undefined && f.excludeNodes.includes(consolidateAt)) say('This node takes no orders by this policy', 'consolidateAt')
  if (maxShipments === 1 && splitGuardMinor > 0) say('There is nothing to guard with one shipment: allow more in maxShipments', 'splitGuardMinor')
  const reach = Math.max(0, ...(c?.rateCard ?? []).map((zone) => zone.upToKm))
  if (c && f.maxDistanceKm !== undefined && f.maxDistanceKm > reach) say(`Farther than the rate card reaches (${reach} km)`, 'fences', 'maxDistanceKm')
  c?.rateCard.forEach((zone, i) => c.rateCard.findIndex((z_) => z_.upToKm === zone.upToKm) < i && say(`Another zone ends at ${zone.upToKm} km`, 'costs', 'rateCard', i))
  return found
}
