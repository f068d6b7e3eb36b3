/** What a channel was promised by holds after the sale: extra time is used up before a customer hears another date, and what comes into force later changes nothing. */
import { defaultPolicies } from '../../domain/policy/kinds'
import { expectInvariants } from '../support/invariants'
import { eventually, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const channelRules = [{ name: 'careful', channelKinds: ['marketplace'], confidence: 0.95, extraHandling: 'P7D', whenLate: { then: 'new_promise' } }] as const
beforeAll(async () => {
  system = await startSystem({ policies: { promise: { channelRules }, store_work: { acceptWithin: 'PT1.5S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const dayMs = 86_400_000
const daysTo = (at: string | null): number => (Date.parse(at!) - Date.now()) / dayMs
const sold = (sku: string, more: OrderWish = {}): Promise<string> => people.place({ channel: 'marketplace', paidElsewhere: true, claim: 'required', lines: [{ sku, quantity: 1 }], ...more })
const earlier = async (orderId: string, days: number): Promise<string> => {
  const promisedBy = new Date(Date.parse((await people.order(orderId)).promise.promisedBy!) - days * dayMs).toISOString()
  await system.db.raw(`UPDATE orders SET promise = jsonb_set(promise, '{promisedBy}', ?::jsonb) WHERE order_id = ?`, [JSON.stringify(promisedBy), orderId])
  return promisedBy
}
const isLate = async (orderId: string): Promise<boolean> => (await people.operations<{ items: { orderId: string }[] }>('GET', '/v1/exceptions?kind=fulfillment.late&limit=200')).body.items.some((e) => e.orderId === orderId)

it('takes what is lost on the way from the extra time, and tells another date only where that is used up', async () => {
  const sku = await people.stocked({ 'dc-01': 2 })
  const [inTime, tooLate] = [await sold(sku), await sold(sku)]
  await people.until(tooLate, (o) => o.fulfillments.length === 1)
  const promisedBy = await earlier(inTime, 3) // as if three of the seven days had gone
  await earlier(tooLate, 40)
  await eventually(() => isLate(inTime), (late) => late, { what: 'the work to be late' })
  await people.until(tooLate, (o) => daysTo(o.promise.promisedBy) > 0)
  expect((await people.order(inTime)).promise.promisedBy).toBe(promisedBy)
  expect(await people.told(inTime)).not.toContain('promise.renewed')
  expect(await people.told(tooLate)).toContain('promise.renewed')
})

it('promises a change of the order by what the order was sold by, whatever is in force by then', async () => {
  interface Proposed {
    promise: { promisedBy: string; confidence: number }
  }
  const sku = await people.stocked({ 'dc-01': 4 })
  const orderId = await sold(sku)
  const { promise } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(daysTo(promise.promisedBy)).toBeGreaterThan(7)
  const draft = await people.operations<{ version: number }>('POST', '/v1/policies/promise', { ...defaultPolicies.promise, confidence: 0.6 })
  expect(await people.operations('POST', `/v1/policies/promise/${draft.body.version}/activate`, {})).toMatchObject({ status: 200 })
  const fresh = async (): Promise<number> => daysTo((await people.order(await sold(sku))).promise.promisedBy)
  expect(await eventually(fresh, (days) => days < 7, { what: 'the policy to be in force' })).toBeGreaterThan(0)
  const shipTo = { name: 'Customer', line1: 'Oranienstraße 30', city: 'Berlin', postalCode: '10999', country: 'DE', latitude: 52.5015, longitude: 13.418 }
  const asked: Answer<Proposed> = await people.support<Proposed>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setShipTo', shipTo }] })
  expect(asked.status).toBe(201)
  expect(daysTo(asked.body.promise.promisedBy)).toBeGreaterThan(7)
  expect(asked.body.promise.confidence).toBeGreaterThanOrEqual(0.95)
})
