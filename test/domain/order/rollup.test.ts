/** Where an order is follows from its parts. */
import { rollUp, type OrderFacts } from '../../../domain/order/rollup'

const line = { quantity: 2, shipped: 0, delivered: 0, cancelled: 0, backordered: 0 }
const payment = { status: 'opened', amountMinor: 100, authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0 }
const held = { ...payment, status: 'authorized', authorizedMinor: 100 }
const taken = { ...held, status: 'captured', capturedMinor: 100 }
const facts = (change: Partial<OrderFacts>): OrderFacts => ({ stage: 'open', lines: [line], payments: [payment], fulfillments: [], ...change })

it.each<[string, Partial<OrderFacts>, string]>([
  ['placed while the money is not held', {}, 'placed'],
  ['placed while one of two tenders is not held', { payments: [held, payment] }, 'placed'],
  ['sourcing once it is', { payments: [held] }, 'sourcing'],
  ['backordered when a line waits for stock', { payments: [held], lines: [{ ...line, backordered: 2 }] }, 'backordered'],
  ['in fulfillment once a node works on it', { payments: [held], fulfillments: [{ status: 'released', method: 'delivery' }] }, 'in_fulfillment'],
  ['held at the till while it may not leave', { payments: [held], fulfillments: [{ status: 'released', method: 'carry_out' }], blocked: ['shipping'] }, 'held'],
  ['held at the till while it may not be picked', { payments: [held], fulfillments: [{ status: 'released', method: 'carry_out' }], blocked: ['picking'] }, 'held'],
  ['in fulfillment while a node may pick what may not leave', { payments: [held], fulfillments: [{ status: 'released', method: 'delivery' }], blocked: ['shipping'] }, 'in_fulfillment'],
  ['backordered again when the node said no', { payments: [held], lines: [{ ...line, backordered: 2 }], fulfillments: [{ status: 'rejected', method: 'delivery' }] }, 'backordered'],
  ['partially shipped when part has left', { payments: [held], lines: [{ ...line, shipped: 1 }], fulfillments: [{ status: 'handed_over', method: 'delivery' }] }, 'partially_shipped'],
  ['shipped when all has left', { payments: [taken], lines: [{ ...line, shipped: 2 }], fulfillments: [{ status: 'in_transit', method: 'delivery' }] }, 'shipped'],
  ['shipped when what was not cancelled has left', { payments: [taken], lines: [{ ...line, shipped: 1, cancelled: 1 }] }, 'shipped'],
  ['delivered when all has arrived', { payments: [taken], lines: [{ ...line, shipped: 2, delivered: 2 }] }, 'delivered'],
  ['completed when its end was written', { stage: 'completed', payments: [taken], lines: [{ ...line, shipped: 2, delivered: 2 }] }, 'completed'],
  ['cancelled when its end was written', { stage: 'cancelled', payments: [held], lines: [{ ...line, cancelled: 2 }] }, 'cancelled'],
  ['held when a hold stops the payment', { blocked: ['payment'] }, 'held'],
  ['placed while what is stopped comes later', { blocked: ['picking', 'shipping'] }, 'placed'],
  ['held when nothing may reach a node', { payments: [held], blocked: ['picking'] }, 'held'],
  ['held when no node may be chosen', { payments: [held], blocked: ['sourcing'], lines: [{ ...line, backordered: 2 }] }, 'held'],
  ['held when its node may not go on', { payments: [held], fulfillments: [{ status: 'picking', method: 'delivery' }], blocked: ['picking'] }, 'held'],
  ['in fulfillment while one of its parts goes on', { payments: [held], fulfillments: [{ status: 'picking', method: 'delivery' }, { status: 'packed', method: 'delivery' }], blocked: ['picking'] }, 'in_fulfillment'],
  ['held when what is packed may not leave', { payments: [held], fulfillments: [{ status: 'packed', method: 'delivery' }], blocked: ['shipping'] }, 'held'],
  ['shipped when only refunds are stopped', { payments: [taken], lines: [{ ...line, shipped: 2 }], blocked: ['refund'] }, 'shipped'],
  ['cancelled when nothing is left of it', { payments: [held], lines: [{ ...line, cancelled: 2 }] }, 'cancelled'],
])('is %s', (_when, change, status) => {
  expect(rollUp(facts(change)).status).toBe(status)
})

it.each([
  ['pending', [payment]],
  ['pending', [held, payment]],
  ['authorized', [held]],
  ['authorized', [held, held]],
  ['declined', [held, { ...payment, status: 'declined' }]],
  ['captured', [taken]],
  ['partially_captured', [{ ...taken, amountMinor: 100, capturedMinor: 60 }]],
  ['partially_captured', [{ ...taken, tenderId: 'card', capturedMinor: 60 }, { ...held, tenderId: 'card', part: 2, amountMinor: 40 }]],
  ['partially_captured', [{ ...taken, tenderId: 'card', capturedMinor: 60 }, { ...payment, status: 'declined', tenderId: 'card', part: 2, amountMinor: 40 }]],
  ['partially_captured', [{ ...held, capturedMinor: 60 }]],
  ['captured', [{ ...taken, tenderId: 'card', capturedMinor: 60 }, { ...taken, tenderId: 'card', part: 2, amountMinor: 40, capturedMinor: 40 }]],
  ['authorized', [{ ...held, status: 'voided', tenderId: 'card' }, { ...held, tenderId: 'card', part: 2 }]],
  ['partially_captured', [taken, held]],
  ['voided', [{ ...held, status: 'voided' }]],
  ['partially_refunded', [{ ...taken, refundedMinor: 40 }]],
  ['refunded', [{ ...taken, refundedMinor: 100 }]],
])('says the money is %s', (status, payments) => {
  expect(rollUp(facts({ payments })).paymentStatus).toBe(status)
})

it('says the money is captured when what was not cancelled has left and is paid', () => {
  const lines = [{ ...line, shipped: 1, cancelled: 1 }]
  expect(rollUp(facts({ lines, payments: [{ ...taken, capturedMinor: 60 }] })).paymentStatus).toBe('captured')
  expect(rollUp(facts({ lines, payments: [{ ...held, capturedMinor: 60 }] })).paymentStatus).toBe('partially_captured')
})

it('says how much of what is wanted has left', () => {
  const of = (change: object): string => rollUp(facts({ lines: [{ ...line, ...change }] })).fulfillmentStatus
  expect([of({}), of({ shipped: 1 }), of({ shipped: 2 }), of({ shipped: 1, cancelled: 1 })]).toEqual(['none', 'partial', 'fulfilled', 'fulfilled'])
})
