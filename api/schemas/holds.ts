/** Holds as they are asked for and shown. */
import { z } from 'zod'
import { holdEndings, holdOwners, holdSteps } from '../../domain/order/holds'
import { at, instant, minor, text, uuid } from './fields'

export const holdType = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/, 'Must be a word: letters, digits, _ . -')
export const blocks = z.array(z.enum(holdSteps)).min(1).max(holdSteps.length).refine((steps) => new Set(steps).size === steps.length, 'Name each step once')

export const holdBody = z
  .strictObject({
    type: holdType.meta({ description: 'What kind of hold it is, in a word of yours: `address`, `customer`, `quality`' }),
    reason: text(500),
    blocks: blocks.meta({ description: 'The steps that are stopped' }),
    owner: z.enum(holdOwners).optional().meta({ description: 'Who may release it; the role of who places it unless told otherwise. An admin may release any' }),
    deadline: instant.optional().meta({ description: 'When it ends by itself, or is told to somebody' }),
    atDeadline: z.enum(holdEndings).optional().meta({ description: 'At the deadline: `release` it, `cancel` the order, or `escalate` (an exception for its owner); the last unless told otherwise' }),
    approvals: z.int().min(1).max(5).optional().meta({ description: 'So many people have to release it, none of whom is who placed it' }),
  })
  .superRefine((hold, ctx) => {
    if (hold.atDeadline !== undefined && hold.deadline === undefined) ctx.addIssue({ code: 'custom', path: ['deadline'], message: 'Is needed to say what happens then' })
  })

export const holdAnswer = z
  .object({
    holdId: z.string(),
    type: z.string(),
    blocks: z.array(z.enum(holdSteps)),
    reason: z.string(),
    owner: z.string(),
    placedBy: z.string(),
    placedAt: at,
    deadline: at.nullable(),
    atDeadline: z.enum(holdEndings),
    approvals: z.object({ needed: z.int(), askedBy: z.string(), approvedBy: z.array(z.string()) }).nullable().meta({ description: 'Where several people have to say yes: how many, and who has' }),
  })
  .meta({ id: 'Hold' })

export const waitingHold = z.object({ ...holdAnswer.shape, orderId: uuid, channel: z.string(), channelOrderId: z.string() })

export const holdPreview = z
  .object({
    preview: z.literal(true),
    blocks: z.array(z.enum(holdSteps)),
    askedBack: z.array(z.object({ fulfillmentId: z.string(), nodeId: z.string(), status: z.string() })).meta({ description: 'Work that a node has to leave alone' }),
    money: z.object({ currency: z.string(), notAuthorizedMinor: minor }),
  })
  .meta({ id: 'HoldPreview' })
