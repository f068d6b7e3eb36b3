/** The promise policy as it may be written. */
import { z } from 'zod'
import { defaultPolicies } from '../../domain/policy/kinds'
import { channelRule, channelRules } from './channel-rules'
import { duration } from './fields'

const confidence = z.number().gt(0).lt(1)
const prices = z.record(z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, 'Must be a service'), z.int().min(0).max(100_000_000))
const collect = z.strictObject({ withinKm: z.number().gt(0).max(1_000), stores: z.int().min(0).max(20) })
const [pick, handOver] = [z.enum(['tell', 're_source']), z.enum(['tell', 'faster_carrier'])]
const then = z.enum(['tell', 'new_promise']).optional()
const extraHandling = duration.optional().meta({ description: 'What nodes are given beyond the time they are known to take: dates are told as if the order came so much later' })

const rule = channelRule({
  confidence: confidence.optional(),
  quoteLifetime: duration.optional(),
  holdLifetime: duration.optional(),
  prices: prices.optional().meta({ description: 'Of the services it names; of all others the policy’s' }),
  collect: collect.partial().optional(),
  whenLate: z.strictObject({ pick, handOver, then }).partial().optional(),
  extraHandling,
})

export const promiseDocument = z.strictObject({
  confidence,
  quoteLifetime: duration,
  holdLifetime: duration,
  prices: prices.default(defaultPolicies.promise.prices),
  collect: collect.default(defaultPolicies.promise.collect),
  whenLate: z.strictObject({ pick: pick.default('tell'), handOver: handOver.default('tell'), then }).default(defaultPolicies.promise.whenLate),
  extraHandling,
  channelRules: channelRules(rule).optional(),
})
