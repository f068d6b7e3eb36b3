/** Keeps channels and us in step: lists what a shop has and takes what never came, tells it of parcels and stock. A loop, as nothing of it is an order's own story. */
import type { Logger } from 'pino'
import { catchUp } from '../api/catch-up'
import type { Place } from '../api/shopify-topics'
import { tellWhatHappened, tellStock } from '../api/tell-channel'
import { dueForListing } from '../db/channel-sync'
import { startPump, type Pump } from './pump'

export interface ChannelSyncOptions extends Place {
  log: Logger
  everyMs?: number
  /** How long after one listing the next is due. */
  listEverySeconds?: number
}

export const startChannelSync = ({ db, deps, log, everyMs = 5_000, listEverySeconds = 300 }: ChannelSyncOptions): Pump =>
  startPump<never>({
    name: 'channel sync',
    concurrency: 1,
    idleMs: everyMs,
    log,
    take: async () => {
      for (const channel of await dueForListing(db, listEverySeconds)) {
        const found = await quietly(log, channel.channelId, () => catchUp({ db, deps }, channel))
        if (found && found.taken + found.changed + found.quarantined > 0) log.warn({ channel: channel.channelId, ...found }, 'a channel had what never came')
      }
      await quietly(log, 'parcels and cancellations', () => tellWhatHappened({ db, deps }))
      await quietly(log, 'stock', () => tellStock({ db, deps }))
      return []
    },
    handle: () => Promise.resolve(),
  })

/** A channel that does not answer is asked again the next time; its parcels have a row each that says so. */
async function quietly<Result>(log: Logger, what: string, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    log.warn({ err: error, what }, 'a channel could not be spoken to')
    return undefined
  }
}
