/** Every way an order's life can go, played to its end on a real system: what the recorded histories are made of. */
import type { Db, Transaction } from '../../db/connection'
import { applyCarrierFact } from '../../db/facts'
import { receiveFact } from '../../db/inbox'
import type { OrderView } from '../../db/views/orders'
import type { RunView } from '../../db/views/runs'
import { caller, eventually, peopleOf, type People, type OrderWish } from '../support/people'
import { type PolicyChanges } from '../support/policies'
import { startSystem, type System } from '../support/system'

export interface Scenario {
  name: string
  policies?: PolicyChanges
  /** Plays it to the end of its workflow. @returns the order. */
  play(people: People, system: System): Promise<string>
}

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }

async function released(people: People, wish: OrderWish = socks): Promise<{ orderId: string; work: Awaited<ReturnType<People['order']>>['fulfillments'][number] }> {
  const orderId = await people.place(wish)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  return { orderId, work: fulfillments.find((f) => f.status === 'released')! }
}

async function deliver(people: People, orderId: string, work: Awaited<ReturnType<typeof released>>['work']): Promise<string> {
  await arrive(people, orderId, work)
  return ended(people, orderId)
}

async function arrive(people: People, orderId: string, work: Awaited<ReturnType<typeof released>>['work']): Promise<void> {
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  await people.until(orderId, (o) => o.money.capturedMinor > 0, 'the capture')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.fulfillments.find((f) => f.fulfillmentId === work.fulfillmentId)!.status === 'delivered', 'the delivery')
}

async function ended(people: People, orderId: string): Promise<string> {
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  return orderId
}

const steer = async (url: string, path: string, body: object): Promise<void> => {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}

const signal = async (people: People, system: System, orderId: string, name: string, argument: object): Promise<void> => {
  const { channel, channelOrderId } = await people.order(orderId)
  await system.client.workflow.getHandle(`order:${channel}:${channelOrderId}`).signal(name, argument)
}

