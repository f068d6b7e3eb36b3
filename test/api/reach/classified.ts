/** Every route in one line: its row of the table, and a body its schema takes. A new route needs a line here, and nothing else. */
import type { Things } from './things'
import type { Row } from './table'

export interface Line {
  /** `signed`: no key, but a signature; `public`: neither. */
  row: Row | 'signed' | 'public'
  body?: unknown
  query?: string
  /** Sent as it is, instead of `body`. */
  raw?: { text: string; type: string }
  /** The ids that a role may not reach stand in the body: refused with 403, by the place that names them. */
  inBody?: boolean
  /** Each line of the body is answered by itself: with `auth.scope`, where it names what a role may not reach. */
  inLines?: boolean
  /** Answers that never end: only the status is read. */
  stream?: boolean
}

const socks = { sku: 'SOCKS-3P', quantity: 1 }
const lines = [{ lineId: '1', quantity: 1 }]
const reasoned = [{ lineId: '1', quantity: 1, reason: 'too small' }]
const place = { row: 'place' } as const
const work = { row: 'work' } as const
const drive = { row: 'drive', body: {} } as const
const order = { currency: 'EUR', shipping: { priceMinor: 0, taxMinor: 0 }, totalMinor: 100, taxIncluded: true, delivery: { method: 'delivery' } }
const person = { customer: { customerRef: 'c-1', name: 'N', email: 'n@example.org' }, shipTo: { name: 'N', line1: 'L', city: 'Berlin', postalCode: '10119', country: 'DE' } }
const orderAt = (at: Things): object => ({
  ...order, ...person, channel: at.channelId, channelOrderId: at.nextNumber(), placedAt: '2026-11-23T09:00:00Z',
  lines: [{ lineId: '1', ...socks, unitPriceMinor: 100, discountMinor: 0, taxMinor: 0 }], tenders: [{ tenderId: 't', provider: 'paid_elsewhere', amountMinor: 100 }],
})
const future = '2099-01-01T00:00:00Z'

