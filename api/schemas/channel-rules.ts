/** Rules of a policy that are for some channels: for whom each is, and what is otherwise for them. */
import { z } from 'zod'
import { forWhom } from '../../domain/policy/channel-facts'
import { mostRules } from '../../domain/policy/rules-that-meet'
import { forChannels, text } from './fields'

/** @param fields what it may say, none of which it must */
export const channelRule = <Fields extends z.core.$ZodLooseShape>(fields: Fields) =>
  z
    .strictObject({ name: text(100), ...forChannels, ...fields })
    .refine((rule) => forWhom.some((field) => field in rule), `Say for which channels it is: by ${forWhom.join(', ')}`)
    .refine((rule) => Object.keys(fields).some((field) => field in rule), 'Say what is otherwise for them')

export const channelRules = <Rule extends z.ZodType<{ name: string }>>(rule: Rule) =>
  z
    .array(rule)
    .max(mostRules)
    .refine((all) => new Set(all.map((r) => r.name)).size === all.length, 'Name each rule once')
    .meta({ description: 'All that are for the channel of an order change what the policy says, from top to bottom; kept with the order as they were when it was placed' })
