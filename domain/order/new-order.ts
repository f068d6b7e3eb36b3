/** An order as a channel submits it, after its shape has been checked at the edge (api/schemas/order.ts). */
import type { StoredValue } from '../payment/stored-value'
import type { KitLine } from './kits'

export interface NewOrder {
  channel: string
  channelOrderId: string
  placedAt: string
  currency: string
  claim: 'required' | 'later'
  priority: number
  customer?: { customerRef?: string; name?: string; email?: string; phone?: string }
  shipTo?: ShipTo
  /** Where the bill goes, for rules that compare it. */
  billTo?: ShipTo
  /** Marks that the channel puts on an order, for rules that look at them. */
  flags?: readonly string[]
  delivery: { method: string; service?: string; nodeId?: string }
  lines: readonly NewLine[]
  shipping: { priceMinor: number; taxMinor: number }
  totalMinor: number
  taxIncluded: boolean
  tenders: readonly NewTender[]
}

/** What a channel may leave for its own settings to say. */
export type SubmittedOrder = Omit<NewOrder, 'claim'> & { claim?: NewOrder['claim'] }

export interface ShipTo {
  name?: string
  line1?: string
  line2?: string
  city?: string
  region?: string
  postalCode?: string
  country: string
  latitude?: number
  longitude?: number
}

export interface NewLine {
  lineId: string
  sku: string
  quantity: number
  unitPriceMinor: number
  discountMinor: number
  taxMinor: number
  /** The ordered line whose component this is. */
  kit?: KitLine
}

export interface NewTender {
  tenderId: string
  provider: 'stripe' | 'paid_elsewhere' | StoredValue
  /** Of a gift card, its code; of store credit none is needed: it is the customer's. */
  paymentMethod?: string
  amountMinor: number
}

/** What people search an order by, in one lower-cased line. */
export const searchText = (order: Pick<NewOrder, 'channelOrderId' | 'customer' | 'shipTo'>): string =>
  [order.channelOrderId, order.customer?.name, order.customer?.email, order.customer?.phone, order.shipTo?.name]
    .filter((part): part is string => Boolean(part))
    .join(' ')
    .toLowerCase()
