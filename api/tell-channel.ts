/** Tells shops what has left and what they can sell. What fails is tried again, and a parcel is looked for at the shop before it is told. */
import { ChannelFault, ChannelRefusal } from '../adapters/channels/channel-api'
import { channelsWithStock, intendTellings, leaseTellings, notTold, stockTellingEnded, stockToTell, stockTold, tellingStock, told, type ChannelOperation } from '../db/channel-operations'
import { clientOf } from './catch-up'
import type { Place } from './shopify-topics'

type Telling = { db: Place['db']; deps: Pick<Place['deps'], 'callOutside'> }

const parcelsAtOnce = 20
const levelsAtOnce = 200

/** @returns how many parcels were told. */
export async function tellParcels({ db, deps }: Telling): Promise<number> {
  await intendTellings(db)
  const due = await leaseTellings(db, parcelsAtOnce)
  let count = 0
  for (const operation of due) if (await tell({ db, deps }, operation)) count += 1
  return count
}

async function tell({ db, deps }: Telling, operation: ChannelOperation): Promise<boolean> {
  try {
    await told(db, operation, await clientOf(deps, operation).tellHandedOver(operation.payload))
    return true
  } catch (cause) {
    if (!(cause instanceof ChannelRefusal) && !(cause instanceof ChannelFault)) throw cause
    await notTold(db, operation, { message: cause.message, refused: cause instanceof ChannelRefusal })
    return false
  }
}

const lease = 60

/** @returns how many levels were told. A SKU that the shop does not have counts as told, until its level is another. */
export async function tellStock({ db, deps }: Telling): Promise<number> {
  let count = 0
  for (const { channelId, api, token } of await channelsWithStock(db)) {
    if (!(await tellingStock(db, channelId, lease))) continue
    try {
      const levels = await stockToTell(db, channelId, Object.keys(api.locations), levelsAtOnce)
      if (levels.length) await clientOf(deps, { api, token }).setStock(levels.map(({ sku, nodeId, quantity }) => ({ sku, locationId: api.locations[nodeId]!, quantity })))
      if (levels.length) await stockTold(db, channelId, levels)
      count += levels.length
    } finally {
      await stockTellingEnded(db, channelId)
    }
  }
  return count
}
