/** A list that is read in pages: what every one of them does with `limit` and `cursor`, so that a route says only what is listed and by which key. */
import { z } from 'zod'
import { asksForLines, writeLines } from './lines'
import { refuseField } from './problem'
import { ok, route, type Ctx, type Nothing, type Route, type RouteFields } from './route'
import { listOf, pageOf, paging, readCursor } from './schemas/paging'

type Query<Filter extends z.ZodRawShape> = z.ZodObject<typeof paging & Filter, z.core.$strict>

export interface ListSpec<P extends z.ZodType, Filter extends z.ZodRawShape, Key, Row> extends Pick<RouteFields<P>, 'path' | 'tag' | 'summary' | 'description' | 'roles' | 'params'> {
  /** Query fields beside those of the pages. */
  filter?: Filter
  item: z.ZodType
  /** What rows are told apart and sorted by. */
  key: z.ZodType<Key>
  /** @param page after which key, and how many: one more than is shown */
  find(ctx: Ctx<z.output<P>, Omit<z.output<Query<Filter>>, 'cursor' | 'limit'>>, page: { from: Key | undefined; limit: number }): Promise<readonly Row[]>
  keyOf(last: Row): Key
  /** Whoever asks for NDJSON gets all of it in one answer, a line per row. */
  alsoAsLines?: true
}

export function listRoute<Key, Row, P extends z.ZodType = Nothing, Filter extends z.ZodRawShape = Record<never, never>>(spec: ListSpec<P, Filter, Key, Row>): Route {
  const { filter, item, key, keyOf, find, alsoAsLines, ...fields } = spec
  type Found = Parameters<typeof find>[0]
  const paged = route({
    ...fields,
    method: 'get',
    query: z.strictObject({ ...paging, ...filter }),
    answers: { 200: listOf(item) },
    ...(alsoAsLines && { lineShown: item }),
    async run(ctx) {
      const { cursor, limit, ...rest } = ctx.query
      const found = await find({ ...ctx, key: ctx.key, query: rest } as Found, { from: readCursor(cursor, key), limit: limit + 1 })
      return ok(pageOf(found, limit, keyOf))
    },
  })
  if (!alsoAsLines) return paged
  return {
    ...paged,
    async run(ctx, req, res) {
      res.vary('Accept')
      if (!asksForLines(req)) return paged.run(ctx, req, res)
      for (const name of ['limit', 'cursor']) if (req.query[name] !== undefined) throw refuseField(`/query/${name}`, 'Is for pages; as NDJSON all of it is one answer')
      await writeLines(res, (from, limit) => find({ ...ctx, key: ctx.key } as Found, { from, limit }), keyOf)
      return undefined
    },
  }
}
