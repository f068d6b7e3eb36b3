/** Tells shops what has left and what they can sell. What fails is tried again, and a parcel is looked for at the shop before it is told. */
import { ShopFault, ShopRefusal } from '../adapters/channels/shopify/admin-api'
import { channelsWithStock, intendTellings, leaseTellings, notTold, stockTellingEnded, stockToTell, stockTold, tellingStock, told, type ChannelOperation } from '../db/channel-operations'
import type { Db } from '../db/connection'
import { shopOf } from './catch-up'

const parcelsAtOnce = 20
const levelsAtOnce = 200

/** @returns how many parcels were told. */
export async function tellParcels(db: Db): Promise<number> {
  await intendTellings(db)
  const due = await leaseTellings(db, parcelsAtOnce)
  let count = 0
  for (const operation of due) if (await tell(db, operation)) count += 1
  return count
}

async function tell(db: Db, operation: ChannelOperation): Promise<boolean> {
  try {
    await told(db, operation, await shopOf(operation).tellHandedOver(operation.payload))
    return true
  } catch (cause) {
    if (!(cause instanceof ShopRefusal) && !(cause instanceof ShopFault)) throw cause
    await notTold(db, operation, { message: cause.message, refused: cause instanceof ShopRefusal })
    return false
  }
}

const lease = 60

/** @returns how many levels were told. A SKU that the shop does not have counts as told, until its level is another. */
export async function tellStock(db: Db): Promise<number> {
  let count = 0
  for (const { channelId, api, token } of await channelsWithStock(db)) {
    if (!(await tellingStock(db, channelId, lease))) continue
    try {
      const levels = await stockToTell(db, channelId, Object.keys(api.locations), levelsAtOnce)
      if (levels.length) await shopOf({ api, token }).setStock(levels.map(({ sku, nodeId, quantity }) => ({ sku, locationId: api.locations[nodeId]!, quantity })))
      if (levels.length) await stockTold(db, channelId, levels)
      count += levels.length
    } finally {
      await stockTellingEnded(db, channelId)
    }
  }
  return count
}
