/** What is asked of a channel's own api, whichever it is. What fails is a ChannelFault: it may have happened, and is looked for before it is done again. */

/** The channel said no, or may not be called: the same again will not be taken. */
export class ChannelRefusal extends Error {
  override name = 'ChannelRefusal'
}
/** The channel did not answer, or not so that one knows what it did. */
export class ChannelFault extends Error {
  override name = 'ChannelFault'
}

export interface HandedOver {
  channelOrderId: string
  carrier: string
  trackingNumbers: readonly string[]
  lines: readonly { lineId: string; quantity: number }[]
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
  tellHandedOver(parcel: HandedOver): Promise<string>
  /** Absolute, so harmless to repeat. @returns SKUs that the channel does not have */
  setStock(levels: readonly StockLevel[]): Promise<string[]>
}
