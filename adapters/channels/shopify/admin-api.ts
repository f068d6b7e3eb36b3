/** A shop on Shopify as we speak to it: its orders are listed, it is told what has left and what can be sold. What fails is a ChannelFault: it may have happened, and is looked for before it is done again. */
import { z } from 'zod'
import { ChannelFault, ChannelRefusal, type ChannelClient, type HandedOver, type StockLevel, type Told } from '../channel-api'
import { asker, call, nodes, userErrors, type Ask, type ShopAccount } from './ask'
import { tellCancelled } from './cancel'

export function shopifyShop(account: ShopAccount): ChannelClient {
  const ask = asker(account)
  return {
    listOrders: (since, cursor) => listOrders(account, since, cursor),
    tellHandedOver: (parcel) => tellHandedOver(ask, parcel),
    tellCancelled: (cancelled, reference) => tellCancelled(ask, cancelled, reference),
    setStock: (levels) => setStock(ask, levels),
  }
}

/** The REST listing, because its documents are those of the webhooks: one mapping reads both. Of the link to the next page only its cursor is believed. */
async function listOrders(account: ShopAccount, since: string, cursor?: string): ReturnType<ChannelClient['listOrders']> {
  const query: Record<string, string> = cursor === undefined ? { status: 'any', order: 'updated_at asc', updated_at_min: since, limit: '100' } : { limit: '100', page_info: cursor }
  const { body, headers } = await call(account, `orders.json?${new URLSearchParams(query).toString()}`)
  const read = z.looseObject({ orders: z.array(z.unknown()) }).safeParse(body)
  if (!read.success) throw new ChannelFault('the shop’s list of orders cannot be read')
  return { orders: read.data.orders, next: /<[^>]*[?&]page_info=([\w.~%-]+)[^>]*>;\s*rel="next"/.exec(String(headers.link ?? ''))?.[1] }
}

const orderShape = z.object({
  order: z
    .object({
      fulfillments: z.array(z.object({ id: z.string(), trackingInfo: z.array(z.object({ number: z.string().nullable() })) })),
      fulfillmentOrders: nodes(z.object({ id: z.string(), lineItems: nodes(z.object({ id: z.string(), remainingQuantity: z.int(), lineItem: z.object({ id: z.string() }) })) })),
    })
    .nullable(),
})
const orderQuery = `query ($id: ID!) { order(id: $id) {
  fulfillments(first: 100) { id trackingInfo { number } }
  fulfillmentOrders(first: 50) { nodes { id lineItems(first: 250) { nodes { id remainingQuantity lineItem { id } } } } } } }`
const fulfillmentCreate = `mutation ($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { message } } }`
const fulfillmentShape = z.object({ fulfillmentCreate: z.object({ fulfillment: z.object({ id: z.string() }).nullable(), userErrors }) })

async function tellHandedOver(ask: Ask, parcel: HandedOver): Promise<Told> {
  const { order } = await ask(orderQuery, { id: `gid://shopify/Order/${parcel.channelOrderId}` }, orderShape)
  if (!order) throw new ChannelRefusal('the shop has no such order')
  const known = order.fulfillments.find((f) => f.trackingInfo.some((t) => t.number !== null && parcel.trackingNumbers.includes(t.number)))
  if (known) return { reference: known.id }
  const lineItemsByFulfillmentOrder = openUnits(order.fulfillmentOrders.nodes, parcel.lines)
  const trackingInfo = { company: parcel.carrier, numbers: parcel.trackingNumbers }
  const { fulfillmentCreate: made } = await ask(fulfillmentCreate, { fulfillment: { lineItemsByFulfillmentOrder, trackingInfo, notifyCustomer: true } }, fulfillmentShape)
  if (!made.fulfillment) throw new ChannelRefusal(made.userErrors.map((e) => e.message).join('; '))
  return { reference: made.fulfillment.id }
}

type FulfillmentOrder = NonNullable<z.output<typeof orderShape>['order']>['fulfillmentOrders']['nodes'][number]

/** The shop keeps open units in orders of its own for fulfilment; ours are found in them, the first first. @throws ChannelRefusal where fewer are open there */
export function openUnits(orders: readonly FulfillmentOrder[], lines: HandedOver['lines']): { fulfillmentOrderId: string; fulfillmentOrderLineItems: { id: string; quantity: number }[] }[] {
  const wanted = new Map(lines.map((l) => [`gid://shopify/LineItem/${l.lineId}`, l.quantity]))
  const taken = orders.map(({ id, lineItems }) => ({
    fulfillmentOrderId: id,
    fulfillmentOrderLineItems: lineItems.nodes.flatMap((item) => {
      const left = wanted.get(item.lineItem.id) ?? 0
      const quantity = Math.min(left, item.remainingQuantity)
      wanted.set(item.lineItem.id, left - quantity)
      return quantity > 0 ? [{ id: item.id, quantity }] : []
    }),
  }))
  if ([...wanted.values()].some((left) => left > 0)) throw new ChannelRefusal('the shop has fewer units open than have left')
  return taken.filter((t) => t.fulfillmentOrderLineItems.length > 0)
}

const itemsQuery = `query ($query: String!) { inventoryItems(first: 250, query: $query) { nodes { id sku } } }`
const itemsShape = z.object({ inventoryItems: nodes(z.object({ id: z.string(), sku: z.string().nullable() })) })
const setQuantities = `mutation ($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) { userErrors { message } } }`
const setShape = z.object({ inventorySetQuantities: z.object({ userErrors }) })

async function setStock(ask: Ask, levels: readonly StockLevel[]): Promise<string[]> {
  const skus = [...new Set(levels.map((l) => l.sku))]
  const { inventoryItems } = await ask(itemsQuery, { query: skus.map((sku) => `sku:${JSON.stringify(sku)}`).join(' OR ') }, itemsShape)
  const items = new Map(inventoryItems.nodes.map((item) => [item.sku, item.id]))
  const quantities = levels.flatMap(({ sku, locationId, quantity }) => (items.has(sku) ? [{ inventoryItemId: items.get(sku), locationId: `gid://shopify/Location/${locationId}`, quantity }] : []))
  if (quantities.length) {
    const input = { name: 'available', reason: 'correction', ignoreCompareQuantity: true, quantities }
    const { inventorySetQuantities } = await ask(setQuantities, { input }, setShape)
    if (inventorySetQuantities.userErrors.length) throw new ChannelRefusal(inventorySetQuantities.userErrors.map((e) => e.message).join('; '))
  }
  return skus.filter((sku) => !items.has(sku))
}
