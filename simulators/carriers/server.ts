/**
 * Three parcel carriers one can run at home, with a wire format of their own, each under a path of its own: they sell labels by their price lists, take
 * parcels over by manifest, move them by themselves and report every scan in a signed message. They keep books of their own and go wrong on demand.
 */
import express from 'express'
import { setMaxListeners } from 'node:events'
import { openBooks } from '../books'
import { controlRoutes } from '../control'
import { startDeliveries, type Deliveries, type Message } from '../deliveries'
import { faultQueue, outageSwitch } from '../faults'
import { listen } from '../listen'
import { timestampedSignature } from '../signature'
import { carrierNames } from './cards'
import { carrierControl } from './control'
import { eventBody, moveParcels, type CarrierDesk, type CarrierRecords, type Parcel, type TrackingEvent } from './parcels'
import { apiRoutes, faultKinds, operations } from './routes'

export interface CarrierSimulatorOptions {
  /** 0 takes any free port. */
  port: number
  /** Where scans are reported, `{carrier}` standing for who reports; while it is not known, reports wait. */
  webhookUrl?: string
  webhookSecret: string
  /** File the books are kept in; without it they end with the process. */
  statePath?: string
  /** After how long a manifested parcel is scanned by itself, 0 = never. Default 5000 and 20000. */
  inTransitMs?: number
  deliveredMs?: number
}

export interface CarrierSimulator {
  url: string
  port: number
  setWebhookUrl(url: string): void
  close(): Promise<void>
}

const tickMs = 50

export async function startCarrierSimulator(options: CarrierSimulatorOptions): Promise<CarrierSimulator> {
  let webhookUrl = options.webhookUrl
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const books = openBooks<CarrierRecords>({ path: options.statePath })
  const deliveries = startDeliveries({
    target: ({ sender = '' }) => webhookUrl?.replace('{carrier}', sender),
    sign: (body, atSeconds) => ({ 'Carrier-Signature': timestampedSignature(options.webhookSecret, body, atSeconds) }),
    done: (id) => {
      books.drop('pending', id)
      books.commit()
    },
  })
  const desk: CarrierDesk = {
    books,
    faults: faultQueue(),
    deliver: (event, { duplicate, delayMs }) => {
      books.put('pending', { id: event.id, duplicate, dueMs: delayMs === undefined ? undefined : Date.now() + delayMs })
      deliveries.post(messageOf(event), { duplicate, delayMs })
    },
    moving: new Set(
      books
        .all('parcel')
        .filter(isMoving)
        .map((parcel) => parcel.id),
    ),
    pace: { inTransitMs: options.inTransitMs ?? 5_000, deliveredMs: options.deliveredMs ?? 20_000 },
    stop: stop.signal,
  }
  const clock = setInterval(() => moveParcels(desk), tickMs)
  const shutDesk = async (): Promise<void> => {
    stop.abort()
    clearInterval(clock)
    await deliveries.close()
  }
  const listening = await listen(application(desk, deliveries), options.port).catch(async (cause: unknown) => {
    await shutDesk()
    books.close()
    throw cause
  })
  resumeDeliveries(desk, deliveries)
  const close = async (): Promise<void> => {
    await Promise.all([shutDesk(), listening.close()])
    books.close()
  }
  return { url: listening.url, port: listening.port, setWebhookUrl: (url) => void (webhookUrl = url), close }
}

function application(desk: CarrierDesk, deliveries: Deliveries): express.Express {
  const outage = outageSwitch()
  const app = express().disable('x-powered-by').disable('etag')
  app.use('/control', carrierControl(controlRoutes({ faults: desk.faults, outage, deliveries, kinds: faultKinds, operations, carriers: carrierNames }), desk))
  for (const carrier of carrierNames) app.use(`/${carrier}/v1`, outage.guard(carrier), apiRoutes(desk, carrier))
  return app
}

/** What was not delivered when the process ended is delivered now, or at the time it was put off to. */
function resumeDeliveries(desk: CarrierDesk, deliveries: Deliveries): void {
  for (const { id, dueMs, duplicate } of desk.books.all('pending')) {
    const event = desk.books.get('event', id)
    if (event) deliveries.post(messageOf(event), { duplicate, delayMs: dueMs === undefined ? undefined : Math.max(0, dueMs - Date.now()) })
  }
}

const isMoving = (parcel: Parcel): boolean => parcel.inTransitAtMs !== undefined || parcel.deliveredAtMs !== undefined

const messageOf = (event: TrackingEvent): Message => ({ id: event.id, body: eventBody(event), createdMs: event.atMs, sender: event.carrier })
