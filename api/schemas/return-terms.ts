/** The terms of returns as they may be written, per channel and category; and what a customer shows for hers. */
import { z } from 'zod'
import { feePers, proofs, refundTimes } from '../../domain/policy/returns'
import { category, duration, forChannels, minor, text } from './fields'

const reason = z.strictObject({ code: text(100), ourFault: z.boolean().optional().meta({ description: 'No fee is kept of what comes back for it' }) })
const reasons = z
  .array(reason)
  .min(1)
  .max(100)
  .refine((all) => new Set(all.map((r) => r.code)).size === all.length, 'Name each code once')

const finer = {
  feePer: z.enum(feePers).optional().meta({ description: '`return`: once of all its lines, the highest that fits them; `line`: of each line, whatever its quantity' }),
  reasons: reasons.optional().meta({ description: 'The codes a customer may give; absent: whatever she says' }),
  proof: z.enum(['none', ...proofs]).optional(),
}

const rule = z.strictObject({
  name: text(100),
  ...forChannels,
  terms: z.array(text(100)).min(1).max(100).optional().meta({ description: 'For channels whose `returnTerms` is one of these' }),
  categories: z.array(category).min(1).max(1_000).optional(),
  window: duration.optional(),
  feeMinor: minor.optional(),
  finalSale: z.boolean().optional(),
  flags: z.array(text(40)).min(1).max(20).optional().meta({ description: 'For orders that carry any of these marks' }),
  refundOn: z.enum(refundTimes).optional().meta({ description: 'When the money is given back; of lines that differ in one return, what takes longest' }),
  ...finer,
})

export const termsOfReturns = {
  ...finer,
  rules: z
    .array(rule)
    .max(200)
    .refine((all) => new Set(all.map((r) => r.name)).size === all.length, 'Name each rule once')
    .optional()
    .meta({ description: 'The first that fits the channel and the category of a line governs it; what it does not say, the policy says' }),
}

export const proof = z
  .strictObject({ photo: text(500).optional().meta({ description: 'Where it can be looked at' }), receipt: text(100).optional().meta({ description: 'The number on it' }) })
  .refine((p) => proofs.some((kind) => p[kind] !== undefined), 'Show a photo, a receipt, or both')

/** Of one line, in a preview. */
export const lineTerms = z.object({
  lineId: z.string(),
  rule: z.string().nullable().meta({ description: 'Which rule of the policy governs the line; null: none, but what it says of everything' }),
  window: z.string(),
  feeMinor: minor,
  feePer: z.enum(feePers),
  finalSale: z.boolean(),
  ourFault: z.boolean(),
  proof: z.enum(['none', ...proofs]),
  refundOn: z.enum(refundTimes),
})
