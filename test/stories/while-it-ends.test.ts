/** An order that comes to its end while people ask for something and news comes in: everybody has an answer, and its thread can be told again. */
import { orderWorkflowId } from '../../domain/ids'
import { signals } from '../../domain/messages'
import { expectInvariants } from '../support/invariants'
import { eventually, peopleOf, type People } from '../support/people'
import { startSystem, type System } from '../support/system'
import { expectToldAgain } from '../support/told-again'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT0.5S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
    await expectToldAgain(system)
  } finally {
    await system.stop()
  }
})

const placed = async (): Promise<{ orderId: string; channelOrderId: string }> => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const { channelOrderId } = await people.until(orderId, (o) => o.fulfillments.length > 0, 'work')
  return { orderId, channelOrderId }
}
const threadOf = (channelOrderId: string) => system.client.workflow.getHandle(orderWorkflowId('web', channelOrderId))

/** Until the order is closed, as fast as there are answers. */
async function again<Said>(orderId: string, say: () => Promise<Said>): Promise<Said[]> {
  const said: Said[] = []
  let isOpen = true
  const over = people.until(orderId, (o) => !o.workflowOpen, 'end').finally(() => (isOpen = false))
  while (isOpen) said.push(await say())
  await over
  return said
}

it.each([1, 2, 3, 4])('answers whoever asks just then, whatever else is heard (%i)', async () => {
  const { orderId, channelOrderId } = await placed()
  await people.deliver((await people.order(orderId)).fulfillments[0]!)
  const cancel = async (): Promise<string> => String((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed_mind' })).body.code)
  const news = (): Promise<void> => threadOf(channelOrderId).signal(signals.exceptionRetried, { exceptionId: 'none' }).catch(() => undefined)
  const [, ...said] = await Promise.all([again(orderId, news), ...Array.from({ length: 4 }, () => again(orderId, cancel))])
  expect([...new Set(said.flat())].filter((code) => !['order.already_handed_over', 'order.closed'].includes(code))).toEqual([])
})

it('leaves no timer behind that would ring just when it ends', async () => {
  const { orderId, channelOrderId } = await placed()
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed_mind' })).toMatchObject({ status: 200 })
  const thread = threadOf(channelOrderId)
  await eventually(() => thread.describe(), (seen) => seen.status.name === 'COMPLETED', { what: 'its end' })
  const events = (await thread.fetchHistory()).events!
  const timers = (kind: 'timerStartedEventAttributes' | 'timerCanceledEventAttributes' | 'timerFiredEventAttributes') => events.flatMap((e) => e[kind]?.timerId ?? [])
  expect(timers('timerStartedEventAttributes').length).toBeGreaterThan(0)
  expect([...timers('timerCanceledEventAttributes'), ...timers('timerFiredEventAttributes')].sort()).toEqual(timers('timerStartedEventAttributes').sort())
})
