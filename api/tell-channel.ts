/** Tells channels what has left, what was cancelled and what they can sell. What fails is tried again, and is looked for at the channel before it is told. */
import { ChannelFault, ChannelRefusal } from '../adapters/channels/channel-api'
import { channelsWithStock, heardOf, intendTellings, leaseTellings, notTold, stockTellingEnded, stockToTell, stockTold, tellingStock, told, type ChannelOperation } from '../db/channel-operations'
import { clientOf } from './catch-up'
import type { Place } from './shopify-topics'

type Telling = { db: Place['db']; deps: Pick<Place['deps'], 'callOutside'> }

const tellingsAtOnce = 20
const levelsAtOnce = 200

/** Parcels and cancellations. @returns how many were told. */
export async function tellWhatHappened({ db, deps }: Telling): Promise<number> {
  await intendTellings(db)
  const due = await leaseTellings(db, tellingsAtOnce)
  let count = 0
  for (const operation of due) if (await tell({ db, deps }, operation)) count += 1
  return count
}

async function tell({ db, deps }: Telling, operation: ChannelOperation): Promise<boolean> {
  try {
    const client = clientOf(deps, operation)
    const { reference, pending } = operation.kind === 'parcel' ? await client.tellHandedOver(operation.payload) : await client.tellCancelled({ ...operation.payload, operationId: operation.operationId }, operation.reference)
    await (pending ? heardOf : told)(db, operation, reference)
    return pending !== true
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
  for (const { channelId, ...access } of await channelsWithStock(db)) {
    const client = clientOf(deps, access)
    const locations = access.api.kind === 'shopify' ? access.api.locations : {}
    if (!(await tellingStock(db, channelId, lease))) continue
    try {
      const levels = await stockToTell(db, channelId, Object.keys(locations), levelsAtOnce)
      if (levels.length) await client.setStock?.(levels.map(({ sku, nodeId, quantity }) => ({ sku, locationId: locations[nodeId]!, quantity })))
      if (levels.length) await stockTold(db, channelId, levels)
      count += levels.length
    } finally {
      await stockTellingEnded(db, channelId)
    }
  }
  return count
}
