/** The policy lab as it is asked and as it answers. */
import { z } from 'zod'
import { measures } from '../../domain/sourcing/bootstrap'
import { at, channelId, instant } from './fields'
import { sourcingDocument } from './sourcing-policy'

const version = z.int().min(1)

export const backTestBody = z
  .strictObject({
    from: instant.meta({ description: 'Orders placed from here on' }),
    to: instant.meta({ description: 'and before this' }),
    channel: channelId.optional(),
    draft: z.union([version, sourcingDocument]).meta({ description: 'A version of the sourcing policy, or a whole document that is none yet' }),
    against: version.optional().meta({ description: 'Absent: the version in force' }),
  })
  .refine((b) => Date.parse(b.from) < Date.parse(b.to), { message: 'Must be after from', path: ['to'] })
  .meta({ id: 'BackTestAsk' })

const difference = z.object({
  draft: z.number(),
  against: z.number(),
  difference: z.number().meta({ description: 'draft − against' }),
  low: z.number().meta({ description: 'With 95 % confidence the difference is no less, as far as chance in which orders came is meant' }),
  high: z.number(),
})
const load = z.object({ shipments: z.int(), units: z.int(), busiestDay: z.int().meta({ description: 'The most shipments on one local day' }) })

const result = z
  .object({
    orders: z.int().meta({ description: 'Those that were not called off' }),
    costsOf: z.enum(['draft', 'against']).nullable().meta({ description: 'By whose costs both were priced; null: neither policy has any' }),
    measures: z.record(z.enum(measures), difference.nullable()).meta({ description: 'Side by side; null where it cannot be said of both' }),
    load: z.array(z.object({ nodeId: z.string(), draft: load, against: load })),
  })
  .meta({ id: 'BackTestResult' })

export const backTestAccepted = z.object({ backTestId: z.string(), status: z.literal('running') })

export const backTestAnswer = z
  .object({
    backTestId: z.string(),
    status: z.enum(['running', 'done', 'failed']),
    from: at,
    to: at,
    channel: z.string().optional(),
    draft: z.object({ version: z.int().optional(), document: z.record(z.string(), z.unknown()) }),
    against: z.object({ version: z.int(), document: z.record(z.string(), z.unknown()) }),
    progress: z.object({ done: z.int(), of: z.int() }).meta({ description: 'Orders replayed, by either policy' }),
    result: result.optional(),
    failure: z.string().optional(),
    createdBy: z.string(),
    createdAt: at,
    endedAt: at.optional(),
  })
  .meta({ id: 'BackTest' })
