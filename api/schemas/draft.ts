/** A draft as it is written down and shown: nearly everything may be missing until it is quoted or placed. */
import { z } from 'zod'
import { linkStatuses } from '../../db/draft-links'
import { shownStates } from '../../domain/draft/draft'
import { channelOrderId, contact, flags, orderBriefAnswer, shipTo, tender } from './order'
import { at, channelId, currency, instant, minor, nodeId, sku, text } from './fields'

const basisPoints = z.int('Must be a whole number of hundredths of a per cent').min(0).max(10_000).meta({ description: 'Hundredths of a per cent: 1900 is 19 %' })

const discount = z.union([z.strictObject({ amountMinor: minor, reason: text(200).optional() }), z.strictObject({ basisPoints, reason: text(200).optional() })])

const draftLine = z.strictObject({
  lineId: text(100),
  sku,
  quantity: z.int('Must be a whole number from 1 to 100,000').min(1).max(100_000),
  unitPriceMinor: minor,
  override: z.strictObject({ unitPriceMinor: minor, reason: text(200) }).optional().meta({ description: 'Another price than the usual one, and why. The order then bears the flag `price_override`, by which rules may hold it for another person’s yes' }),
  discount: discount.optional(),
  taxBasisPoints: basisPoints.optional(),
})

const fields = {
  channelOrderId: channelOrderId.optional().meta({ description: 'The order’s number; `D-<number>` of the draft where none is given' }),
  currency: currency.optional().meta({ description: 'Default: the channel’s' }),
  customer: contact.optional(),
  shipTo: shipTo.optional(),
  billTo: shipTo.optional(),
  delivery: z.strictObject({ method: z.enum(['delivery', 'pickup', 'ship_to_store', 'carry_out']), service: text(100).optional(), nodeId: nodeId.optional() }).optional(),
  lines: z.array(draftLine).max(500, 'At most 500 lines an order').default([]),
  discount: discount.optional().meta({ description: 'Off the goods as a whole, shared over the lines' }),
  shipping: z.strictObject({ priceMinor: minor.optional(), taxBasisPoints: basisPoints.optional() }).optional().meta({ description: 'Without a price, the quote says what the delivery costs' }),
  taxIncluded: z.boolean().default(true),
  note: text(1_000).optional().meta({ description: 'Between those who work on it; no part of the order' }),
  flags: flags.max(19).optional(),
  priority: z.int().min(0).max(9).optional(),
  claim: z.enum(['required', 'later']).optional(),
}
export const newDraft = z.strictObject({ channel: channelId, ...fields }).meta({ id: 'NewDraft' })
export type NewDraftBody = z.output<typeof newDraft>

/** As a patch leaves it; the channel stays. */
export const draftDocument = newDraft

/** A JSON merge patch on the draft. */
export const draftPatch = z.record(z.string().refine((name) => Object.hasOwn(fields, name), 'Unknown field'), z.unknown()).meta({ id: 'DraftPatch', description: 'JSON merge patch (RFC 7396): what is null goes, lists are replaced as a whole' })

export const placeBody = z
  .strictObject({
    tenders: z.array(tender).min(1).max(10).optional(),
    onTerms: z.strictObject({ dueAt: instant }).optional().meta({ description: 'In place of tenders: the goods go first, and all of it is to be paid by then. For support, operations and admin' }),
  })
  .refine((b) => (b.tenders === undefined) !== (b.onTerms === undefined), { path: ['tenders'], message: 'Give tenders or terms, one of both' })

export const quoteBody = z.strictObject({
  validUntil: instant.meta({ description: 'Until when prices and date hold' }),
  optionId: text(200).optional().meta({ description: 'Of several that fit the draft’s delivery; the cheapest is taken where none is named' }),
  hold: z.boolean().default(false).meta({ description: 'Keep the stock for it until then' }),
})

const quote = z.object({
  number: z.string(),
  validUntil: at,
  optionId: z.string(),
  method: z.string(),
  service: z.string(),
  nodeId: z.string().optional(),
  priceMinor: minor.meta({ description: 'What the delivery costs' }),
  promisedFrom: at,
  promisedBy: at,
  confidence: z.number(),
  reservation: z.object({ reservationId: z.string(), expiresAt: at }).optional(),
  givenBy: z.string(),
  givenAt: at,
})

const atPayBy = z.enum(['discard', 'reopen'])
const ending = { atPayBy: atPayBy.default('reopen').meta({ description: 'What happens when nobody has paid by then: the draft can be worked on again, or is thrown away' }) }

export const linkBody = z.strictObject({
  expiresAt: instant.meta({ description: 'From half an hour to a day ahead' }),
  returnTo: z.url({ protocol: /^https?$/ }).max(2_000).optional().meta({ description: 'Where the customer goes when she has paid. Default: the channel’s page of orders' }),
  ...ending,
})
export const laterBody = z.strictObject({ payBy: instant, ...ending })
export const paidBody = z.strictObject({ reference: text(200).meta({ description: 'Of the money that came: a line of an account statement, a receipt' }) })

const priced = z.object({ lineId: z.string(), sku: z.string(), quantity: z.int(), unitPriceMinor: minor, discountMinor: minor, taxMinor: minor, netMinor: minor })

export const draftAnswer = z
  .object({
    draftId: z.string(),
    number: z.string(),
    channel: z.string(),
    channelOrderId: z.string(),
    state: z.enum(shownStates),
    version: z.int(),
    currency: z.string(),
    document: z.record(z.string(), z.unknown()).meta({ description: 'As it was written down' }),
    totals: z.object({ lines: z.array(priced), goodsMinor: minor, discountMinor: minor, shipping: z.object({ priceMinor: minor, taxMinor: minor }), taxMinor: minor, totalMinor: minor }),
    missing: z.array(z.object({ pointer: z.string(), message: z.string() })).meta({ description: 'What an order needs and this has not yet' }),
    quote: quote.nullable(),
    payBy: at.nullable(),
    atPayBy: atPayBy.nullable(),
    paymentLink: z.object({ linkId: z.string(), status: z.enum(linkStatuses), url: z.string().nullable(), amountMinor: minor, currency: z.string(), expiresAt: at, lastError: z.string().nullable().meta({ description: 'Why there is none, or not yet' }) }).nullable().meta({ description: 'The last one; `url` is where the customer pays, once the provider has given it and while she can' }),
    orderId: z.string().nullable(),
    createdBy: z.string(),
    createdAt: at,
    updatedAt: at,
    endedAt: at.nullable(),
    endedBy: z.string().nullable(),
    endReason: z.string().nullable(),
    allowedActions: z.array(z.string()),
  })
  .meta({ id: 'Draft' })

export const draftSummary = z
  .object({ draftId: z.string(), number: z.string(), channel: z.string(), channelOrderId: z.string(), state: z.enum(shownStates), version: z.int(), currency: z.string(), totalMinor: minor, orderId: z.string().nullable(), createdBy: z.string(), createdAt: at, updatedAt: at })
  .meta({ id: 'DraftSummary' })

export const placedDraft = orderBriefAnswer.extend({ draftId: z.string() }).meta({ id: 'PlacedDraft' })