export const scenarios: readonly Scenario[] = [
  { name: 'simple', play: async (people) => { const { orderId, work } = await released(people); return deliver(people, orderId, work) } },
  { name: 'paid-elsewhere', play: async (people) => { const { orderId, work } = await released(people, { ...socks, channel: 'marketplace', paidElsewhere: true }); return deliver(people, orderId, work) } },
  { name: 'declined', play: async (people) => ended(people, await people.place({ ...socks, paymentMethod: 'pm_card_chargeDeclined' })) },
  {
    name: 'cancelled-before-picking',
    play: async (people) => {
      const { orderId } = await released(people)
      await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
      return ended(people, orderId)
    },
  },
  {
    name: 'cancelled-after-packing',
    play: async (people) => {
      const { orderId, work } = await released(people)
      await people.pickAll(work)
      await people.packAll(work)
      await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
      return ended(people, orderId)
    },
  },
  {
    name: 'cancelled-by-signal',
    play: async (people, system) => {
      const { orderId } = await released(people)
      await signal(people, system, orderId, 'cancelOrder', { reason: 'called', messageId: 'm-1' })
      return ended(people, orderId)
    },
  },
  {
    name: 'cancel-refused-by-signal',
    play: async (people, system) => {
      const { orderId, work } = await released(people)
      await people.pickAll(work)
      const packed = await people.packAll(work)
      await people.handOver(work)
      await signal(people, system, orderId, 'cancelOrder', { reason: 'called', messageId: 'm-1' })
      await eventually(() => people.told(orderId), (types) => types.includes('order.cancel_refused'))
      await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
      return ended(people, orderId)
    },
  },
  {
    name: 'rejected-and-sourced-again',
    play: async (people) => {
      const { orderId, work } = await released(people)
      await people.store(work.nodeId)('POST', `/v1/fulfillments/${work.fulfillmentId}/pick`, { lines: [{ lineId: '1', picked: 0, rejected: 1, reason: 'damaged' }] })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
      return deliver(people, orderId, fulfillments.find((f) => f.status === 'released')!)
    },
  },
  {
    name: 'backordered-then-filled',
    play: async (people) => {
      const orderId = await people.place({ claim: 'later', lines: [{ sku: 'SHOE-LB-41', quantity: 20 }] })
      await people.until(orderId, (o) => o.status === 'backordered')
      await people.operations('POST', '/v1/inventory/adjustments', { sku: 'SHOE-LB-41', nodeId: 'dc-01', delta: 30, reason: 'found' })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      return deliver(people, orderId, fulfillments[0]!)
    },
  },
  {
    name: 'sold-before-it-was-there',
    policies: { sourcing: { retryEvery: 'PT1H', autoCancelAfter: 'PT10H' } },
    play: async (people) => {
      const supply = { sku: 'SOON', nodeId: 'dc-01', reference: 'PO-1' }
      await people.operations('PUT', '/v1/skus/SOON', { name: 'Soon', weightGrams: 400, backorder: true })
      await people.operations('POST', '/v1/inventory/supply', { ...supply, quantity: 2, expectedAt: new Date(Date.now() + 4_000).toISOString() })
      const orderId = await people.place({ lines: [{ sku: 'SOON', quantity: 1 }] })
      const late = (): Promise<{ body: { items: { orderId: string }[] } }> => people.operations('GET', '/v1/exceptions?kind=sourcing.short')
      await eventually(late, (found) => found.body.items.some((e) => e.orderId === orderId), { what: 'its date to pass' })
      const { sku, nodeId, reference } = supply
      await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId, delta: 2, reason: 'delivered', supplyReference: reference })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      return deliver(people, orderId, fulfillments[0]!)
    },
  },
  {
    name: 'fetched-at-the-counter',
    policies: { store_work: { pickupWindow: 'PT1H', pickupReminder: 'PT59M59S' } },
    play: async (people) => {
      const { orderId, work } = await released(people, { ...socks, delivery: { method: 'pickup', nodeId: 'store-mitte' } })
      await people.pickAll(work)
      await people.work(work, 'ready-for-pickup', {})
      await eventually(() => people.told(orderId), (types) => types.includes('fulfillment.pickup_reminded'))
      const { pickupCode } = await people.order(orderId)
      await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode } })
      return ended(people, orderId)
    },
  },
  {
    name: 'nobody-came-for-it',
    policies: { store_work: { pickupWindow: 'PT1S', pickupReminder: 'PT5S' } },
    play: async (people) => {
      const { orderId, work } = await released(people, { ...socks, delivery: { method: 'pickup', nodeId: 'store-mitte' } })
      await people.pickAll(work)
      await people.work(work, 'ready-for-pickup', {})
      return ended(people, orderId)
    },
  },
  {
    name: 'sent-to-the-store-and-fetched',
    play: async (people) => {
      const { orderId, work } = await released(people, { lines: [{ sku: 'SHOE-LB-41', quantity: 1 }], delivery: { method: 'ship_to_store', nodeId: 'store-mitte' } })
      await people.pickAll(work)
      await people.packAll(work)
      await people.handOver(work)
      await people.work(work, 'receive', {}, 'store-mitte')
      const here = (await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'picked'))).fulfillments.find((f) => f.status === 'picked')!
      await people.work(here, 'ready-for-pickup', {})
      const { pickupCode } = await people.order(orderId)
      await people.work(here, 'collect', { proof: { name: 'Customer', pickupCode } })
      return ended(people, orderId)
    },
  },
  {
    name: 'brought-by-an-own-driver',
    play: async (people, system) => {
      const courier = caller(system.url, 'demo-courier-driver-mark')
      const { orderId, work } = await released(people, { ...socks, delivery: { method: 'delivery', service: 'own_driver', nodeId: 'store-mitte' } })
      await people.pickAll(work)
      await people.packAll(work)
      const { body: run } = await people.operations<RunView>('POST', '/v1/nodes/store-mitte/runs', { driverId: 'driver-mark' })
      for (const step of ['accept', 'depart']) await courier('POST', `/v1/runs/${run.runId}/${step}`, {})
      const [stop] = run.stops
      await courier('POST', `/v1/runs/${run.runId}/stops/${stop!.stopId}/complete`, { tasks: [{ taskId: stop!.tasks[0]!.taskId, outcome: 'done' }] })
      return ended(people, orderId)
    },
  },
  {
    name: 'held-and-released',
    play: async (people) => {
      const { orderId, work } = await released(people)
      const place = (body: object) => people.support<{ holdId: string }>('POST', `/v1/orders/${orderId}/holds`, { reason: 'asked by the customer', ...body })
      const { body: first } = await place({ type: 'customer', blocks: ['picking', 'shipping'], deadline: new Date(Date.now() + 1_000).toISOString(), atDeadline: 'release' })
      await people.until(orderId, (o) => o.holds.length === 0, `the end of the hold ${first.holdId}`)
      const { body: second } = await place({ type: 'address', blocks: ['shipping'] })
      await people.pickAll(work)
      const packed = await people.packAll(work)
      await people.support('POST', `/v1/orders/${orderId}/holds/${second.holdId}/release`, {})
      await people.handOver(work)
      await people.until(orderId, (o) => o.money.capturedMinor > 0, 'the capture')
      await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
      return ended(people, orderId)
    },
  },
  {
    name: 'moved-because-somebody-asked',
    play: async (people) => {
      const sku = await people.stocked({ 'store-mitte': 2, 'dc-01': 2 })
      const { orderId } = await released(people, { lines: [{ sku, quantity: 1 }] })
      const ask = async (action: string): Promise<void> => {
        const { body } = await people.support<{ bulkActionId: string }>('POST', '/v1/bulk-actions', { action, orderIds: [orderId], reason: 'the store is closed', undoWithin: 'PT0.1S' })
        await eventually(() => people.support<{ status: string }>('GET', `/v1/bulk-actions/${body.bulkActionId}`), (b) => b.body.status === 'done')
      }
      await ask('re-source')
      await ask('re-promise')
      const work = (await people.order(orderId)).fulfillments.find((f) => f.status === 'released')!
      return deliver(people, orderId, work)
    },
  },
  {
    name: 'held-until-it-was-cancelled',
    play: async (people) => {
      const { orderId } = await released(people)
      await people.support('POST', `/v1/orders/${orderId}/holds`, { type: 'address', reason: 'cannot be found', blocks: ['picking'], deadline: new Date(Date.now() + 600).toISOString(), atDeadline: 'cancel' })
      return ended(people, orderId)
    },
  },
  { name: 'carried-out', play: async (people) => ended(people, await people.place({ ...socks, delivery: { method: 'carry_out', nodeId: 'store-mitte' } })) },
  {
    name: 'unfillable',
    policies: { sourcing: { retryEvery: 'PT0.3S', autoCancelAfter: 'PT2S' } },
    play: async (people) => ended(people, await people.place({ claim: 'later', lines: [{ sku: 'SHOE-LB-42', quantity: 90 }] })),
  },
  {
    name: 'customer-confirms-at-the-bank',
    play: async (people, system) => {
      const orderId = await people.place({ ...socks, paymentMethod: 'pm_card_authenticationRequired' })
      const waiting = await people.until(orderId, (o) => o.waitingOn?.what === 'customer_action')
      await steer(system.payments.url, `/control/intents/${waiting.payments[0]!.reference}`, { status: 'requires_capture' })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      return deliver(people, orderId, fulfillments[0]!)
    },
  },
  {
    name: 'customer-never-confirms',
    policies: { payment: { deadline: 'PT2S' } },
    play: async (people) => ended(people, await people.place({ ...socks, paymentMethod: 'pm_card_authenticationRequired' })),
  },
  {
    name: 'payment-provider-out',
    play: async (people, system) => {
      await steer(system.payments.url, '/control/outage', { ms: 12_000 })
      const orderId = await people.place(socks)
      await people.until(orderId, (o) => o.waitingOn?.what === 'payment_provider')
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      return deliver(people, orderId, fulfillments[0]!)
    },
  },
  {
    name: 'late-at-every-step',
    policies: { store_work: { acceptWithin: 'PT0.3S', handOverWithin: 'PT0.3S' }, last_mile: { deliverWithin: 'PT0.3S' } },
    play: async (people) => {
      const { orderId, work } = await released(people)
      const late = (kind: string): Promise<unknown> =>
        eventually(() => people.operations<{ items: { orderId: string }[] }>('GET', `/v1/exceptions?kind=${kind}&limit=200`), (a) => a.body.items.some((e) => e.orderId === orderId))
      await late('fulfillment.late')
      await people.pickAll(work)
      const packed = await people.packAll(work)
      await late('fulfillment.not_handed_over')
      await people.handOver(work)
      await late('shipment.overdue')
      await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
      return ended(people, orderId)
    },
  },
  {
    name: 'in-two-parts',
    policies: { sourcing: { maxShipments: 2 } },
    play: async (people) => {
      const { orderId } = await inParts(people)
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
      for (const work of fulfillments) {
        await people.until(orderId, (o) => o.money.authorizedMinor === o.totalMinor, 'what has still to leave to be held')
        await people.pickAll(work)
        const packed = await people.packAll(work)
        await people.handOver(work)
        await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
      }
      return ended(people, orderId)
    },
  },
  {
    name: 'rest-given-up',
    policies: { sourcing: { maxShipments: 2, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT1.5S' } },
    play: async (people) => {
      const { orderId, work } = await released(people, { lines: [{ sku: 'SHOE-LB-42', quantity: 2 }] })
      await people.store(work.nodeId)('POST', `/v1/fulfillments/${work.fulfillmentId}/pick`, { lines: [{ lineId: '1', picked: 1, rejected: 1, reason: 'not_in_stock' }] })
      await people.until(orderId, (o) => o.lines[0]!.cancelled === 1)
      const packed = await people.packPicked(work)
      await people.handOver(work)
      await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
      return ended(people, orderId)
    },
  },
  {
    name: 'sent-back-and-replaced',
    policies: { returns: { window: 'PT3S', restockBy: 'PT0.2S' } },
    play: async (people) => {
      const { orderId, work } = await released(people, { lines: [{ sku: 'SOCKS-3P', quantity: 2 }] })
      await arrive(people, orderId, work)
      const asked = { lines: [{ lineId: '1', quantity: 1, reason: 'torn' }] }
      const back = await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { ...asked, method: 'store' })
      await eventually(() => people.told(orderId), (types) => types.includes('exception.opened'))
      const lines = [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }]
      await people.store('store-mitte')('POST', `/v1/returns/${back.body.returnId}/receive`, { nodeId: 'store-mitte', lines })
      await people.until(orderId, (o) => o.returns[0]!.status === 'closed')
      await people.support('POST', `/v1/orders/${orderId}/replacements`, { ...asked, collectOld: 'none' })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
      return deliver(people, orderId, fulfillments.find((f) => f.status === 'released')!)
    },
  },
  {
    name: 'exchanged-for-something-dearer',
    policies: { returns: { window: 'PT4S', restockBy: 'PT20S' } },
    play: async (people) => {
      const [old, better] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
      const { orderId, work } = await released(people, { lines: [{ sku: old, quantity: 1 }] })
      await arrive(people, orderId, work)
      await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku: better, unitPriceMinor: 1_300, reason: 'too big' }], collectOld: 'none' })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
      return deliver(people, orderId, fulfillments.find((f) => f.status === 'released')!)
    },
  },
  {
    name: 'sent-in-advance-and-never-back',
    policies: { returns: { window: 'PT4S', restockBy: 'PT2S', advance: { hold: true } } },
    play: async (people) => {
      const [old, other] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
      const { orderId, work } = await released(people, { lines: [{ sku: old, quantity: 1 }] })
      await arrive(people, orderId, work)
      await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku: other, reason: 'too big' }], collectOld: 'store' })
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
      await arrive(people, orderId, fulfillments.find((f) => f.status === 'released')!)
      await people.until(orderId, (o) => o.returns[0]!.guard?.state === 'charged')
      return ended(people, orderId)
    },
  },
  {
    name: 'exchanged-at-the-door',
    policies: { returns: { window: 'PT0.5S', restockBy: 'PT20S' } },
    play: async (people, system) => {
      const driver = caller(system.url, 'demo-courier-driver-mark')
      await people.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte', 'dc-01'], shift: {}, vehicle: {} })
      const [old, other] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
      const { orderId } = await released(people, { lines: [{ sku: old, quantity: 1 }], delivery: { method: 'delivery', service: 'own_driver' } })
      const bring = async (nodeId: string): Promise<void> => {
        const work = (await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))).fulfillments.find((f) => f.status === 'released')!
        await people.pickAll(work)
        await people.packAll(work)
        const run = (await people.operations<RunView>('POST', `/v1/nodes/${nodeId}/runs`, { driverId: 'driver-mark' })).body
        for (const action of ['accept', 'depart']) await driver('POST', `/v1/runs/${run.runId}/${action}`, {})
        await driver('POST', `/v1/runs/${run.runId}/stops/${run.stops[0]!.stopId}/complete`, { tasks: run.stops[0]!.tasks.map((t) => ({ taskId: t.taskId, outcome: 'done' })) })
        await driver('POST', `/v1/runs/${run.runId}/return`, {})
        await people.until(orderId, (o) => o.lines.every((l) => l.delivered === 1))
      }
      await bring('store-mitte')
      const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, sku: other, reason: 'too big' }], collectOld: 'at_door' })).body
      await bring('dc-01')
      await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
      return ended(people, orderId)
    },
  },
  {
    name: 'returned-by-mail',
    policies: { returns: { window: 'PT3S', restockBy: 'PT0.5S', refundOn: 'scan', remindFor: 'PT20S' } },
    play: async (people) => {
      const { orderId, work } = await released(people)
      await arrive(people, orderId, work)
      type Label = { returnId: string; label: { trackingNumber: string; status: string } }
      const { returnId } = (await people.support<Label>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'mail' })).body
      const label = async (status: string): Promise<string> => (await eventually(async () => (await people.support<Label>('GET', `/v1/returns/${returnId}`)).body.label, (l) => l.status === status)).trackingNumber
      await label('given_back')
      await people.support('POST', `/v1/returns/${returnId}/remind`, {})
      await people.carrierSays(await label('ready'), 'delivered')
      await people.until(orderId, (o) => o.money.refundedMinor > 0)
      await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
      return ended(people, orderId)
    },
  },
  {
    name: 'told-late',
    policies: { returns: { window: 'PT6S', restockBy: 'PT20S', refundOn: 'scan' } },
    play: (people, system) => toldLate(people, system, (o) => o.returns[0]?.status === 'closed'),
  },
  {
    name: 'told-after-its-end',
    policies: { returns: { window: 'PT3S', restockBy: 'PT20S', refundOn: 'scan' } },
    play: (people, system) => toldLate(people, system, (o) => !o.workflowOpen),
  },
  {
    name: 'never-came',
    policies: { returns: { window: 'PT5S', restockBy: 'PT0.5S', closeAfter: 'PT0.5S', approval: 'by_staff', decideWithin: 'PT0.5S', whenUndecided: 'reject' } },
    play: async (people) => {
      const { orderId, work } = await released(people)
      await arrive(people, orderId, work)
      const ask = { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' }
      await people.shop('POST', `/v1/orders/${orderId}/returns`, ask)
      await people.until(orderId, (o) => o.returns[0]!.status === 'rejected')
      await people.support('POST', `/v1/orders/${orderId}/returns`, ask)
      await people.until(orderId, (o) => o.returns[1]!.status === 'closed')
      await people.store('store-kreuzberg')('POST', `/v1/orders/${orderId}/counter-returns`, { nodeId: 'store-kreuzberg', lines: [{ lineId: '1', reason: 'found it', counted: [{ quantity: 1, grade: 'as_new', disposition: 'restock' }] }] })
      return ended(people, orderId)
    },
  },
  {
    name: 'opened-again',
    policies: { returns: { window: 'PT0.2S', restockBy: 'PT10S' } },
    play: async (people) => {
      const { orderId, work } = await released(people)
      await deliver(people, orderId, work)
      const { body } = await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'torn' }], method: 'store' })
      await people.store('store-mitte')('POST', `/v1/returns/${body.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'used', disposition: 'refurbish' }] })
      return ended(people, orderId)
    },
  },
  {
    name: 'opened-again-for-a-moment',
    policies: { returns: { window: 'PT0.2S' } },
    play: async (people) => {
      const { orderId, work } = await released(people)
      await deliver(people, orderId, work)
      await people.support('POST', `/v1/orders/${orderId}/refunds`, { amountMinor: 100, reason: 'torn' })
      return ended(people, orderId)
    },
  },
  {
    name: 'asked-for-more-after-the-click',
    play: async (people) => {
      const { orderId, work } = await released(people)
      const ask = (operations: object[]): Promise<{ body: { changeId: string } }> => people.support('POST', `/v1/orders/${orderId}/changes`, { operations })
      for (const operations of [[{ op: 'setQuantity', lineId: '1', quantity: 3 }], [{ op: 'setQuantity', lineId: '1', quantity: 2 }]]) {
        const { body } = await ask(operations)
        await people.support('POST', `/v1/orders/${orderId}/changes/${body.changeId}/confirm`, {})
      }
      const [grown] = (await people.order(orderId)).fulfillments
      return deliver(people, orderId, { ...work, lines: grown!.lines })
    },
  },
  {
    name: 'sent-elsewhere-after-the-click',
    play: async (people) => {
      const sku = await people.stocked({ 'store-mitte': 1, 'store-kreuzberg': 1 })
      const { orderId } = await released(people, { lines: [{ sku, quantity: 1 }] })
      const shipTo = { line1: 'Oranienstraße 30', city: 'Berlin', postalCode: '10999', country: 'DE', latitude: 52.5015, longitude: 13.418 }
      const { body } = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setShipTo', shipTo }, { op: 'setDelivery', method: 'pickup', nodeId: 'store-kreuzberg' }] })
      await people.support('POST', `/v1/orders/${orderId}/changes/${body.changeId}/confirm`, {})
      const work = (await people.until(orderId, (o) => o.fulfillments.length === 2)).fulfillments.find((f) => f.status === 'released')!
      await people.pickAll(work)
      await people.work(work, 'ready-for-pickup', {})
      const { pickupCode } = await people.order(orderId)
      await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode } })
      return ended(people, orderId)
    },
  },
  {
    name: 'debited-by-the-bank',
    play: async (people, system) => {
      const orderId = await debited(people, system)
      await bankSaysYes(system, orderId)
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
      return deliver(people, orderId, fulfillments[0]!)
    },
  },
  {
    name: 'cancelled-while-a-debit-was-under-way',
    play: async (people, system) => {
      const orderId = await debited(people, system)
      await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
      await people.until(orderId, (o) => o.status === 'cancelled' && o.waitingOn?.what === 'bank_transfer', 'the bank')
      await bankSaysYes(system, orderId)
      return ended(people, orderId)
    },
  },
  {
    name: 'cancelled-in-part',
    policies: { sourcing: { maxShipments: 2, splitLines: true } },
    play: async (people) => {
      const { orderId } = await inParts(people)
      const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
      const cancel = (lineId: string): Promise<unknown> => people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId, quantity: 1 }], reason: 'one is enough' })
      const [kept, left] = fulfillments
      await people.pickAll(kept!)
      const packed = await people.packAll(kept!)
      await people.handOver(kept!)
      await cancel(left!.lines[0]!.lineId)
      await people.until(orderId, (o) => o.lines.some((l) => l.cancelled === 1))
      await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
      return ended(people, orderId)
    },
  },
  {
    name: 'rest-paid-by-another-card',
    policies: { sourcing: { maxShipments: 2 } },
    play: async (people, system) => {
      const { orderId, gone, packed } = await restNotHeld(people, system)
      await people.support('POST', `/v1/orders/${orderId}/payment-methods`, { provider: 'stripe', paymentMethod: 'pm_card_mastercard' })
      await people.handOver(packed.work)
      for (const number of [gone, packed.number]) await people.carrierSays(number, 'delivered')
      return ended(people, orderId)
    },
  },
  {
    name: 'packed-parcel-had-back',
    policies: { sourcing: { maxShipments: 2 } },
    play: async (people, system) => {
      const { orderId, gone, packed } = await restNotHeld(people, system)
      await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: packed.work.lines[0]!.lineId, quantity: 1 }], reason: 'not paid' })
      await people.carrierSays(gone, 'delivered')
      return ended(people, orderId)
    },
  },
]

/** Two parts, both packed; the first has left, and the bank does not hold the money for the second again. */
async function restNotHeld(people: People, system: System): Promise<{ orderId: string; gone: string; packed: { work: Awaited<ReturnType<typeof released>>['work']; number: string } }> {
  const { orderId } = await inParts(people)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const numbers: string[] = []
  for (const work of fulfillments) {
    await people.pickAll(work)
    numbers.push((await people.packAll(work)).body.packages[0]!.trackingNumber!)
  }
  await steer(system.payments.url, '/control/faults', { next: 1, kind: 'decline', operation: 'authorize' })
  await people.handOver(fulfillments[0]!)
  const open = (): Promise<object[]> => system.db('exceptions').where({ order_id: orderId, kind: 'payment.remainder_not_held' }).select('exception_id')
  await eventually(open, (found) => found.length > 0, { what: 'the case' })
  return { orderId, gone: numbers[0]!, packed: { work: fulfillments[1]!, number: numbers[1]! } }
}

/** What is sent back is scanned and counted, and the order hears of the scan last. */
async function toldLate(people: People, system: System, enough: (order: OrderView) => boolean): Promise<string> {
  const { orderId, work } = await released(people)
  await arrive(people, orderId, work)
  const { returnId, label } = (await people.support<{ returnId: string; label: { carrier: string; trackingNumber: string } }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'mail' })).body
  const fact = { source: `carrier:${label.carrier}`, eventId: `scan:${returnId}`, kind: 'carrier', subject: label.trackingNumber, payload: { status: 'in_transit', at: new Date().toISOString() } }
  const keep = (db: Db | Transaction, until: string | null): Promise<number> => db('inbound_events').where({ event_id: fact.eventId }).update({ leased_until: until })
  await system.db.transaction(async (tx) => {
    await receiveFact(tx, fact)
    await keep(tx, '2999-01-01T00:00:00Z')
  })
  await applyCarrierFact(system.db, fact)
  await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, enough)
  await keep(system.db, null)
  await people.until(orderId, (o) => o.money.refundedMinor > 0, 'the refund')
  return ended(people, orderId)
}

/** A bank has the money under way, and decides when it is told to. */
async function debited(people: People, system: System): Promise<string> {
  await steer(system.payments.url, '/control/pace', { settleMs: 0 })
  const orderId = await people.place({ ...socks, paymentMethod: 'pm_usBankAccount_success' })
  await people.until(orderId, (o) => o.waitingOn?.what === 'bank_transfer', 'the bank')
  return orderId
}

async function bankSaysYes(system: System, orderId: string): Promise<void> {
  const { reference } = (await system.db<{ reference: string; order_id: string }>('payments').where({ order_id: orderId }).first('reference'))!
  await steer(system.payments.url, `/control/intents/${reference}`, { status: 'requires_capture' })
}

/** Two SKUs, each in another store. */
async function inParts(people: People): Promise<{ orderId: string }> {
  const skus = ['PART-A', 'PART-B']
  for (const [i, sku] of skus.entries()) {
    await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 400 })
    await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: ['store-mitte', 'store-kreuzberg'][i], delta: 1, reason: 'opening' })
  }
  return { orderId: await people.place({ lines: skus.map((sku) => ({ sku, quantity: 1 })) }) }
}

/** Plays one scenario on a system of its own. */
export async function onItsOwnSystem<Result>(scenario: Scenario, look: (orderId: string, people: People, system: System) => Promise<Result>): Promise<Result> {
  const system = await startSystem({ policies: scenario.policies })
  try {
    const people = peopleOf(system)
    return await look(await scenario.play(people, system), people, system)
  } finally {
    await system.stop()
  }
}
