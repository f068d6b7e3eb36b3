/** One of everything that has an id, for one channel, node and driver: what a key may reach, or may not even know of. */
import { uuidv7 } from 'uuidv7'
import { insertBackTest } from '../../../db/back-tests'
import { insertBulkAction } from '../../../db/bulk-actions'
import type { Db } from '../../../db/connection'
import { insertPackages, releaseFulfillment } from '../../../db/fulfillments'
import { insertHold } from '../../../db/holds'
import { keepFirstVersion } from '../../../db/order-versions'
import { policyDocument } from '../../../db/policies'
import { insertReOptimisation } from '../../../db/re-optimisations'
import type { SourcingPolicy } from '../../../domain/policy/sourcing'
import type { Edge } from '../edge'
import { place } from '../orders-in-store'

export interface Place {
  channelId: string
  nodeId: string
  driverId: string
}
/** By the names that stand in paths. */
export interface Things extends Place {
  ids: Record<string, string>
  orderId: string
  taskId: string
  optionId: string
  giftCardCode: string
  customerRef: string
  documents: Record<'node' | 'sku' | 'carton' | 'channel' | 'driver' | 'policy', unknown>
  nextNumber(): string
  settlementFile(): string
}

let number = 70_000
const at = '2026-11-23T10:00:00.000Z'

export async function thingsAt(edge: Edge, where: Place): Promise<Things> {
  const { db } = edge
  const orderId = await place(db, { channel: where.channelId, lines: [line], totalMinor: 9_390 })
  await db.transaction((tx) => keepFirstVersion(tx, orderId))
  const work = await workAt(db, where, orderId)
  const quote = await quoted(edge, where.channelId)
  const documents = await documentsAt(edge, where)
  const card = await edge.post('/v1/gift-cards', { currency: 'EUR', amountMinor: 500, paidElsewhere: false, reason: 'walked' }, { key: 'demo-finance' })
  const customerRef = `c-${where.channelId}`
  await edge.post('/v1/store-credits', { currency: 'EUR', amountMinor: 500, paidElsewhere: false, reason: 'walked', customerRef }, { key: 'demo-finance' })
  const { apiKeyId } = (await edge.post('/v1/api-keys', { name: 'walked', role: 'support' }, { key: 'demo-admin' })).body as { apiKeyId: string }
  const ids = {
    apiKeyId,
    ...(await afterwards(db, where, orderId)),
    ...(await runAt(db, where, orderId, work.fulfillmentId)),
    ...(await trials(db, where.channelId)),
    draftId: await drafted(edge, where.channelId),
    ...(await webhooks(edge, where.channelId)),
    ...quote, ...work, ...where,
    orderId, customerRef, sku: 'SOCKS-3P', cartonId: 'mailer', kind: 'sourcing', protocol: 'acp', version: '1', number: '1', country: 'DE', postalCode: '10119', carrier: 'swiftparcel', type: 'order.placed',
  }
  return {
    ...where,
    ids,
    orderId,
    customerRef,
    documents,
    taskId: ids.taskId,
    optionId: quote.optionId,
    giftCardCode: card.body.code as string,
    nextNumber: () => String(++number),
    settlementFile: () => `balance_transaction_id,created,currency,gross,fee,net,reporting_category,payment_intent_id\ntxn_${++number},2026-11-23 10:00:00,eur,1.00,0.10,0.90,charge,pi_${number}\n`,
  }
}

const line = { lineId: '1', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 8_900, discountMinor: 0, taxMinor: 0 }

async function workAt(db: Db, { nodeId }: Place, orderId: string): Promise<{ fulfillmentId: string; packageId: string; waveId: string }> {
  const waveId = uuidv7()
  await db('waves').insert({ wave_id: waveId, node_id: nodeId, opened_by: 'test' })
  return db.transaction(async (tx) => {
    await tx('allocations').insert({ allocation_id: uuidv7(), order_id: orderId, line_id: '1', sku: line.sku, node_id: nodeId, quantity: 1 })
    const { fulfillmentId } = await releaseFulfillment(tx, { orderId, nodeId, method: 'delivery', dueAt: at, waitingOn: { what: 'picking', since: at, deadline: null } })
    const [packageId] = await insertPackages(tx, fulfillmentId, [{ weightGrams: 500, lines: [{ lineId: '1', quantity: 1 }] }])
    await tx('packages').where({ package_id: packageId }).update({ carrier: 'swiftparcel', tracking_number: `T${++number}`, label: '{}' })
    return { fulfillmentId, packageId: packageId!, waveId }
  })
}

async function runAt(db: Db, { nodeId, driverId }: Place, orderId: string, fulfillmentId: string): Promise<{ runId: string; stopId: string; taskId: string; token: string }> {
  const [runId, stopId, taskId, token] = [uuidv7(), uuidv7(), uuidv7(), `token-${++number}`]
  // Long back: the driver is free for what the walk plans.
  await db('delivery_runs').insert({ run_id: runId, node_id: nodeId, driver_id: driverId, date: '2026-11-23', number: ++number, status: 'returned', distance_meters: 0, saved_meters: 0, depart_by: at })
  await db('stops').insert({ stop_id: stopId, run_id: runId, sequence: 1, order_id: orderId, latitude: 52.5, longitude: 13.4, token })
  await db('stop_tasks').insert({ task_id: taskId, stop_id: stopId, type: 'deliver', order_id: orderId, fulfillment_id: fulfillmentId })
  return { runId, stopId, taskId, token }
}

