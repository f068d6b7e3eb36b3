/**
 * A whole order is cancelled at Amazon by an order acknowledgement that says `Failure`, sent as a feed; Amazon gives the buyer her money back. Feeds take minutes: the feed's id is kept, and looked at
 * until Amazon has done with it. Amazon is first asked whether the order is cancelled: so a lost answer makes no second feed count.
 */
import { z } from 'zod'
import { ChannelFault, ChannelRefusal, type CancelCause, type CancelledHere, type Told } from '../channel-api'
import { cancelledAtAmazon } from './mapping'
import { needOk, send, type SellerAccount, type Speak } from './speak'

export async function tellCancelled(account: SellerAccount, speak: Speak, cancelled: CancelledHere, reference: string | null): Promise<Told> {
  if (!cancelled.whole) throw new ChannelRefusal('Amazon takes back whole orders by this way, and no units of one')
  const { channelOrderId, cause } = cancelled
  const { body } = await speak('GET', `/orders/2026-01-01/orders/${channelOrderId}?includedData=FULFILLMENT`)
  if (cancelledAtAmazon(body) === channelOrderId) return { reference: reference ?? channelOrderId }
  if (reference !== null) return lookAt(speak, reference)
  return { reference: await submit(account, speak, acknowledgement({ channelOrderId, cause, itemIds: readAs(itemsShape, body).order.orderItems.map((i) => i.orderItemId) })), pending: true }
}

const itemsShape = z.looseObject({ order: z.looseObject({ orderItems: z.array(z.looseObject({ orderItemId: z.string().regex(/^[A-Za-z0-9-]{1,40}$/) })).min(1) }) })
const feedShape = z.looseObject({ processingStatus: z.enum(['CANCELLED', 'DONE', 'FATAL', 'IN_PROGRESS', 'IN_QUEUE']) })

/** Done, and the order not cancelled: Amazon has refused it, and its report says why. */
async function lookAt(speak: Speak, feedId: string): Promise<Told> {
  const { processingStatus: status } = readAs(feedShape, (await speak('GET', `/feeds/2021-06-30/feeds/${encodeURIComponent(feedId)}`)).body)
  if (status === 'IN_QUEUE' || status === 'IN_PROGRESS') return { reference: feedId, pending: true }
  throw new ChannelRefusal(`feed ${feedId} ended as ${status}, and the order is not cancelled`)
}

const documentShape = z.looseObject({ feedDocumentId: z.string(), url: z.string() })
const contentType = 'text/xml; charset=UTF-8'

/** @returns the id of the feed */
async function submit({ call, marketplaceId }: SellerAccount, speak: Speak, text: string): Promise<string> {
  const document = readAs(documentShape, (await speak('POST', '/feeds/2021-06-30/documents', { contentType })).body)
  needOk(await send(call, document.url, { method: 'PUT', headers: { 'content-type': contentType }, body: text }), 'Amazon’s storage')
  const feed = { feedType: 'POST_ORDER_ACKNOWLEDGEMENT_DATA', marketplaceIds: [marketplaceId], inputFeedDocumentId: document.feedDocumentId }
  return readAs(z.looseObject({ feedId: z.string() }), (await speak('POST', '/feeds/2021-06-30/feeds', feed)).body).feedId
}

function readAs<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const read = shape.safeParse(body)
  if (!read.success) throw new ChannelFault('Amazon’s answer cannot be read')
  return read.data
}

const reasons: Record<CancelCause, string> = { customer: 'BuyerCanceled', fraud: 'GeneralAdjustment', stock: 'NoInventory', other: 'GeneralAdjustment' }

/** Nothing in it needs to be escaped: the number is digits and dashes, item ids letters, digits and dashes. */
export const acknowledgement = ({ channelOrderId, itemIds, cause }: Pick<CancelledHere, 'channelOrderId' | 'cause'> & { itemIds: readonly string[] }): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">',
    '<Header><DocumentVersion>1.01</DocumentVersion></Header><MessageType>OrderAcknowledgement</MessageType>',
    `<Message><MessageID>1</MessageID><OrderAcknowledgement><AmazonOrderID>${channelOrderId}</AmazonOrderID><StatusCode>Failure</StatusCode>`,
    ...itemIds.map((itemId) => `<Item><AmazonOrderItemCode>${itemId}</AmazonOrderItemCode><CancelReason>${reasons[cause]}</CancelReason></Item>`),
    '</OrderAcknowledgement></Message></AmazonEnvelope>',
  ].join('')
