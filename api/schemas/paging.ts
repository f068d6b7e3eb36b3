/** Lists come in pages that start after a key: `?limit`, `?cursor`, and `{items, nextCursor}`. A cursor is opaque to callers and checked like any input. */
import { z } from 'zod'
import { refuseField } from '../problem'

export const mostPerPage = 200

const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'Must be a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(mostPerPage))
  .default(50)
  .meta({ override: { type: 'integer', minimum: 1, maximum: mostPerPage, default: 50 } })

/** Query fields of every list. */
export const paging = { limit, cursor: z.string().max(1_000).optional() }

export const listOf = <Item extends z.ZodType>(item: Item): z.ZodObject<{ items: z.ZodArray<Item>; nextCursor: z.ZodNullable<z.ZodString> }> =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** Where the page before ended. @throws `request.invalid` for a cursor that was not given by us. */
export function readCursor<Key>(cursor: string | undefined, key: z.ZodType<Key>): Key | undefined {
  if (cursor === undefined) return undefined
  const read = key.safeParse(decode(cursor))
  if (!read.success) throw refuseField('/query/cursor', 'Must be a nextCursor of this list')
  return read.data
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/** Makes a page of rows that were read with a limit one higher than asked for: the extra one says that there is more. */
export function pageOf<Row>(rows: readonly Row[], limit: number, keyOf: (last: Row) => unknown): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const nextCursor = rows.length > limit && last !== undefined ? Buffer.from(JSON.stringify(keyOf(last))).toString('base64url') : null
  return { items, nextCursor }
}

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true')
