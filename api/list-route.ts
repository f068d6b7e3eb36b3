/** A list that is read in pages: what every one of them does with `limit` and `cursor`, so that a route says only what is listed and by which key. */
import { z } from 'zod'
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
}

export function listRoute<Key, Row, P extends z.ZodType = Nothing, Filter extends z.ZodRawShape = Record<never, never>>({ filter, item, key, keyOf, find, ...fields }: ListSpec<P, Filter, Key, Row>): Route {
  return route({
    ...fields,
    method: 'get',
    query: z.strictObject({ ...paging, ...filter }),
    answers: { 200: listOf(item) },
    async run(ctx) {
      const { cursor, limit, ...rest } = ctx.query
      const found = await find({ ...ctx, key: ctx.key, query: rest } as Parameters<typeof find>[0], { from: readCursor(cursor, key), limit: limit + 1 })
      return ok(pageOf(found, limit, keyOf))
    },
  })
}
