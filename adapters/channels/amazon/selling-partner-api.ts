/**
 * A seller on Amazon as we speak for her to the Selling Partner API: her orders are listed as the documents that the door reads, parcels are confirmed, and whole orders are
 * cancelled by an order acknowledgement. What fails is a ChannelFault: it may have happened, and is looked for before it is done again.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ChannelFault, ChannelRefusal, type ChannelClient, type HandedOver, type Listed, type Told, type Units } from '../channel-api'
import { speaker, type SellerAccount, type Speak } from './speak'
import { tellCancelled } from './cancel'

export function amazonSeller(account: SellerAccount): ChannelClient {
  const speak = speaker(account)
  return {
    listOrders: (since, token) => listOrders(account, speak, since, token),
    tellHandedOver: (parcel) => tellHandedOver(account, speak, parcel),
    tellCancelled: (cancelled, reference) => tellCancelled(account, speak, cancelled, reference),
  }
}

const included = 'BUYER,RECIPIENT,PROCEEDS,FULFILLMENT'
const listedShape = z.looseObject({ orders: z.array(z.unknown()), pagination: z.looseObject({ nextToken: z.string().min(1).nullish() }).nullish() })

/** With a token for the next page all else is asked as it was for the first. */
async function listOrders({ marketplaceId }: SellerAccount, speak: Speak, since: string, paginationToken?: string): Promise<Listed> {
  const query = new URLSearchParams({ marketplaceIds: marketplaceId, lastUpdatedAfter: since, includedData: included, maxResultsPerPage: '100', ...(paginationToken !== undefined && { paginationToken }) })
  const read = listedShape.safeParse((await speak('GET', `/orders/2026-01-01/orders?${query.toString()}`)).body)
  if (!read.success) throw new ChannelFault('Amazon’s list of orders cannot be read')
  return { orders: read.data.orders.map((order) => ({ order })), next: read.data.pagination?.nextToken ?? undefined }
}

/** One confirmation for each package, under a number of its own that is the same each time: sent again, it is the same confirmation. */
async function tellHandedOver({ marketplaceId }: SellerAccount, speak: Speak, parcel: HandedOver): Promise<Told> {
  const packages = packagesOf(parcel)
  if (packages.length === 0) throw new ChannelRefusal('Amazon takes no parcel without a tracking number')
  for (const { trackingNumber, lines } of packages) {
    const packageDetail = {
      packageReferenceId: packageReference(trackingNumber), carrierCode: 'Other', carrierName: parcel.carrier, trackingNumber, shipDate: parcel.handedOverAt ?? new Date().toISOString(),
      orderItems: lines.map(({ lineId, quantity }) => ({ orderItemId: lineId, quantity })),
    }
    await speak('POST', `/orders/v0/orders/${parcel.channelOrderId}/shipmentConfirmation`, { marketplaceId, packageDetail })
  }
  return { reference: packages.map((p) => packageReference(p.trackingNumber)).join(',') }
}

/** What is in no package that is known by itself (a kit whose parts travel apart) is told with the first. */
export function packagesOf({ packages = [], trackingNumbers, lines }: HandedOver): { trackingNumber: string; lines: readonly Units[] }[] {
  const told = packages.map((p) => ({ trackingNumber: p.trackingNumber, lines: [...(p.lines ?? [])] })).filter((p, i) => i === 0 || p.lines.length > 0)
  const [first] = told.length ? told : trackingNumbers.slice(0, 1).map((trackingNumber) => ({ trackingNumber, lines: [] as Units[] }))
  if (!first) return []
  const inside = (lineId: string): number => told.flatMap((p) => p.lines).filter((l) => l.lineId === lineId).reduce((sum, l) => sum + l.quantity, 0)
  for (const { lineId, quantity } of lines) {
    const left = quantity - inside(lineId)
    if (left > 0) first.lines = [...first.lines.filter((l) => l.lineId !== lineId), { lineId, quantity: left + (first.lines.find((l) => l.lineId === lineId)?.quantity ?? 0) }]
  }
  return told.length ? told : [first]
}

/** A positive number, as Amazon wants it, that stands for a tracking number. */
export const packageReference = (trackingNumber: string): string => String(1 + (Number.parseInt(createHash('sha256').update(trackingNumber).digest('hex').slice(0, 8), 16) % 2_000_000_000))