async function afterwards(db: Db, { channelId, nodeId }: Place, orderId: string): Promise<Record<string, string>> {
  const [changeId, returnId, exceptionId, quarantineId, settlementId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7(), uuidv7()]
  await db('order_changes').insert({ change_id: changeId, order_id: orderId, order_version: 1, operations: '[]', actor: 'test', expires_at: at })
  await db('returns').insert({ return_id: returnId, order_id: orderId, number: 1, status: 'requested', method: 'mail', remedy: 'refund', due_at: at, requested_by: 'test' })
  await db('return_lines').insert({ return_id: returnId, order_id: orderId, line_id: '1', quantity: 1, reason: 'too small' })
  const refundId = uuidv7()
  await db('goodwill_refunds').insert({ refund_id: refundId, order_id: orderId, status: 'waiting', amount_minor: 1, above_minor: 1, reason: 'walked', asked_by: 'test' })
  const [paymentId, refundReference] = [uuidv7(), `re_${refundId}`]
  await db('payments').insert({ payment_id: paymentId, order_id: orderId, tender_id: 't-owed', provider: 'stripe', status: 'captured', amount_minor: 1, currency: 'EUR' })
  await db('returned_refunds').insert({ refund_reference: refundReference, order_id: orderId, payment_id: paymentId, amount_minor: 1, currency: 'EUR' })
  await db('exceptions').insert({ exception_id: exceptionId, order_id: orderId, kind: 'fulfillment.late', subject: nodeId, owner: 'finance', summary: 'late' })
  await db('quarantine').insert({ quarantine_id: quarantineId, channel: channelId, source: `shopify:${channelId}`, event_id: quarantineId, body: '{}', reasons: '[]' })
  await db('settlements').insert({ settlement_id: settlementId, provider: 'stripe', content_hash: Buffer.from(settlementId), received_by: 'test' })
  const { holdId } = await db.transaction((tx) => insertHold(tx, { orderId, draft: { type: 'address', reason: 'walked', blocks: ['refund'], owner: 'support' }, actor: 'test' }))
  const preview = { willDo: 1, refused: [], units: 1, money: [] }
  const bulkActionId = await db.transaction((tx) => insertBulkAction(tx, { action: 'cancel', reason: 'walked', actor: 'test', orderIds: [orderId], preview, startsAt: '2099-01-01T00:00:00Z' }))
  return { changeId, returnId, refundId, refundReference, exceptionId, quarantineId, settlementId, holdId, bulkActionId }
}

async function quoted(edge: Edge, channel: string): Promise<{ quoteId: string; optionId: string; reservationId: string }> {
  const asked = await edge.post('/v1/delivery-options', { channel, destination: { country: 'DE', postalCode: '10119' }, lines: [{ sku: 'SOCKS-3P', quantity: 1 }], currency: 'EUR' })
  const quoteId = asked.body.quoteId as string
  const { optionId } = (asked.body.options as { optionId: string }[])[0]!
  const held = await edge.post(`/v1/quotes/${quoteId}/hold`, { optionId })
  return { quoteId, optionId, reservationId: held.body.reservationId as string }
}

async function drafted(edge: Edge, channel: string): Promise<string> {
  const person = { customer: { customerRef: 'c-1', name: 'N', email: 'n@example.org' }, shipTo: { name: 'N', line1: 'L', city: 'Berlin', postalCode: '10119', country: 'DE' }, delivery: { method: 'delivery' } }
  const { body } = await edge.post('/v1/drafts', { channel, channelOrderId: `draft-${++number}`, ...person, shipping: { priceMinor: 0 }, lines: [{ lineId: '1', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 100 }] }, { key: 'demo-support' })
  return body.draftId as string
}

async function webhooks(edge: Edge, channel: string): Promise<{ endpointId: string; deliveryId: string }> {
  const { endpointId } = (await edge.post('/v1/webhook-endpoints', { url: 'https://8.8.8.8/hooks', channels: [channel] })).body as { endpointId: string }
  const { deliveryId } = (await edge.post(`/v1/webhook-endpoints/${endpointId}/test`, {})).body as { deliveryId: string }
  return { endpointId, deliveryId }
}

/** Long jobs, as the commands leave them for a worker. */
const trials = (db: Db, channel: string): Promise<{ backTestId: string; reOptimisationId: string }> =>
  db.transaction(async (tx) => {
    const { version, document } = await policyDocument(tx, 'sourcing')
    const policy = { version, document: document as SourcingPolicy }
    const backTestId = await insertBackTest(tx, { ask: { from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', draft: policy, against: policy }, orders: 1, actor: 'test' })
    return { backTestId, reOptimisationId: await insertReOptimisation(tx, { channel, policyVersion: version, actor: 'test' }) }
  })

async function documentsAt(edge: Edge, { nodeId, channelId, driverId }: Place): Promise<Things['documents']> {
  const read = async (path: string): Promise<unknown> => (await edge.get(path)).body
  const policy = (await edge.get('/v1/policies/sourcing')).body.active as { document: unknown }
  return {
    node: await read(`/v1/nodes/${nodeId}`),
    sku: await read('/v1/skus/SOCKS-3P'),
    carton: await read('/v1/cartons/mailer'),
    channel: await read(`/v1/channels/${channelId}`),
    driver: await read(`/v1/drivers/${driverId}`),
    policy: policy.document,
  }
}
