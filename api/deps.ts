/** What the api is given by its composition root, and hands to every route. */
import type { Logger } from 'pino'
import type { Config } from '../config'
import type { CallOutside } from '../adapters/outside/call'
import type { DestinationSettings } from '../adapters/outside/destination'
import type { Db } from '../db/connection'
import type { EventFeed } from './event-feed'
import type { Metrics } from './metrics'
import type { PromiseDesk } from '../activities/promise-desk'
import type { Quotes } from './quotes'
import type { OrderThreads } from './threads'

export interface RouteDeps {
  db: Db
  threads: OrderThreads
  log: Logger
  config: Pick<Config, 'DEMO' | 'COMMAND_DEADLINE_MS' | 'CUSTOMER_REF_SECRET' | 'QUOTE_SECRET'>
  /** Carrier services an order may name. */
  services: readonly string[]
  promises: PromiseDesk
  quotes: Quotes
  /** Called after intake commits: something is in the start queue. */
  wake: () => void
  /** Told how long each submit took. */
  observeIntake?: (ms: number) => void
  feed: EventFeed
  metrics: Metrics
  /** Where webhooks may go, and where channels may be. */
  destinations: DestinationSettings
  /** Calls the api of a channel, where it may be. */
  callOutside: CallOutside
  demo?: DemoAddresses
  /** Whether Temporal answers; absent: not reported. */
  ready?: () => Promise<boolean>
}

export interface DemoAddresses {
  temporalAddress: string
  temporalUi: string
  namespace: string
  simulators: { payments: string; carriers: string }
}
