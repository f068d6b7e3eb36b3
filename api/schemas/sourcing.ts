/** Sourcing decisions as they are shown, and the question of a dry run. */
import { z } from 'zod'
import { at, channelId, country, minor, nodeId, quantity, sku, text, uuid } from './fields'
import { deliveryMethods } from './network'

const shortage = z.object({ sku: z.string(), wanted: z.int(), available: z.int() })
const parts = z.record(z.string(), z.number()).meta({ description: 'Named parts: minor units in mode cost, the measure of each rule in mode simple' })

export const sourcingDecision = z
  .object({
    mode: z.enum(['simple', 'cost']),
    policyVersion: z.int(),
    channelRules: z.array(z.string()).optional().meta({ description: 'The rules of the policy that are for the order’s channel; absent: none' }),
    chosen: z
      .object({
        shipments: z.array(z.object({ nodeId: z.string(), lines: z.array(z.object({ lineId: z.string(), sku: z.string(), quantity: z.int() })) })),
        gatheredAt: z.string().optional().meta({ description: 'The node at which all of it is gathered, and from which it is sent as one' }),
        reason: z.string(),
        parts,
        costMinor: z.int().optional(),
        atLeastMinor: z.int().optional().meta({ description: 'No plan costs less; below `costMinor` only where the search stopped early' }),
      })
      .optional()
      .meta({ description: 'Absent: it cannot be had all together, see `short`' }),
    candidates: z.array(
      z.object({
        nodeId: z.string(),
        distanceMeters: z.int().optional(),
        verdict: z.string().meta({ description: '`chosen`, the fence it failed, what it is short of, or by how much and of what it lost' }),
        parts: parts.optional(),
        missing: z.array(shortage).optional(),
      }),
    ),
    short: z.array(shortage),
  })
  .meta({ id: 'SourcingDecision' })

export const sourcingEntry = sourcingDecision.extend({ number: z.int(), at }).meta({ id: 'SourcingEntry' })

const thoughtOf = z
  .strictObject({
    channel: channelId,
    delivery: z.strictObject({ method: z.enum(deliveryMethods).default('delivery'), nodeId: nodeId.optional() }).default({ method: 'delivery' }),
    shipTo: z.strictObject({ country, postalCode: text(20).optional(), city: text(100).optional(), latitude: z.number().min(-90).max(90).optional(), longitude: z.number().min(-180).max(180).optional() }).optional(),
    lines: z.array(z.strictObject({ lineId: text(50).optional(), sku, quantity, unitPriceMinor: minor.default(0) })).min(1).max(500),
  })
  .meta({ id: 'OrderThoughtOf' })

export const dryRunBody = z
  .strictObject({ orderId: uuid.optional(), order: thoughtOf.optional(), version: z.int().min(1).optional().meta({ description: 'Any version of the sourcing policy; absent: the one in force' }) })
  .refine((b) => (b.orderId === undefined) !== (b.order === undefined), { message: 'Name an order by orderId, or describe one in order: one of the two', path: ['orderId'] })
  .meta({ id: 'SourcingDryRun' })
export type ThoughtOf = z.output<typeof thoughtOf>
