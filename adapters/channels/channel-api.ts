/** What is asked of a channel's own api, whichever it is. What fails is a ChannelFault: it may have happened, and is looked for before it is done again. */

/** The channel said no, or may not be called: the same again will not be taken. */
export class ChannelRefusal extends Error {
  override name = 'ChannelRefusal'
}
/** The channel did not answer, or not so that one knows what it did. */
export class ChannelFault extends Error {
  override name = 'ChannelFault'
}

export interface Units {
  lineId: string
  quantity: number
}
export interface HandedOver {
  channelOrderId: string
  carrier: string
  trackingNumbers: readonly string[]
  lines: readonly Units[]
  /** Each by itself, where it was written down so. */
  packages?: readonly { trackingNumber: string; lines: readonly Units[] }[]
  handedOverAt?: string
}
export interface CancelledHere {
  channelOrderId: string
  /** The same through all attempts. */
  operationId: string
  /** Nothing of the order is left. */
  whole: boolean
  /** Otherwise: which units. */
  lines: readonly Units[]
  cause: CancelCause
}
export const cancelCauses = ['customer', 'fraud', 'stock', 'other'] as const
export type CancelCause = (typeof cancelCauses)[number]

/** What came of telling; `pending`: the channel has it, and has not done it yet. */
export interface Told {
  reference: string
  pending?: true
}
export interface StockLevel {
  sku: string
  locationId: string
  quantity: number
}
export interface Listed {
  /** As the channel's own messages write them. */
  orders: unknown[]
  /** Where the next page begins. */
  next: string | undefined
}
export interface ChannelClient {
  /** Orders that changed since, oldest change first. */
  listOrders(since: string, cursor?: string): Promise<Listed>
  /** Told once: a parcel that the channel knows is not told again. @returns the channel's id of it */
  tellHandedOver(parcel: HandedOver): Promise<Told>
  /** Told once: what the channel has cancelled, or given back under this operation, is not again. @param reference of an attempt before, where it had one */
  tellCancelled(cancelled: CancelledHere, reference: string | null): Promise<Told>
  /** Absolute, so harmless to repeat; absent: it is not told. @returns SKUs that the channel does not have */
  setStock?(levels: readonly StockLevel[]): Promise<string[]>
}
