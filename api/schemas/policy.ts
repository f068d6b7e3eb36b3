/** Policy documents, per kind, as they may be written: the shapes of domain/policy/kinds.ts. */
import { z } from 'zod'
import { defaultPolicies, parcelRemedies, policyKinds, type Policies } from '../../domain/policy/kinds'
import { holdEndings, holdOwners, releasingFacts } from '../../domain/order/holds'
import { refundTimes } from '../../domain/policy/returns'
import { at, currency, duration, forChannels, limitName, minor, text } from './fields'
import { blocks, holdType } from './holds'
import { promiseDocument } from './promise-policy'
import { termsOfReturns } from './return-terms'
import { sourcingDocument } from './sourcing-policy'

const few = z.int().min(1).max(1_000)

const holdCondition = z.strictObject({
  ...forChannels,
  amount: z.strictObject({ fromMinor: minor, currency }).optional(),
  limit: limitName.optional().meta({ description: 'The total is at least what the channel gives under this name in its `limits`; where it gives nothing, no order is' }),
  addressDiffers: z.enum(['from_billing', 'from_earlier_orders']).optional(),
  firstOrder: z.literal(true).optional(),
  flags: z.array(text(40)).min(1).max(100).optional(),
  skus: z.array(text(100)).min(1).max(1_000).optional(),
})

const holdRule = z
  .strictObject({
    name: text(60),
    type: holdType,
    reason: text(200),
    when: holdCondition,
    blocks,
    owner: z.enum(holdOwners),
    endsAfter: duration.optional(),
    atDeadline: z.enum(holdEndings).optional(),
    approvals: z.int().min(1).max(5).optional(),
    releasedBy: z.enum(releasingFacts).optional(),
  })
  .refine((rule) => rule.atDeadline === undefined || rule.endsAfter !== undefined, { path: ['endsAfter'], error: 'Is needed to say what happens then' })

/** Fields that came later than the published ones may be left out; they take their default. */
export const policyDocuments = {
  payment: z.strictObject({
    deadline: duration,
    transferDeadline: duration.optional(),
    lookAgainEvery: duration.optional(),
    reauthorizeBefore: duration,
    fees: z.strictObject({ perMyriad: z.int().min(0).max(10_000), fixedMinor: z.int().min(0).max(1_000_000), toleranceMinor: z.int().min(0).max(1_000_000) }).optional(),
  }),
  sourcing: sourcingDocument,
  promise: promiseDocument,
  store_work: z.strictObject({
    acceptWithin: duration,
    handOverWithin: duration.default(defaultPolicies.store_work.handOverWithin),
    pickupWindow: duration,
    pickupReminder: duration.default(defaultPolicies.store_work.pickupReminder),
    whenUncollected: z.enum(['cancel', 'ask']).default(defaultPolicies.store_work.whenUncollected),
    receiveWithin: duration.default(defaultPolicies.store_work.receiveWithin),
    weightTolerance: z.number().min(0).max(1).default(defaultPolicies.store_work.weightTolerance),
  }),
  last_mile: z.strictObject({
    waveSize: few,
    waveWait: duration,
    attempts: few,
    nextAttemptAfter: duration.default(defaultPolicies.last_mile.nextAttemptAfter),
    departWithin: duration.default(defaultPolicies.last_mile.departWithin),
    returnWithin: duration.default(defaultPolicies.last_mile.returnWithin),
    radiusKm: z.number().gt(0).max(500).default(defaultPolicies.last_mile.radiusKm),
    etaWindow: duration.default(defaultPolicies.last_mile.etaWindow),
    roadFactor: z.number().min(1).max(5).default(defaultPolicies.last_mile.roadFactor),
    speedKmh: z.number().min(1).max(200).default(defaultPolicies.last_mile.speedKmh),
    stopMinutes: z.number().min(0).max(240).default(defaultPolicies.last_mile.stopMinutes),
    deliverWithin: duration.default(defaultPolicies.last_mile.deliverWithin),
  }),
  returns: z.strictObject({
    window: duration,
    restockBy: duration,
    feeMinor: minor.optional(),
    refundOn: z.enum(refundTimes).optional(),
    approval: z.enum(['automatic', 'by_staff']).optional(),
    finalSale: z.array(text(100)).max(1_000).optional(),
    replaceFirst: z.boolean().optional(),
    mailLabels: z.boolean().optional(),
    decideWithin: duration.optional(),
    whenUndecided: z.enum(['reject', 'ask']).optional(),
    closeAfter: duration.optional(),
    countWithin: duration.optional(),
    remindFor: duration.optional(),
    whenLost: z.enum(['refund', 'ask']).optional(),
    advance: z.strictObject({ hold: z.boolean() }).optional(),
    ...termsOfReturns,
  }),
  care: z.strictObject({ retryEvery: duration, customerRequests: z.strictObject({ approval: z.boolean(), decideWithin: duration }).optional() }),
  parcels: z.strictObject({
    lost: z.enum(parcelRemedies),
    damaged: z.enum(parcelRemedies),
    returned: z.enum(parcelRemedies),
    goodsBack: z.enum(['restock', 'inspect']),
    answerWithin: duration,
  }),
  holds: z.strictObject({
    rules: z.array(holdRule).max(50).refine((rules) => new Set(rules.map((r) => r.name)).size === rules.length, 'Names must differ'),
    fraud: z
      .strictObject({ when: holdCondition, blocks, answerWithin: duration, whenSilent: z.enum(holdEndings), reviewWithin: duration, whenUnreviewed: z.enum(holdEndings), reviewer: z.enum(holdOwners) })
      .optional(),
  }),
} as const satisfies { [Kind in keyof Policies]: z.ZodType<Policies[Kind]> }

export const policyKind = z.enum(policyKinds)
export const policyVersionNumber = z
  .string()
  .regex(/^[1-9]\d{0,8}$/)
  .transform(Number)
  .meta({ override: { type: 'integer', minimum: 1 } })

/** For the documentation: any of the kinds. */
export const anyPolicyDocument = z.union(Object.values(policyDocuments))

export const policyVersion = z
  .object({
    kind: policyKind,
    version: z.int(),
    status: z.enum(['draft', 'scheduled', 'active', 'retired']),
    document: z.record(z.string(), z.unknown()),
    activateAt: at.nullable(),
    createdBy: z.string(),
    createdAt: at.nullable(),
  })
  .meta({ id: 'PolicyVersion' })
