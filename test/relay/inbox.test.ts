/** What outside facts do when they cross what they are about. */
import pino from 'pino'
import { startInbox } from '../../relay/inbox'
import { channelFacts, type FactHandler } from '../../relay/channel-facts'
import type { Threads } from '../../relay/threads'
import { openEdge, type Edge } from '../api/edge'
import { eventually } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

it('cancels an order that comes between looking for it and keeping the message for it', async () => {
  const order = freshShopifyOrder()
  const number = order.admin_graphql_api_id.split('/').pop()!
  await sendShopify(edge.url, { admin_graphql_api_id: order.admin_graphql_api_id, cancel_reason: 'customer' }, { topic: 'orders/cancelled' })
  const asked: string[] = []
  const threads: Pick<Threads, 'ask' | 'tell'> = { ask: ({ orderId }) => Promise.resolve(void asked.push(orderId)), tell: () => Promise.resolve(true) }
  const cancel = channelFacts({ db: edge.db, threads })['shopify.orders/cancelled']!
  const looked: string[] = []
  const crossing: FactHandler = async (fact) => {
    const found = await cancel(fact)
    looked.push(found.outcome)
    if (looked.length === 1) await sendShopify(edge.url, order) // committed before the message is kept
    return found
  }
  const inbox = startInbox({ db: edge.db, threads, log: pino({ enabled: false }), channelFacts: { 'shopify.orders/cancelled': crossing }, idleMs: 20 })
  try {
    const settled = await eventually(() => edge.db('inbound_events').where({ kind: 'shopify.orders/cancelled', subject: number }).first(), (fact) => fact.status === 'done')
    expect(settled).toMatchObject({ outcome: 'cancelled' })
  } finally {
    await inbox.stop()
  }
  expect(looked).toEqual(['no such order yet', 'cancelled'])
  expect(asked).toHaveLength(1)
})
