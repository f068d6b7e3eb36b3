/** Dates of changes: the service that keeps the one that is asked for, and what is told of what would be. */
import { ownDriver } from '../../domain/delivery/own-fleet'
import type { ChangeOperation, SetDelivery } from '../../domain/order/change'
import { priceOf } from '../../domain/order/reroute'
import type { ToldPromise } from '../../domain/promise/kept'
import { refuse } from '../../domain/refusals'
import type { PlannedShipment, SourcingDecision } from '../../domain/sourcing/decision'
import { row, type Transaction } from '../connection'
import type { AfterSale } from '../open-lines'
import { promiseWithMore } from '../order-promise'
import type { OrderRow } from '../orders'
import { planRoute, promiseFor } from './move-order'
import { planChange, type PlannedChange } from './plan-change'

interface Asked {
  operations: readonly ChangeOperation[]
  after?: Pick<AfterSale, 'promise'>
  services?: readonly string[]
}

/** A date that is asked for becomes the cheapest service that keeps it from where the goods would come. @throws `delivery.date_not_kept` with the earliest that can be kept */
export async function withServices(tx: Transaction, order: OrderRow, { operations, after, services = [] }: Asked): Promise<readonly ChangeOperation[]> {
  const asked = operations.find((o): o is SetDelivery & { by: string } => o.op === 'setDelivery' && o.by !== undefined)
  if (!asked) return operations
  const { by, ...way } = asked
  const planned = await planChange(tx, order, operations)
  const shipments = planned.route && (await planRoute(tx, order, planned.route, planned))?.decision.chosen?.shipments
  const offered = shipments && after ? services.filter((s) => s !== ownDriver).flatMap((service) => {
    const promise = promiseFor(order, { ...planned.route!, delivery: { ...planned.route!.delivery, service } }, shipments, after)
    return promise ? [{ service, priceMinor: priceOf({ ...way, service }, order.policy.promise.prices), promisedBy: promise.promisedBy }] : []
  }) : []
  const kept = offered.filter((o) => Date.parse(o.promisedBy) <= Date.parse(by)).sort((a, b) => a.priceMinor - b.priceMinor || Date.parse(a.promisedBy) - Date.parse(b.promisedBy))
  if (!kept[0]) throw refuse('delivery.date_not_kept', { by, earliest: offered.map((o) => o.promisedBy).sort()[0] ?? null })
  return operations.map((o) => (o === asked ? { ...way, service: kept[0]!.service } : o))
}

/** The date that would be promised: of the whole order where it goes another way, else the later one of what was told and what is added. @returns undefined where none would be */
export async function promiseOfChange(tx: Transaction, order: OrderRow, planned: PlannedChange, decision: SourcingDecision | undefined, after: Asked['after']): Promise<ToldPromise | undefined> {
  const told = after && (await promisedWith(tx, order, planned, { shipments: decision?.chosen?.shipments ?? [], after }))
  return told ? { promisedFrom: told.promisedFrom, promisedBy: told.promisedBy, confidence: told.confidence } : undefined
}

async function promisedWith(tx: Transaction, order: OrderRow, { route, more }: PlannedChange, { shipments, after }: { shipments: readonly PlannedShipment[]; after: Pick<AfterSale, 'promise'> }): Promise<ToldPromise | undefined> {
  if (route?.isElsewhere) return shipments.length ? promiseFor(order, route, shipments, after) : undefined
  const is = more.length && shipments.length ? await promiseWithMore(tx, order, shipments, after) : undefined
  return is ?? (await row<{ promise: ToldPromise | null }>(tx, 'SELECT promise FROM orders WHERE order_id = ?', [order.orderId]))!.promise ?? undefined
}