/** @param at the things whose ids the request names */
export const classified = (at: Things): Record<string, Line> => ({
  'POST /v1/delivery-options': { row: 'quote', inBody: true, body: { channel: at.channelId, destination: { country: 'DE', postalCode: '10119' }, lines: [socks], currency: 'EUR' } },
  'POST /v1/quotes/{quoteId}/hold': { row: 'quote', body: { optionId: at.optionId } },
  'DELETE /v1/reservations/{reservationId}': { row: 'quote' },
  'GET /v1/promise/calibration': { row: 'readNetwork' },
  'GET /v1/promise/calibration.svg': { row: 'readNetwork' },
  'POST /v1/orders': { row: 'place', inBody: true, body: orderAt(at) },
  'POST /v1/orders/bulk': { row: 'place', inLines: true, raw: { text: `${JSON.stringify(orderAt(at))}\n`, type: 'application/x-ndjson' } },
  'POST /v1/orders/{orderId}/cancel': { ...place, body: { reason: 'walked' } },
  'POST /v1/orders/{orderId}/changes': { row: 'askChanges', body: { operations: [{ op: 'setQuantity', lineId: '1', quantity: 2 }] } },
  'GET /v1/orders/{orderId}/changes': { row: 'readOrders' },
  'POST /v1/orders/{orderId}/changes/{changeId}/confirm': { row: 'askChanges', body: {} },
  'POST /v1/orders/{orderId}/changes/{changeId}/approve': { row: 'decide', body: {} },
  'POST /v1/orders/{orderId}/changes/{changeId}/reject': { row: 'decide', body: { reason: 'walked' } },
  'POST /v1/orders/{orderId}/holds': { row: 'decide', body: { type: 'address', reason: 'walked', blocks: ['refund'] } },
  'POST /v1/orders/{orderId}/holds/{holdId}/release': { row: 'decide', body: {} },
  'GET /v1/holds': { row: 'decide' },
  'POST /v1/bulk-actions': { row: 'decide', body: { action: 'cancel', orderIds: [at.orderId], reason: 'walked' } },
  'GET /v1/bulk-actions': { row: 'decide' },
  'GET /v1/bulk-actions/{bulkActionId}': { row: 'decide' },
  'GET /v1/bulk-actions/{bulkActionId}/results': { row: 'decide' },
  'POST /v1/bulk-actions/{bulkActionId}/withdraw': { row: 'decide', body: {} },
  'GET /v1/orders/{orderId}/versions': { row: 'readOrders' },
  'GET /v1/orders/{orderId}/versions/{number}': { row: 'readOrders' },
  'POST /v1/orders/{orderId}/returns': { row: 'askReturns', body: { lines: reasoned, method: 'mail' } },
  'POST /v1/orders/{orderId}/replacements': { row: 'askReturns', body: { lines: reasoned, collectOld: 'none' } },
  'POST /v1/orders/{orderId}/claims': { row: 'decide', body: { lines, remedy: 'refund', reason: 'broken' } },
  'GET /v1/returns/{returnId}': { row: 'readReturns' },
  'POST /v1/returns/{returnId}/receive': { row: 'receiveReturns', inBody: true, body: { nodeId: at.nodeId, lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] } },
  // Whose order it is prints it: a label has her address.
  'GET /v1/returns/{returnId}/label.pdf': { row: 'readOrders' },
  'POST /v1/returns/{returnId}/close': { row: 'decide', body: {} },
  'POST /v1/returns/{returnId}/remind': { row: 'decide', body: {} },
  'POST /v1/returns/{returnId}/approve': { row: 'decide', body: {} },
  'POST /v1/returns/{returnId}/reject': { row: 'decide', body: { reason: 'walked' } },
  'POST /v1/returns/{returnId}/cancel': { row: 'askReturns', body: {} },
  'GET /v1/orders': { row: 'readOrders' },
  'GET /v1/orders/{orderId}': { row: 'readOrders' },
  'GET /v1/orders/{orderId}/timeline': { row: 'readOrders' },
  'GET /v1/orders/{orderId}/sourcing': { row: 'readOrders' },
  'GET /v1/orders/{orderId}/events': { row: 'readOrders', stream: true },
  'GET /v1/events': { row: 'readOrders', stream: true },
  'GET /v1/orders/{orderId}/ledger': { row: 'readLedger' },
  'POST /v1/settlements': { row: 'money', raw: { text: at.settlementFile(), type: 'text/csv' } },
  'GET /v1/settlements/{settlementId}': { row: 'readLedger' },
  'POST /v1/gift-cards': { row: 'issueValue', body: { currency: 'EUR', amountMinor: 100, paidElsewhere: false, reason: 'walked' } },
  'POST /v1/gift-cards/balance': { row: 'readValue', body: { code: at.giftCardCode } },
  'POST /v1/store-credits': { row: 'issueValue', body: { currency: 'EUR', amountMinor: 100, paidElsewhere: false, reason: 'walked', customerRef: at.customerRef } },
  'GET /v1/store-credits/{customerRef}': { row: 'readValue', query: 'currency=EUR' },
  'GET /v1/fulfillments': { row: 'readWork' },
  'GET /v1/fulfillments/{fulfillmentId}': { row: 'readWork' },
  'GET /v1/fulfillments/{fulfillmentId}/packing-slip.pdf': { row: 'readWork' },
  'GET /v1/fulfillments/{fulfillmentId}/packing-proposal': { row: 'readWork' },
  'GET /v1/packages/{packageId}/label.pdf': { row: 'readWork' },
  'POST /v1/fulfillments/{fulfillmentId}/assign': { ...work, body: { assignee: 'Ines' } },
  'POST /v1/fulfillments/{fulfillmentId}/unassign': { ...work, body: {} },
  'POST /v1/fulfillments/{fulfillmentId}/pick': { ...work, body: { lines: [{ lineId: '1', picked: 1 }] } },
  'POST /v1/fulfillments/{fulfillmentId}/pack': { ...work, body: { packages: [{ weightGrams: 500, lines }] } },
  'POST /v1/fulfillments/{fulfillmentId}/hand-over': { ...work, body: {} },
  'POST /v1/fulfillments/{fulfillmentId}/ready-for-pickup': { ...work, body: {} },
  'POST /v1/fulfillments/{fulfillmentId}/collect': { ...work, body: { proof: { name: 'N', idChecked: true } } },
  'POST /v1/fulfillments/{fulfillmentId}/receive': { ...work, body: {} },
  'POST /v1/nodes/{nodeId}/waves': { ...work, body: { maxOrders: 1 } },
  'GET /v1/nodes/{nodeId}/waves': { row: 'readWork' },
  'GET /v1/waves/{waveId}': { row: 'readWork' },
  'POST /v1/waves/{waveId}/close': { ...work, body: {} },
  'GET /v1/nodes/{nodeId}/bins': { row: 'readWork' },
  'PUT /v1/nodes/{nodeId}/bins': { ...work, body: { bins: [{ sku: 'SOCKS-3P', bin: 'A-1' }] } },
  'GET /v1/nodes': { row: 'readNetwork' },
  'GET /v1/nodes/{nodeId}': { row: 'readNetwork' },
  'PUT /v1/nodes/{nodeId}': { row: 'writeNetwork', body: at.documents.node },
  'GET /v1/skus': { row: 'readNetwork' },
  'GET /v1/skus/{sku}': { row: 'readNetwork' },
  'PUT /v1/skus/{sku}': { row: 'writeNetwork', body: at.documents.sku },
  'GET /v1/cartons': { row: 'readNetwork' },
  'GET /v1/cartons/{cartonId}': { row: 'readNetwork' },
  'PUT /v1/cartons/{cartonId}': { row: 'writeNetwork', body: at.documents.carton },
  'GET /v1/channels/{channelId}': { row: 'readNetwork' },
  'PUT /v1/channels/{channelId}': { row: 'writeNetwork', body: at.documents.channel },
  'GET /v1/drivers/{driverId}': { row: 'readDrivers' },
  'PUT /v1/drivers/{driverId}': { row: 'writeNetwork', body: at.documents.driver },
  'PUT /v1/geocodes/{country}/{postalCode}': { row: 'writeNetwork', body: { latitude: 52.5, longitude: 13.4 } },
  'GET /v1/nodes/{nodeId}/dispatch': { row: 'planRuns' },
  'POST /v1/nodes/{nodeId}/runs': { row: 'planRuns', body: { driverId: at.driverId } },
  'GET /v1/runs': { row: 'readRuns' },
  'GET /v1/runs/{runId}': { row: 'readRuns' },
  'POST /v1/runs/{runId}/extend': { row: 'planRuns', body: {} },
  'POST /v1/runs/{runId}/accept': drive,
  'POST /v1/runs/{runId}/depart': drive,
  'POST /v1/runs/{runId}/stops/{stopId}/complete': { row: 'drive', body: { tasks: [{ taskId: at.taskId, outcome: 'failed', reason: 'walked' }] } },
  'POST /v1/runs/{runId}/return': drive,
  'POST /v1/runs/{runId}/cancel': { row: 'planRuns', body: {} },
  'GET /v1/inventory': { row: 'readNetwork' },
  'GET /v1/inventory/{sku}/movements': { row: 'readNetwork' },
  'POST /v1/inventory/counts': { row: 'work', inBody: true, body: [{ sku: 'SOCKS-3P', nodeId: at.nodeId, onHand: 50, asOf: '2026-01-02T00:00:00Z' }] },
  'POST /v1/inventory/count-files': { row: 'work', inLines: true, raw: { text: `${JSON.stringify({ sku: 'SOCKS-3P', nodeId: at.nodeId, onHand: 50, asOf: '2026-01-03T00:00:00Z' })}\n`, type: 'application/x-ndjson' } },
  'POST /v1/inventory/adjustments': { row: 'work', inBody: true, body: { sku: 'SOCKS-3P', nodeId: at.nodeId, delta: 1, reason: 'walked' } },
  'POST /v1/inventory/supply': { row: 'work', inBody: true, body: { sku: 'SOCKS-3P', nodeId: at.nodeId, quantity: 1, expectedAt: future, reference: 'PO-1' } },
  'PUT /v1/inventory/{sku}/{nodeId}': { row: 'writeNetwork', body: { safetyStock: 0 } },
  'GET /v1/policies/{kind}': { row: 'readNetwork' },
  'POST /v1/policies/{kind}': { row: 'writeNetwork', body: at.documents.policy },
  'POST /v1/policies/{kind}/{version}/activate': { row: 'writeNetwork', body: {} },
  'POST /v1/policies/{kind}/return': { row: 'writeNetwork', body: {} },
  'POST /v1/sourcing/dry-run': { row: 'trySourcing', body: { orderId: at.orderId } },
  'POST /v1/sourcing/back-tests': { row: 'trySourcing', body: { from: '2020-01-01T00:00:00Z', to: future, draft: 1 } },
  'GET /v1/sourcing/back-tests/{backTestId}': { row: 'trySourcing' },
  'POST /v1/sourcing/re-optimisations': { row: 'writeNetwork', body: { channel: at.channelId } },
  'GET /v1/sourcing/re-optimisations/{reOptimisationId}': { row: 'trySourcing' },
  'POST /v1/sourcing/re-optimisations/{reOptimisationId}/apply': { row: 'writeNetwork', body: {} },
  'GET /v1/exceptions': { row: 'readExceptions' },
  'POST /v1/exceptions/{exceptionId}/assign': { row: 'workExceptions', body: { assignee: 'Ines' } },
  'POST /v1/exceptions/{exceptionId}/retry': { row: 'workExceptions', body: {} },
  'POST /v1/exceptions/{exceptionId}/resolve': { row: 'workExceptions', body: { resolution: 'walked' } },
  'GET /v1/quarantine': { row: 'quarantine' },
  'POST /v1/quarantine/{quarantineId}/retry': { row: 'quarantine', body: {} },
  'POST /v1/customers/{customerRef}/erase': { row: 'erase', body: { forfeitCredit: true } },
  'POST /v1/orders/{orderId}/erase': { row: 'erase', body: {} },
  'GET /v1/api-keys': { row: 'keys' },
  'POST /v1/api-keys': { row: 'keys', body: { name: 'walked', role: 'support' } },
  'POST /v1/api-keys/{apiKeyId}/revoke': { row: 'keys', body: {} },
  'GET /v1/audit': { row: 'readAudit' },
  'GET /v1/event-schemas/{type}': { row: 'anybody' },
  'GET /v1/webhook-deliveries': { row: 'readWebhooks' },
  'GET /v1/webhook-deliveries/{deliveryId}': { row: 'readWebhooks' },
  'POST /v1/webhook-deliveries/{deliveryId}/redeliver': { row: 'manageWebhooks', body: {} },
  'GET /v1/webhook-endpoints': { row: 'readWebhooks' },
  'GET /v1/webhook-endpoints/{endpointId}': { row: 'readWebhooks' },
  'POST /v1/webhook-endpoints': { row: 'manageWebhooks', inBody: true, body: { url: 'https://8.8.8.8/hooks', channels: [at.channelId] } },
  'POST /v1/webhook-endpoints/{endpointId}/rotate-secret': { row: 'manageWebhooks', body: {} },
  'POST /v1/webhook-endpoints/{endpointId}/enable': { row: 'manageWebhooks', body: {} },
  'POST /v1/webhook-endpoints/{endpointId}/disable': { row: 'manageWebhooks', body: { reason: 'walked' } },
  'POST /v1/webhook-endpoints/{endpointId}/replay': { row: 'manageWebhooks', body: { from: future } },
  'POST /v1/webhook-endpoints/{endpointId}/test': { row: 'manageWebhooks', body: {} },
  'DELETE /v1/webhook-endpoints/{endpointId}': { row: 'manageWebhooks' },
  'GET /v1/demo': { row: 'anybody' },
  'POST /v1/channels/{channelId}/shopify/webhooks': { row: 'signed' },
  'POST /v1/channels/{channelId}/amazon/orders': { ...place, body: { order: {} } },
  'GET /v1/orders/{orderId}/source': { row: 'quarantine' },
  'GET /v1/orders/{orderId}/as/{protocol}': { row: 'readOrders' },
  'POST /v1/payments/stripe/webhook': { row: 'signed' },
  'POST /v1/carriers/{carrier}/events': { row: 'signed' },
  'POST /v1/fraud/events': { row: 'signed' },
  'GET /t/{token}': { row: 'public' },
  'GET /t/{token}/events': { row: 'public', stream: true },
})
