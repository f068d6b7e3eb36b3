/** What the audit says of a command that has no words of its own: read off its route, so that no command can forget to leave a row. */
import type { AuditEntry } from '../db/audit'
import type { Answer, Ctx, Route } from './route'

/** `POST /v1/runs/{runId}/accept` is `run.accept` of that run; `POST /v1/orders` is `order.create` of the order it made. The cause is the request, whose id is in the log too. */
export function auditOf({ path, answers }: Pick<Route, 'path' | 'answers'>, { actor, requestId, params }: Pick<Ctx, 'actor' | 'requestId' | 'params'>, answer: Answer): AuditEntry {
  return { actor, action: actionOf(path, 201 in answers), subject: subjectOf(path, params, answer), cause: `request:${requestId}` }
}

export function actionOf(path: string, creates: boolean): string {
  const words = path.split('/').slice(2)
  const last = nameOf(words.at(-1)!)
  if (creates) return `${singular(last)}.create`
  const noun = words.slice(0, -1).filter((word) => !word.startsWith('{')).at(-1)
  return noun === undefined ? `${singular(last)}.change` : `${singular(nameOf(noun))}.${last}`
}

const nameOf = (word: string): string => word.replaceAll('-', '_')
const singular = (noun: string): string => noun.replace(/ies$/, 'y').replace(/s$/, '')

/** What was made, by its address; else what the path names last. A quote in a path is a whole document, and names nothing. */
function subjectOf(path: string, params: unknown, { headers }: Answer): string {
  const made = headers?.Location?.split('/').at(-1)
  if (made !== undefined) return made
  const given = params as Record<string, unknown>
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(given[name!])).at(-1)
  return named !== undefined && named.length <= 200 ? named : path
}
