/** Speaks EasyPost's wire format to EasyPost's own client: shipments, rates, buy, refund, scan forms, trackers, claims, and webhooks signed as EasyPost signs them. */
import express, { type ErrorRequestHandler, type Express, type Router } from 'express'
import { createHmac } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { openBooks } from '../books'
import { closeControl, controlRoutes, longestDelayMs } from '../control'
import { checkBody, ControlRefusal, required, wholeNumber, words, yesOrNo } from '../control-body'
import { startDeliveries, type Deliveries } from '../deliveries'
import { faultQueue, outageSwitch } from '../faults'
import { listen } from '../listen'
import { eventJson } from './documents'
import { ApiError, apiRoutes, faultKinds, operations } from './routes'
import { newId, trackerOf, type EasyPostDesk, type EasyPostRecords } from './shipments'

export interface EasyPostSimulatorOptions {
  /** 0 takes any free port. */
  port: number
  apiKey: string
  webhookSecret: string
  /** While it is not known, events wait. */
  webhookUrl?: string
  /** File the books are kept in; without it they end with the process. */
  statePath?: string
}
export interface EasyPostSimulator {
  url: string
  /** What the client is told as its base URL. */
  baseUrl: string
  setWebhookUrl(url: string): void
  close(): Promise<void>
}

export async function startEasyPostSimulator(options: EasyPostSimulatorOptions): Promise<EasyPostSimulator> {
  let webhookUrl = options.webhookUrl
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const books = openBooks<EasyPostRecords>({ path: options.statePath })
  const deliveries = startDeliveries({
    target: () => webhookUrl,
    sign: (body) => ({ 'X-Hmac-Signature': `hmac-sha256-hex=${createHmac('sha256', options.webhookSecret.normalize('NFKD')).update(body).digest('hex')}` }),
    done: () => undefined,
  })
  const desk: EasyPostDesk = { books, faults: faultQueue(), deliver: (event, plan) => deliveries.post(event, plan), stop: stop.signal }
  const listening = await listen(application(desk, deliveries, options.apiKey), options.port)
  const close = async (): Promise<void> => {
    stop.abort()
    await Promise.all([deliveries.close(), listening.close()])
    books.close()
  }
  return { url: listening.url, baseUrl: `${listening.url}/v2/`, setWebhookUrl: (url) => void (webhookUrl = url), close }
}

function application(desk: EasyPostDesk, deliveries: Deliveries, apiKey: string): Express {
  const outage = outageSwitch()
  const app = express().disable('x-powered-by').disable('etag')
  app.use('/control', easyPostControl(controlRoutes({ faults: desk.faults, outage, deliveries, kinds: faultKinds, operations }), desk))
  app.use('/v2', outage.guard(), apiRoutes(desk, apiKey))
  app.use(answerError)
  return app
}

/** Its books, and a parcel made to report what a carrier would. */
function easyPostControl(routes: Router, desk: EasyPostDesk): Router {
  routes.get('/books', (_request, response) => void response.json({ shipments: desk.books.all('shipment'), claims: desk.books.all('claim') }))
  routes.post('/parcels/:trackingNumber', (request, response) => {
    const ask = checkBody(request.body, { status: required(words), detail: words, isReturn: yesOrNo, duplicate: yesOrNo, delayMs: wholeNumber(longestDelayMs) })
    const known = trackerOf(desk, request.params.trackingNumber)
    if (!known) throw new ControlRefusal(404, `no such parcel: ${request.params.trackingNumber}`)
    const tracker = { ...known, isReturn: ask.isReturn ?? known.isReturn, steps: [...known.steps, { status: ask.status, detail: ask.detail ?? ask.status, atMs: Date.now() }] }
    desk.books.put('tracker', tracker)
    const id = newId('evt')
    const event = { id, body: JSON.stringify(eventJson(id, tracker)), createdMs: Date.now() }
    desk.books.put('event', event)
    desk.books.commit()
    desk.deliver(event, { duplicate: ask.duplicate, delayMs: ask.delayMs })
    response.json({ eventId: id })
  })
  return closeControl(routes)
}

const answerError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  const { status = 500, message } = error
  const code = error instanceof ApiError ? error.code : 'INTERNAL_SERVER_ERROR'
  response.status(status).json({ error: { code, message, errors: [] } })
}
