/**
 * Every way Throughline says no: one catalogue of codes, each with its HTTP status, what it says and the data a caller needs to act.
 * A refusal is an answer, not an error: it is thrown as a `Refusal` in our own processes, travels through Temporal as a
 * non-retryable `ApplicationFailure` whose type is the code, and becomes an RFC 9457 problem at the edge.
 */
export const refusals = {
  // the request itself
  'request.invalid': { status: 400, says: 'The request does not match its schema', data: 'errors' },
  'request.not_json': { status: 400, says: 'The body is not valid JSON', data: '' },
  'request.unsupported_media_type': { status: 415, says: 'Send application/json', data: 'contentType' },
  'request.too_large': { status: 413, says: 'The body is larger than 1 MB', data: 'limitBytes' },
  'request.idempotency_key_missing': { status: 400, says: 'This command needs an Idempotency-Key header', data: '' },
  'request.idempotency_key_reused': { status: 422, says: 'This Idempotency-Key was used before with another body', data: '' },
  'request.in_progress': { status: 409, says: 'The first request with this Idempotency-Key has not answered yet', data: 'retryAfter' },
  'request.version_mismatch': { status: 412, says: 'The order has changed since the version named in If-Match', data: 'version' },
  'route.unknown': { status: 404, says: 'No such route', data: '' },
  'auth.missing': { status: 401, says: 'An API key is needed: Authorization: Bearer <api key>', data: '' },
  'auth.unknown_key': { status: 401, says: 'This API key is unknown or revoked', data: '' },
  'auth.role': { status: 403, says: 'The role of this API key may not do this', data: 'role, needs' },
  'request.rate_limited': { status: 429, says: 'This caller asks more than it may', data: 'limit, retryAfter' },
  'auth.scope': { status: 403, says: 'This API key does not reach that channel, node or driver', data: 'pointer' },
  'service.unavailable': { status: 503, says: 'The answer did not come in time; repeat with the same Idempotency-Key', data: 'retryAfter' },
  // what an order names
  'order.totals': { status: 400, says: 'The amounts of the order do not add up', data: 'expectedMinor, givenMinor' },
  'order.lines_repeated': { status: 400, says: 'Line ids must differ within an order', data: 'lineId' },
  'order.line_unknown': { status: 400, says: 'The order has no such line', data: 'lineId' },
  'order.kit_in_part': { status: 400, says: 'A kit is cancelled as it was sold: name the line of the kit', data: 'lineId, kit' },
  'sku.unknown': { status: 400, says: 'This SKU is not known', data: 'sku' },
  'node.unknown': { status: 400, says: 'This node is not known', data: 'nodeId' },
  'driver.unknown': { status: 400, says: 'This driver is not known', data: 'driverId' },
  'channel.unknown': { status: 400, says: 'This channel is not known', data: 'channel' },
  'currency.unknown': { status: 400, says: 'This is not an ISO 4217 currency code', data: 'currency' },
  'currency.not_accepted': { status: 400, says: 'The channel does not sell in this currency', data: 'currency, accepts' },
  'delivery.method_not_offered': { status: 400, says: 'This delivery method is not offered', data: 'method, offered' },
  'delivery.service_not_offered': { status: 400, says: 'No carrier offers this service', data: 'service, offered' },
  'tender.unknown': { status: 400, says: 'No such gift card or store credit', data: 'tenderId' },
  'count.from_future': { status: 400, says: 'A count cannot be from the future', data: 'asOf' },
  'supply.unknown': { status: 400, says: 'Nothing was announced under this reference', data: 'reference' },
  'bulk.invalid': { status: 400, says: 'The file of orders cannot be taken as a whole', data: 'line, reason, most' },
  'webhook_endpoint.destination': { status: 400, says: 'Webhooks are not sent to this address', data: 'reason' },
  'quote.unknown': { status: 400, says: 'This is no quote of ours', data: '' },
  // what is not there, or not yours to see
  'order.unknown': { status: 404, says: 'No such order', data: '' },
  'change.unknown': { status: 404, says: 'No such change of this order', data: '' },
  'hold.unknown': { status: 404, says: 'No such hold of this order', data: '' },
  'version.unknown': { status: 404, says: 'The order has no such version', data: '' },
  'fulfillment.unknown': { status: 404, says: 'No such fulfillment', data: '' },
  'reservation.unknown': { status: 404, says: 'No such reservation', data: '' },
  'return.unknown': { status: 404, says: 'No such return', data: '' },
  'package.unknown': { status: 404, says: 'No such package', data: '' },
  'wave.unknown': { status: 404, says: 'No such wave', data: '' },
  'node.not_found': { status: 404, says: 'No such node', data: '' },
  'sku.not_found': { status: 404, says: 'No such SKU', data: '' },
  'channel.not_found': { status: 404, says: 'No such channel', data: '' },
  'driver.not_found': { status: 404, says: 'No such driver', data: '' },
  'carton.not_found': { status: 404, says: 'No such carton', data: '' },
  'carrier.not_found': { status: 404, says: 'No such carrier', data: '' },
  'exception.unknown': { status: 404, says: 'No such exception', data: '' },
  'quarantine.unknown': { status: 404, says: 'No such quarantined message', data: '' },
  'policy.unknown': { status: 404, says: 'No such policy or version', data: 'kind, version' },
  'api_key.unknown': { status: 404, says: 'No such API key', data: '' },
  'quote.not_found': { status: 404, says: 'No such quote', data: '' },
  'gift_card.unknown': { status: 404, says: 'No such gift card', data: '' },
  'store_credit.unknown': { status: 404, says: 'No such store credit', data: '' },
  'run.unknown': { status: 404, says: 'No such run', data: '' },
  'stop.unknown': { status: 404, says: 'No such stop on this run', data: '' },
  'webhook_endpoint.unknown': { status: 404, says: 'No such webhook endpoint', data: '' },
  'webhook_delivery.unknown': { status: 404, says: 'No such delivery of a webhook', data: '' },
  're_optimisation.unknown': { status: 404, says: 'No such re-optimisation', data: '' },
  'back_test.unknown': { status: 404, says: 'No such back-test', data: '' },
  // what state or stock does not allow
  'tender.declined': { status: 409, says: 'The gift card or store credit has not as much left, or has expired', data: 'tenderId, reason' },
  'gift_card.code_in_use': { status: 409, says: 'A gift card has this code', data: '' },
  'claim.no_customer': { status: 409, says: 'Store credit needs a customer with a reference', data: '' },
  'order.duplicate': { status: 409, says: 'This channel order id was used before with another body', data: 'orderId' },
  'stock.short': { status: 409, says: 'There is not enough stock for this order', data: 'short: [{sku, wanted, available}]' },
  'order.already_handed_over': { status: 409, says: 'Parts of this order have left the building', data: 'fulfillmentIds, instead, exceptionId, parcels: [{fulfillmentId, carrier, trackingNumber}]' },
  'order.units_not_cancellable': { status: 409, says: 'Some of these units are packed or have left', data: 'lines: [{lineId, asked, cancellable, elsewhere: [{state, quantity, fulfillmentId, nodeId}]}]' },
  'order.kit_not_raised': { status: 409, says: 'More of a kit is another line', data: 'lineId' },
  'order.change_too_late': { status: 409, says: 'Everything of this order is packed or has left: nothing can be added to it', data: 'fulfillmentIds' },
  'order.change_not_payable': { status: 409, says: 'Nothing of this order was paid through us, so that the difference cannot be charged', data: 'chargeMinor' },
  'exchange.not_payable': { status: 409, says: 'Nothing of this order was paid by a card through us, so that nothing can be held for the exchange', data: 'amountMinor' },
  'exchange.price_changed': { status: 409, says: 'What the exchange costs has changed while the bank was asked', data: 'heldMinor, chargeMinor' },
  'order.change_undecided': { status: 409, says: 'The customer asked for this: a merchant decides first', data: 'expiresAt' },
  'order.change_under_way': { status: 409, says: 'Another change of this order waits for its money', data: '' },
  'order.change_leaves_nothing': { status: 409, says: 'Nothing of the order would be left', data: 'instead' },
  'order.change_expired': { status: 409, says: 'The change was not confirmed in time', data: 'expiredAt' },
  'order.change_ended': { status: 409, says: 'This change has come to its end', data: 'state' },
  'order.version_changed': { status: 409, says: 'The order is no longer what the change was asked for', data: 'was, version' },
  'order.address_needed': { status: 409, says: 'To be sent, the order needs an address', data: '' },
  'order.delivery_too_late': { status: 409, says: 'Some of this order is packed, at the counter or on its way already', data: 'fulfillmentIds, states' },
  'delivery.date_not_kept': { status: 409, says: 'No service brings it by then', data: 'by, earliest' },
  'order.address_too_late': { status: 409, says: 'A parcel bears the address already', data: 'fulfillmentIds' },
  'api_key.last_admin': { status: 409, says: 'The last API key of role admin cannot be revoked', data: '' },
  'customer.has_credit': { status: 409, says: 'The customer has store credit left', data: 'credit' },
  'return.state': { status: 409, says: 'The return does not allow this in its state', data: 'state' },
  'return.quantity': { status: 409, says: 'The customer does not have, or nobody expects, that many of a line', data: 'lineId, open, given' },
  'return.window_closed': { status: 409, says: 'The time for sending it back is over', data: 'closedAt, lineIds' },
  'return.no_driver': { status: 409, says: 'None of our own drivers comes to this door, so nobody can take something along', data: 'instead' },
  'return.reason_not_accepted': { status: 409, says: 'This is no reason that goods are taken back for', data: 'lineId, given, accepted' },
  'return.proof_needed': { status: 409, says: 'Something has to be shown for it first', data: 'proof, lineIds' },
  'return.no_label': { status: 409, says: 'There is no label for this return', data: 'code' },
  'return.final_sale': { status: 409, says: 'Some of it is not taken back', data: 'skus' },
  'order.already_cancelled': { status: 409, says: 'This order is cancelled', data: 'state' },
  'order.erased': { status: 409, says: 'The customer of this order was erased', data: '' },
  'order.closed': { status: 409, says: 'This order has come to its end', data: 'state' },
  'order.held': { status: 409, says: 'A hold stops this', data: 'step, holdId, type, owner, holds: [{holdId, type, owner}]' },
  'hold.ended': { status: 409, says: 'This hold has ended', data: 'state' },
  'hold.not_yours': { status: 403, says: 'Somebody else has to release this hold', data: 'owner, role' },
  'hold.four_eyes': { status: 409, says: 'Somebody else has to say yes: not who asked, and nobody twice', data: 'askedBy, approvedBy, needed' },
  'order.not_authorized': { status: 409, says: 'Goods leave only on a valid payment authorisation', data: 'paymentStatus' },
  'fulfillment.state': { status: 409, says: 'The fulfillment is not in a state that allows this', data: 'state, assignee, allowedActions' },
  'fulfillment.taken': { status: 409, says: 'This work is not with whom you say', data: 'state, assignee, allowedActions' },
  'fulfillment.quantity': { status: 409, says: 'More units than this fulfillment still has open', data: 'lineId, open, given, state, assignee' },
  'fulfillment.scan_repeated': { status: 409, says: 'This scan was counted before', data: 'scanId, lineId, at, actor, state, assignee' },
  'fulfillment.not_all_picked': { status: 409, says: 'Pick every line before packing', data: 'open: [{lineId, quantity}]' },
  'fulfillment.packages_differ': { status: 409, says: 'The packages must hold exactly what was picked', data: 'lineId, picked, packed' },
  'collection.not_proven': { status: 409, says: 'The code is wrong: look at it again, or at an identity document', data: 'triesLeft' },
  'fulfillment.weight_implausible': { status: 409, says: 'A package weighs less than what is in it', data: 'package, weightGrams, goodsGrams, leastGrams' },
  'fulfillment.too_many_units': { status: 409, says: 'More units than a packing proposal is made for', data: 'units, most' },
  'fulfillment.scans_differ': { status: 409, says: 'Scan every package of this work once, and nothing else', data: 'missing: [{packageId, number, trackingNumber}], foreign, repeated, state, assignee' },
  'fulfillment.waits_for_others': { status: 409, says: 'Other nodes send the rest of this order here first', data: 'from: [{nodeId, state}]' },
  'fulfillment.label_missing': { status: 409, says: 'The carrier has not given a label yet', data: 'waitingOn' },
  'wave.nothing_to_pick': { status: 409, says: 'No work waits at this node that is in no wave and with nobody else', data: 'nodeId' },
  'run.state': { status: 409, says: 'The run is not in a state that allows this', data: 'state, allowedActions' },
  'run.nothing_waits': { status: 409, says: 'Nothing waits here that this driver could take', data: 'waiting' },
  'run.driver_busy': { status: 409, says: 'This driver has a run that has not ended', data: 'runId' },
  'run.driver_elsewhere': { status: 409, says: 'This driver does not start from this node', data: 'homeNodes' },
  'stop.completed': { status: 409, says: 'This stop is done', data: 'state, completedAt' },
  'task.unknown': { status: 400, says: 'This is no task of this stop', data: 'taskId' },
  'quote.expired': { status: 409, says: 'This quote has expired', data: 'expiredAt' },
  'quote.used': { status: 409, says: 'An order has used this quote already', data: '' },
  'quote.mismatch': { status: 409, says: 'The order is not what was quoted', data: '' },
  'quote.gone': { status: 409, says: 'What was quoted can no longer be had', data: 'instead' },
  'reservation.ended': { status: 409, says: 'This reservation has ended', data: 'state' },
  'stock.negative': { status: 409, says: 'The adjustment would take stock below zero', data: 'onHand, delta' },
  'policy.not_draft': { status: 409, says: 'Only a draft can be activated', data: 'state' },
  'policy.no_earlier': { status: 409, says: 'No version applied before this one', data: 'kind' },
  'back_test.no_orders': { status: 409, says: 'No order was placed in this period', data: 'from, to' },
  'back_test.too_many_orders': { status: 409, says: 'More orders were placed in this period than one back-test takes', data: 'orders, most' },
  'back_test.currencies': { status: 409, says: 'Orders in several currencies cannot be summed up', data: 'currencies' },
  're_optimisation.no_costs': { status: 409, says: 'Only a policy with costs can say what is cheaper', data: 'version, mode' },
  're_optimisation.state': { status: 409, says: 'The re-optimisation is not in a state that allows this', data: 'state' },
  'payment.disputed': { status: 409, says: 'The customer’s bank disputes this payment: nothing is given back until it is decided', data: 'disputeId, amountMinor' },
  'settlement.invalid': { status: 400, says: 'This is no whole settlement file', data: 'line, reason' },
  'settlement.unknown': { status: 404, says: 'No such settlement', data: '' },
  'webhook_endpoint.disabled': { status: 409, says: 'The endpoint is disabled', data: '' },
  'exception.resolved': { status: 409, says: 'This exception is already resolved', data: 'resolution' },
  'quarantine.ended': { status: 409, says: 'This message has already become an order', data: 'orderId' },
  'quarantine.still_invalid': { status: 409, says: 'This message can still not become an order', data: 'reasons' },
  // why a channel's message is kept in quarantine
  'channel.order_cancelled': { status: 409, says: 'The channel has cancelled this order', data: '' },
  'channel.not_paid': { status: 409, says: 'The channel has not taken the money for this order', data: '' },
  'channel.line_not_goods': { status: 409, says: 'A line of this order is nothing that is sent', data: '' },
  'channel.address_missing': { status: 409, says: 'The order says nothing of where to send it', data: '' },
  // messages from outside
  'signature.invalid': { status: 401, says: 'The signature does not match the body', data: '' },
  // payment endings an order can have
  'payment.declined': { status: 409, says: 'The payment was declined', data: 'declineCode' },
  'payment.not_settled': { status: 409, says: 'The payment was not settled by its deadline', data: 'waitedSince' },
  'collection.expired': { status: 409, says: 'Nobody came for the goods in time', data: 'pickupBy' },
  'fraud.rejected': { status: 409, says: 'The fraud service rejects this order', data: '' },
  'hold.expired': { status: 409, says: 'Nobody released a hold in time', data: '' },
  'sourcing.unfillable': { status: 409, says: 'No node could fill the order by its deadline', data: 'short' },
} as const satisfies Record<string, { status: number; says: string; data: string }>

export type RefusalCode = keyof typeof refusals

/** One place of the request and what is wrong with it; `pointer` is a JSON pointer (RFC 6901). */
export interface RefusalDetail {
  pointer: string
  message: string
  code?: RefusalCode
}

/** A rule said no. `data` is what the caller needs to act; `detail` a sentence about this very case. */
export class Refusal extends Error {
  override name = 'Refusal'
  constructor(
    readonly code: RefusalCode,
    readonly data: Record<string, unknown> = {},
    readonly detail?: string,
    readonly errors: readonly RefusalDetail[] = [],
  ) {
    super(detail ?? refusals[code].says)
  }
}

/** Builds a refusal: `throw refuse('stock.short', { short })`. */
export const refuse = (code: RefusalCode, data: Record<string, unknown> = {}, detail?: string, errors: readonly RefusalDetail[] = []): Refusal =>
  new Refusal(code, data, detail, errors)

export const isRefusalCode = (code: unknown): code is RefusalCode => typeof code === 'string' && Object.hasOwn(refusals, code)
