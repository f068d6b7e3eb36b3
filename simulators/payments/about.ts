/** Which payment a request is about, by its description: what faults, outages and silences are aimed at, as a shop knows the description before the payment exists. */
import type { Request } from 'express'
import type { Provider } from './records'

/** @param request under `/v1`, its form already read */
export function aboutOf(provider: Provider, request: Request): string | undefined {
  const [, inPath] = /payment_intents\/(pi_\w+)/.exec(request.originalUrl) ?? []
  const given = (request.method === 'GET' ? request.query : request.body) as Record<string, unknown> | undefined
  const id = inPath ?? given?.payment_intent
  const description = typeof id === 'string' ? provider.books.get('intent', id)?.description : given?.description
  return typeof description === 'string' ? description : undefined
}
