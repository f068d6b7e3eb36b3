/** What callers read where a field is wrong: what it must be, not what a library calls it. */
import { z } from 'zod'
import '../../adapters/schema-words'

const said = (schema: z.ZodType, given: unknown): string => schema.safeParse(given).error!.issues[0]!.message

it.each<[string, z.ZodType, unknown, string]>([
  ['an amount with decimals', z.object({ unitPriceMinor: z.int() }), { unitPriceMinor: 19.99 }, 'Must be a whole number of the smallest unit of the currency: 19.99 euros are 1999'],
  ['half a unit', z.object({ quantity: z.int() }), { quantity: 1.5 }, 'Must be a whole number'],
  ['a price as text', z.object({ unitPriceMinor: z.int() }), { unitPriceMinor: '1999' }, 'Must be a whole number of the smallest unit of the currency: 19.99 euros are 1999'],
  ['nothing', z.object({ name: z.string() }), {}, 'Is needed'],
  ['no choice', z.object({ method: z.enum(['mail', 'store']) }), {}, 'Is needed: one of mail, store'],
  ['another choice', z.enum(['mail', 'store']), 'pigeon', 'Must be one of mail, store'],
  ['the only choice', z.literal('EUR'), 'USD', 'Must be EUR'],
  ['an unknown operation', z.discriminatedUnion('op', [z.object({ op: z.literal('add') }), z.object({ op: z.literal('cancel') })]), { op: 'x' }, 'Must be one of add, cancel'],
  ['no shape at all', z.union([z.string(), z.int()]), true, 'Fits nothing that it may be'],
  ['too little', z.int().min(1), 0, 'Must be at least 1'],
  ['nothing where there must be something', z.int().positive(), 0, 'Must be above 0'],
  ['too much', z.int().max(9), 10, 'Must be at most 9'],
  ['an empty text', z.string().min(1), '', 'Must not be empty'],
  ['a long text', z.string().max(2), 'abc', 'Must have at most 2 characters'],
  ['an empty list', z.array(z.int()).min(1), [], 'Must not be empty'],
  ['a long list', z.array(z.int()).max(1), [1, 2], 'Must have at most 1 entry'],
  ['a list of another length', z.array(z.int()).length(2), [1], 'Must have 2 entries'],
  ['a step between', z.number().multipleOf(5), 7, 'Must be a multiple of 5'],
  ['an instant without its zone', z.iso.datetime({ offset: true }), '2026-03-01T09:30:00', 'Must be a date and time with its zone, e.g. 2026-03-01T09:30:00Z'],
  ['a name that a map may not have', z.record(z.string().regex(/^x/, 'Must begin with x'), z.int()), { y: 1 }, 'Must begin with x'],
  ['a pattern without words of its own', z.string().regex(/^a+$/), 'b', 'Must be as /^a+$/ says'],
])('says of %s what it must be', (_what, schema, given, words) => {
  expect(said(schema, given)).toBe(words)
})
