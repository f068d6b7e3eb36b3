/** Another door, another way or another date after the click: where an order goes from now on, how, and what that costs. */
import { refuse } from '../refusals'
import type { Address, ChangeOperation, SetDelivery } from './change'

export interface Delivery {
  method: string
  service?: string
  nodeId?: string
}
export interface Route {
  shipTo: Address | null
  delivery: Delivery
  shipping: { priceMinor: number; taxMinor?: number }
}
export interface Rerouted extends Route {
  /** Another place or another way: it may come from other nodes, and is promised anew. */
  isElsewhere: boolean
}

/**
 * The last word of the operations on it; undefined where they say nothing. A way that is paid for already keeps its price; another one costs what the caller says, or what `prices` says for its
 * service, taxed at the rate that was paid.
 * @throws `order.address_needed` when it is to be sent and there is no address
 */
export function rerouted(was: Route, operations: readonly ChangeOperation[], prices: Readonly<Record<string, number>>): Rerouted | undefined {
  const shipTo = operations.flatMap((o) => (o.op === 'setShipTo' ? [o.shipTo] : [])).at(-1) ?? was.shipTo
  const asked = operations.flatMap((o) => (o.op === 'setDelivery' ? [o] : [])).at(-1)
  if (shipTo === was.shipTo && !asked) return undefined
  const delivery = asked ? deliveryOf(asked) : was.delivery
  if (delivery.method === 'delivery' && shipTo === null) throw refuse('order.address_needed')
  const isOtherWay = wayOf(delivery) !== wayOf(was.delivery)
  const shipping = asked?.shipping ?? (isOtherWay ? taxedLike(was.shipping, priceOf(delivery, prices)) : was.shipping)
  return { shipTo, delivery: isOtherWay ? delivery : was.delivery, shipping, isElsewhere: isOtherWay || placeOf(shipTo) !== placeOf(was.shipTo) }
}

const deliveryOf = ({ method, service, nodeId }: SetDelivery): Delivery => ({ method, ...(service !== undefined && { service }), ...(nodeId !== undefined && { nodeId }) })

const wayOf = ({ method, service = '', nodeId = '' }: Delivery): string => JSON.stringify([method, service, nodeId])

const placeOf = (address: Address | null): string => JSON.stringify([address?.country, address?.postalCode])

/** What is fetched is free unless it has a price. */
export const priceOf = ({ method, service = 'standard' }: Delivery, prices: Readonly<Record<string, number>>): number => (method === 'delivery' ? (prices[service] ?? prices.other ?? 0) : (prices[method] ?? 0))

function taxedLike({ priceMinor, taxMinor = 0 }: Route['shipping'], newMinor: number): Route['shipping'] {
  return { priceMinor: newMinor, taxMinor: priceMinor > 0 ? Math.round((taxMinor * newMinor) / priceMinor) : 0 }
}
