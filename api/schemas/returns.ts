/** Returns and replacements on the wire: what is asked for, what it would move, what has come of it. */
import { z } from 'zod'
import { feePers, refundTimes } from '../../domain/policy/returns'
import { returnLabelStatuses } from '../../db/views/return-label'
import { dispositions, grades, returnMethods, returnStatuses } from '../../domain/returns/status'
import { at, keptLineId, minor, nodeId, quantity, sku, text } from './fields'
import { guard, waitingOn } from './order-view'
import { lineTerms, proof } from './return-terms'
import { runOfTask } from './runs'

/** At most one entry per line, so that no refusal has to guess which is meant. */
const perLine = <Line extends z.ZodType<{ lineId: string }>>(line: Line): z.ZodArray<Line> =>
  z
    .array(line)
    .min(1)
    .max(500)
    .refine((lines) => new Set(lines.map((l) => l.lineId)).size === lines.length, 'Name each line once')

export const returnBody = z.strictObject({
  lines: perLine(z.strictObject({ lineId: keptLineId, quantity, reason: text(500) })),
  method: z.enum(['mail', 'store', 'courier']),
  proof: proof.optional(),
})

export const replacementBody = z.strictObject({
  lines: perLine(
    z
      .strictObject({
        lineId: keptLineId,
        quantity,
        sku: sku.optional().meta({ description: 'Absent: the same again' }),
        unitPriceMinor: minor.positive().optional().meta({ description: 'Of one new unit, as on the order: with tax where its prices include it. It is taxed at the rate of what it replaces. Absent: the same price as what it replaces was paid with' }),
        reason: text(500),
      })
      .refine((l) => l.unitPriceMinor === undefined || l.sku !== undefined, { path: ['unitPriceMinor'], message: 'The same again costs the same: name another SKU' }),
  ),
  send: z.enum(['now', 'on_receipt']).optional().meta({ description: 'Before the old goods are back or after, where they come by mail or to a store; absent: as the policy says. In advance their value may be held until they are back, and is taken if they are not' }),
  paymentMethod: text(255).optional().meta({ description: 'The provider’s token of the card on which is held what is to be held; absent: the one the customer paid with' }),
  collectOld: z.enum(['at_door', 'mail', 'store', 'none']).meta({ description: 'How the old goods come back; `at_door`: the driver who brings the new ones takes them along' }),
  proof: proof.optional(),
})

export const claimBody = z.strictObject({
  lines: perLine(z.strictObject({ lineId: keptLineId, quantity })),
  remedy: z.enum(['refund', 'replace', 'credit']).meta({ description: 'The goods stay with the customer; `credit` is store credit, of what was paid for them' }),
  reason: text(500),
})

const counted = { quantity, grade: z.enum(grades), disposition: z.enum(dispositions).meta({ description: 'What becomes of it; without meaning for a wrong item or an empty box' }) }

export const receiveBody = z.strictObject({
  nodeId,
  lines: z
    .array(z.strictObject({ lineId: keptLineId, ...counted }))
    .min(1)
    .max(500),
})

export const counterBody = z.strictObject({
  nodeId,
  lines: perLine(z.strictObject({ lineId: keptLineId, reason: text(500), counted: z.array(z.strictObject(counted)).min(1).max(20).meta({ description: 'Units of one line that look different stand apart' }) })),
  proof: proof.optional(),
})

const units = z.object({ lineId: z.string(), sku: z.string(), quantity: z.int() })
const override = z.record(z.string(), z.unknown()).optional().meta({ description: 'The rule that speaks against it, and is let through because one of us asks' })

export const returnPreview = z
  .object({
    preview: z.literal(true),
    approved: z.boolean().meta({ description: 'false: a person has to agree first' }),
    goods: z.array(units),
    terms: z.array(lineTerms).meta({ description: 'Of each line, by its own rule' }),
    override,
    needsApproval: z.boolean().optional().meta({ description: 'Of a claim: another person, of finance, has to agree first' }),
    money: z.object({
      currency: z.string(),
      refundMinor: minor,
      goodsMinor: minor.meta({ description: 'After their discount, without tax' }),
      taxMinor: minor,
      shippingMinor: minor,
      feeMinor: z.int().max(0).meta({ description: 'Kept of it; zero or below' }),
      countedMinor: minor.meta({ description: 'Given ahead by hand and counted now, as the payments have no more: not in `refundMinor`, and not owed' }),
      owedMinor: minor.meta({ description: 'What the payments have not, and the customer is owed: not in `refundMinor`, a case for finance' }),
      refundOn: z.enum(refundTimes),
    }),
  })
  .meta({ id: 'ReturnPreview' })

