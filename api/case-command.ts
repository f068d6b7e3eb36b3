/** What a person does with something that waits for one, an exception or a quarantined message: it is held for the command, changed, and answered as it is then. */
import { z } from 'zod'
import type { Transaction } from '../db/connection'
import { command } from './command'
import { ok, type Ctx, type Nothing, type Route, type RouteFields } from './route'
import { uuid } from './schemas/fields'

export interface CaseKind<Held> extends Pick<RouteFields, 'tag' | 'roles'> {
  /** Of the collection: `/v1/exceptions`. */
  at: string
  /** What one is known by, in paths and answers. */
  id: string
  answer: z.ZodType
  /** Locked, so that two people do not decide at once. @throws where there is none, it has ended, or it is not theirs */
  hold(ctx: Pick<Ctx, 'key'>, tx: Transaction, id: string): Promise<Held>
  view(tx: Transaction, id: string): Promise<unknown>
}

export interface CaseDeed<Body extends z.ZodType, Held> extends Pick<RouteFields, 'summary' | 'description'> {
  verb: string
  body: Body
  /** With its audit row. */
  effect(tx: Transaction, held: Held, asked: z.output<Body> & { actor: string }): Promise<void>
  after?(ctx: Ctx, answer: { body: unknown }): Promise<void>
}

export const caseCommand =
  <Held>({ tag, roles, at, id, answer, hold, view }: CaseKind<Held>) =>
  <Body extends z.ZodType<object>>({ verb, body, effect, after, ...said }: CaseDeed<Body, Held>): Route =>
    command<z.ZodObject<Record<string, typeof uuid>>, Nothing, Body>({
      ...said,
      method: 'post',
      path: `${at}/{${id}}/${verb}`,
      tag,
      roles,
      params: z.strictObject({ [id]: uuid }),
      body,
      answers: { 200: answer },
      async run(ctx, tx) {
        const named = String(ctx.params[id])
        await effect(tx, await hold(ctx, tx, named), { ...(ctx.body as object), actor: ctx.actor } as z.output<Body> & { actor: string })
        return ok(await view(tx, named))
      },
      ...(after && { after: (ctx, given) => after(ctx, given) }),
    })
