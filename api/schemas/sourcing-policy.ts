/** The sourcing policy as it may be written. What contradicts itself is refused here, by field and reason. */
import { z } from 'zod'
import { defaultPolicies } from '../../domain/policy/kinds'
import { nodeTypes, sourcingRules, type SourcingPolicy } from '../../domain/policy/sourcing'
import { contradictions } from '../../domain/policy/sourcing-contradictions'
import { channelRule, channelRules } from './channel-rules'
import { duration, nodeId } from './fields'

const minor = z.int().min(0).max(100_000_000)
const kilometres = z.number().gt(0).max(20_100)

const tier = z.strictObject({ upToGrams: z.int().min(1).max(100_000_000), priceMinor: minor })
const rateZone = z.strictObject({ upToKm: kilometres, tiers: z.array(tier).min(1).max(50) })

const weights = {
  handlingMinor: minor.meta({ description: 'Work on a shipment, whatever is in it' }),
  pickWarehouseMinor: minor.meta({ description: 'Work on each unit in a warehouse' }),
  pickStoreMinor: minor.meta({ description: 'Work on each unit anywhere else' }),
  splitMinor: minor.meta({ description: 'Each shipment after the first' }),
  capacityMinor: minor.meta({ description: 'A shipment from a node that is full; half as busy costs a quarter' }),
  stockOutMinor: minor.meta({ description: 'Taking the last unit of a shelf; one of n costs the n-th part' }),
  markdownMinor: minor.meta({ description: 'A unit from a shelf that has no more than `markdownAbove`, while others have too much' }),
  markdownAbove: z.int().min(0).max(1_000_000),
  latenessMinor: minor.meta({ description: 'A shipment that is expected a day late' }),
}

const rateCard = z.array(rateZone).min(1).max(50).meta({ description: 'What sending costs, by distance and weight; a node beyond the last zone does not ship there' })

const costs = z
  .strictObject({
    rateCard,
    handlingMinor: weights.handlingMinor.default(0),
    pickWarehouseMinor: weights.pickWarehouseMinor.default(0),
    pickStoreMinor: weights.pickStoreMinor.default(0),
    splitMinor: weights.splitMinor.default(0),
    capacityMinor: weights.capacityMinor.default(0),
    stockOutMinor: weights.stockOutMinor.default(0),
    markdownMinor: weights.markdownMinor.default(0),
    markdownAbove: weights.markdownAbove.default(0),
    latenessMinor: weights.latenessMinor.default(0),
  })
  .meta({ id: 'SourcingCosts' })

const fence = {
  excludeNodes: z.array(nodeId).max(1_000),
  excludeTypes: z.array(z.enum(nodeTypes)).min(1).max(nodeTypes.length).optional().meta({ description: 'Nodes of these types take no orders' }),
  maxDistanceKm: kilometres.optional(),
  sameCountry: z.boolean(),
  openWithin: duration.optional().meta({ description: 'A node that is closed for longer takes no orders now' }),
  leastTrust: z.number().min(0).max(1),
}

const fences = z.strictObject({ ...fence, excludeNodes: fence.excludeNodes.default([]), sameCountry: fence.sameCountry.default(false), leastTrust: fence.leastTrust.default(0) })

const preferences = z.array(z.enum(sourcingRules)).min(1).max(sourcingRules.length)
const shipments = z.int().min(1).max(10)
const mode = z.enum(['simple', 'cost'])

const rule = channelRule({
  mode: mode.optional(),
  rules: preferences.optional(),
  maxShipments: shipments.optional(),
  splitLines: z.boolean().optional(),
  consolidateAt: nodeId.nullable().optional().meta({ description: 'null: nothing is gathered' }),
  splitGuardMinor: minor.optional(),
  fences: z.strictObject(fence).partial().optional().meta({ description: 'Beside those of the policy, never instead of them' }),
  costs: z.strictObject(weights).partial().optional().meta({ description: 'What weighs otherwise; the rate card is the same for all' }),
  retryEvery: duration.optional(),
  autoCancelAfter: duration.optional(),
})

const defaults = defaultPolicies.sourcing

export const sourcingDocument: z.ZodType<SourcingPolicy> = z
  .strictObject({
    mode,
    rules: preferences,
    maxShipments: shipments,
    splitLines: z.boolean().default(defaults.splitLines),
    consolidateAt: nodeId.optional().meta({ description: 'What would leave from several nodes is gathered at this one, which sends it as one' }),
    splitGuardMinor: minor.default(defaults.splitGuardMinor),
    fences: fences.default(fences.parse({})),
    costs: costs.optional(),
    retryEvery: duration,
    autoCancelAfter: duration,
    channelRules: channelRules(rule).optional(),
  })
  .superRefine((policy, context) => {
    if (context.issues.length > 0) return // what is no policy yet cannot contradict itself
    for (const { path, message } of contradictions(policy)) context.addIssue({ code: 'custom', path, message })
  })