const goodsAndTax = z.object({ goodsMinor: minor.meta({ description: 'Without tax' }), taxMinor: minor })

export const replacementPreview = z
  .object({
    preview: z.literal(true),
    goods: z.object({ back: z.array(units), sent: z.array(units), sends: z.enum(['now', 'on_receipt']) }),
    override,
    money: z.object({
      currency: z.string(),
      guard: z.object({ amountMinor: minor, until: at }).optional().meta({ description: 'Held over the old goods, as the new ones leave before they are back; taken if they are not by then' }),
      chargeMinor: minor.meta({ description: 'What the new goods cost more: held first, taken when they leave' }),
      charge: goodsAndTax,
      refundMinor: minor.meta({ description: 'What the new goods cost less: given back when the old ones are there, or as `refundOn` says' }),
      refund: goodsAndTax,
      refundOn: z.enum(refundTimes),
      lines: z.array(units.extend({ paidMinor: minor.meta({ description: 'What was paid for the old units, shipping left out' }), deltaMinor: z.int() })),
    }),
  })
  .meta({ id: 'ReplacementPreview' })

export const returnAnswer = z
  .object({
    returnId: z.string(),
    orderId: z.string(),
    channel: z.string(),
    channelOrderId: z.string(),
    number: z.int(),
    status: z.enum(returnStatuses),
    method: z.enum(returnMethods),
    remedy: z.enum(['refund', 'replacement', 'credit']),
    requestedBy: z.string(),
    requestedAt: at,
    refundOn: z.enum(refundTimes).meta({ description: 'When its money is given back, as it was when it was asked for' }),
    dueAt: at,
    endedAt: at.nullable(),
    override: z.record(z.string(), z.unknown()).nullable(),
    proof: z.object({ photo: z.string(), receipt: z.string() }).partial().nullable(),
    label: z
      .object({ status: z.enum(returnLabelStatuses), carrier: z.string(), service: z.string(), trackingNumber: z.string().nullable(), nodeId: z.string().meta({ description: 'Where it goes' }), parcelStatus: z.string() })
      .nullable()
      .meta({ description: 'Of what comes by mail, printed at `/label.pdf`; given back where nobody uses it' }),
    noLabel: z.object({ code: z.string(), says: z.string() }).nullable().meta({ description: 'Why it comes by mail without a label of ours' }),
    waitingOn,
    lines: z.array(units.extend({ name: z.string(), reason: z.string(), rule: z.string().nullable(), feeMinor: minor, feePer: z.enum(feePers), received: z.int(), disputed: z.int().meta({ description: 'Counted, and not what was sent' }), paidBefore: z.int().meta({ description: 'Units that an earlier return was paid for and ended without: nothing is given for them again' }) })),
    receipts: z.array(z.object({ lineId: z.string(), nodeId: z.string(), quantity: z.int(), grade: z.string(), disposition: z.string(), actor: z.string(), at })),
    refunds: z.array(z.object({ paymentId: z.string(), tenderId: z.string(), amountMinor: minor, status: z.string() })),
    money: z
      .object({
        refundMinor: minor.meta({ description: 'Given back for it, as money or credit, or about to be' }),
        feeMinor: minor.meta({ description: 'Kept of it' }),
        countedMinor: minor.meta({ description: 'Given ahead by hand and counted for it, as the payments had no more' }),
        owedMinor: minor.meta({ description: 'What the payments had not, and finance has to give' }),
      })
      .meta({ description: 'So far; together what the goods were paid with' }),
    guard,
    currency: z.string(),
    run: runOfTask,
    allowedActions: z.array(z.string()),
  })
  .meta({ id: 'Return' })
