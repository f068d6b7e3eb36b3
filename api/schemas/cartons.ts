/** Cartons as they are set up, and the proposal of what to pack into which. */
import { z } from 'zod'
import { nodeId, text } from './fields'

export const cartonId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'Must be a carton id: letters, digits, - and _')
const sideMm = z.int().min(1).max(10_000)

export const cartonBody = z
  .strictObject({
    cartonId: cartonId.optional(),
    name: text(200),
    innerLengthMm: sideMm,
    innerWidthMm: sideMm,
    innerHeightMm: sideMm,
    maxWeightGrams: z.int().min(1).max(1_000_000).meta({ description: 'Of the goods and the carton together' }),
    tareGrams: z.int().min(0).max(100_000).default(0),
    costMinor: z.int().min(0).max(1_000_000).meta({ description: 'Ranks one carton against another: all in the same currency' }),
    nodes: z.array(nodeId).max(1_000).default([]).meta({ description: 'Which nodes have it; none named: all' }),
    active: z.boolean().default(true),
  })
  .refine((c) => c.tareGrams < c.maxWeightGrams, { path: ['tareGrams'], message: 'Must be below maxWeightGrams' })
  .meta({ id: 'CartonSettings' })

export const cartonAnswer = z
  .object({
    cartonId: z.string(),
    name: z.string(),
    innerLengthMm: z.int(),
    innerWidthMm: z.int(),
    innerHeightMm: z.int(),
    maxWeightGrams: z.int(),
    tareGrams: z.int(),
    costMinor: z.int(),
    nodes: z.array(z.string()),
    active: z.boolean(),
  })
  .meta({ id: 'Carton' })

const size = { lengthMm: z.int(), widthMm: z.int(), heightMm: z.int() }

export const proposalAnswer = z
  .object({
    fulfillmentId: z.string(),
    packages: z.array(
      z.object({
        cartonId: z.string(),
        name: z.string(),
        ...size,
        weightGrams: z.int().meta({ description: 'Expected: the goods and the carton' }),
        costMinor: z.int(),
        lines: z.array(z.object({ lineId: z.string(), quantity: z.int() })),
        placements: z
          .array(z.object({ lineId: z.string(), sku: z.string(), xMm: z.int(), yMm: z.int(), zMm: z.int(), ...size }))
          .meta({ description: 'Where each unit lies: its corner next to the carton’s, and how far it reaches from there' }),
      }),
    ),
    unpacked: z
      .array(z.object({ lineId: z.string(), sku: z.string(), quantity: z.int(), why: z.enum(['size_unknown', 'too_large', 'too_heavy']) }))
      .meta({ description: 'What no carton takes, and why' }),
    costMinor: z.int(),
  })
  .meta({ id: 'PackingProposal' })
