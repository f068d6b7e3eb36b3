/** The control calls both simulators have: faults, outages, and how webhooks are delivered. Not part of any real provider's API. */
import express, { type ErrorRequestHandler, type Router } from 'express'
import { checkBody, ControlRefusal, oneOf, required, wholeNumber, words, yesOrNo } from './control-body'
import type { Deliveries } from './deliveries'
import type { FaultQueue, Outage } from './faults'

export interface Controls {
  faults: FaultQueue
  outage: Outage
  deliveries: Deliveries
  kinds: readonly string[]
  operations: readonly string[]
  /** Who shares the simulator, where several do: a fault or an outage may hit one of them. */
  carriers?: readonly string[]
  /** Kinds of fault that make sense for one operation only. */
  onlyFor?: Readonly<Record<string, string>>
}

/** An hour: longer delays than that are a slip of the pen. */
export const longestDelayMs = 3_600_000

export function controlRoutes(controls: Controls): Router {
  const routes = express.Router()
  routes.use(express.json({ type: () => true }))
  faultRoutes(routes, controls)
  outageRoutes(routes, controls)
  webhookRoutes(routes, controls.deliveries)
  return routes
}

/** Closes a control router: what no route took is named, what a route refused is said. */
export function closeControl(routes: Router): Router {
  routes.use((request) => {
    throw new ControlRefusal(404, `no such control call: ${request.method} ${request.originalUrl}`)
  })
  routes.use(answerRefusal)
  return routes
}

const answerRefusal: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  const status = error.status ?? 500
  response
    .status(status)
    .json({ error: { message: error instanceof ControlRefusal || status >= 500 ? error.message : `the body is not JSON: ${error.message}` } })
}

function faultRoutes(routes: Router, { faults, kinds, operations, carriers = [], onlyFor = {} }: Controls): void {
  const answer = (): object => ({ pending: faults.pending() })
  routes.get('/faults', (_request, response) => void response.json(answer()))
  routes.delete('/faults', (request, response) => {
    const { about } = request.query
    faults.clear(typeof about === 'string' ? about : undefined)
    response.json(answer())
  })
  routes.post('/faults', (request, response) => {
    const { next, kind, ...rest } = checkBody(request.body, {
      next: required(wholeNumber(1_000_000)),
      kind: required(oneOf(kinds)),
      delayMs: wholeNumber(longestDelayMs),
      operation: oneOf(operations),
      afterEffect: yesOrNo,
      carrier: oneOf(carriers),
      about: words,
    })
    const only = onlyFor[kind]
    if (only && rest.operation && rest.operation !== only) throw new ControlRefusal(400, `operation: ${kind} is possible for ${only} only`)
    if (rest.afterEffect && kind !== 'error_500') throw new ControlRefusal(400, 'afterEffect: possible for error_500 only')
    faults.add({ kind, ...rest, operation: only ?? rest.operation }, next)
    response.json(answer())
  })
}

function outageRoutes(routes: Router, { outage, carriers = [] }: Controls): void {
  routes.get('/outage', (_request, response) => void response.json({ outage: outage.active() }))
  routes.delete('/outage', (request, response) => {
    const { about } = request.query
    outage.clear(typeof about === 'string' ? about : undefined)
    response.json({ outage: outage.active() })
  })
  routes.post('/outage', (request, response) => {
    const { ms, until, carrier, about } = checkBody(request.body, { ms: wholeNumber(longestDelayMs), until: oneOf(['cleared']), carrier: oneOf(carriers), about: words })
    if ((ms === undefined) === (until === undefined)) throw new ControlRefusal(400, 'give either ms, or until: "cleared"')
    outage.start(ms, carrier ?? about)
    response.json({ outage: outage.active() })
  })
}

/** The body is the whole setting: what it does not name goes back to its default. */
function webhookRoutes(routes: Router, deliveries: Deliveries): void {
  routes.get('/webhooks', (_request, response) => void response.json(deliveries.settings()))
  routes.post('/webhooks', (request, response) => {
    deliveries.configure(checkBody(request.body, { duplicate: yesOrNo, shuffle: yesOrNo, delayMs: wholeNumber(longestDelayMs) }))
    response.json(deliveries.settings())
  })
}
