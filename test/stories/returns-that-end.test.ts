/** Every path of a return has a date and what follows on it: nobody decides, nothing comes, others were sent before, it was paid before. */
import type { ReturnView } from '../../db/views/returns'
import { caller, eventually, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

/** The next orders are placed under this. */
async function policy(document: object): Promise<void> {
  const draft = { window: 'PT60S', restockBy: 'PT60S', mailLabels: false, ...document }
  const { version } = (await people.operations<{ version: number }>('POST', '/v1/policies/returns', draft)).body
  expect((await people.operations('POST', `/v1/policies/returns/${version}/activate`, {})).status).toBe(200)
}

async function delivered(units = 1): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': units, 'dc-01': units })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 2_000 }] })
  await arrive(orderId)
  return orderId
}

async function arrive(orderId: string): Promise<void> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  const work = fulfillments.find((f) => f.status === 'released')!
  await people.deliver(work)
  await people.until(orderId, (o) => o.fulfillments.every((f) => f.status === 'delivered') && o.money.owedMinor === 0, 'delivery')
}

const asked = async (orderId: string, { key = 'demo-channel-web', quantity = 1 } = {}): Promise<ReturnView> =>
  (await caller(system.url, key)<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity, reason: 'too big' }], method: 'mail' })).body
const counted = (returnId: string, grade = 'as_new'): Promise<Answer<ReturnView>> =>
  people.store('store-mitte')<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade, disposition: 'restock' }] })
const view = async (returnId: string): Promise<ReturnView> => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body
const until = (returnId: string, enough: (r: ReturnView) => boolean, what: string): Promise<ReturnView> => eventually(() => view(returnId), enough, { what })
interface Case {
  orderId: string
  kind: string
  status: string
  deadline: string | null
  resolution: string | null
}
const cases = async (orderId: string): Promise<Case[]> => (await people.operations<{ items: Case[] }>('GET', '/v1/exceptions?status=all&limit=200')).body.items.filter((e) => e.orderId === orderId)
const caseOf = async (orderId: string, kind: string): Promise<Case> => (await eventually(() => cases(orderId), (all) => all.some((e) => e.kind === kind), { what: kind })).find((e) => e.kind === kind)!
const reasons = async (orderId: string, type: string): Promise<unknown[]> =>
  (await people.support<{ items: { type: string; data: { reason?: string } }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items.filter((e) => e.type === type).map((e) => e.data.reason)

it('refuses what nobody decides in time where the policy says so, and the customer asks again', async () => {
  await policy({ approval: 'by_staff', decideWithin: 'PT1S', whenUndecided: 'reject' })
  const orderId = await delivered()
  const { returnId } = await asked(orderId)
  expect(await caseOf(orderId, 'return.to_approve')).toMatchObject({ status: 'open', deadline: expect.any(String) })
  await until(returnId, (r) => r.status === 'rejected', 'the end')
  expect(await reasons(orderId, 'return.rejected')).toEqual(['nobody decided in time'])
  expect(await cases(orderId)).toMatchObject([{ kind: 'return.to_approve', status: 'resolved' }])
  const again = await asked(orderId)
  expect((await people.support('POST', `/v1/returns/${again.returnId}/approve`, {})).body).toMatchObject({ status: 'approved' })
  await counted(again.returnId)
  await people.until(orderId, (o) => o.returns[1]!.status === 'closed' && o.money.refundedMinor === 2_490, 'the refund')
})

it('tells support that a customer still waits for an answer, and gives her the whole time once there is one', async () => {
  await policy({ approval: 'by_staff', decideWithin: 'PT1S', restockBy: 'PT30S' })
  const orderId = await delivered()
  const { returnId, dueAt } = await asked(orderId)
  expect(await caseOf(orderId, 'return.undecided')).toMatchObject({ status: 'open', deadline: expect.any(String) })
  expect(await cases(orderId)).not.toContainEqual(expect.objectContaining({ kind: 'return.overdue' }))
  const approved = (await people.support<ReturnView>('POST', `/v1/returns/${returnId}/approve`, {})).body
  expect(approved).toMatchObject({ status: 'approved', dueAt, waitingOn: { what: 'return', deadline: dueAt } })
  expect((await cases(orderId)).map((c) => [c.kind, c.status])).toEqual(expect.arrayContaining([['return.to_approve', 'resolved'], ['return.undecided', 'resolved']]))
  await counted(returnId)
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed' && o.money.refundedMinor === 2_490, 'the refund')
})

it('closes what never comes after a second period: nothing is paid, the case is closed, and what is brought later is taken back at a counter', async () => {
  await policy({ restockBy: 'PT1S', closeAfter: 'PT4S' })
  const orderId = await delivered(2)
  const { returnId } = await asked(orderId, { quantity: 2 })
  const overdue = await caseOf(orderId, 'return.overdue')
  expect((await view(returnId)).waitingOn!.deadline).toBe(overdue.deadline)
  await counted(returnId)
  const closed = await until(returnId, (r) => r.status === 'closed', 'the end')
  expect(closed).toMatchObject({ waitingOn: null, allowedActions: [], lines: [{ quantity: 2, received: 1 }] })
  expect(await reasons(orderId, 'return.closed')).toEqual(['it never came'])
  await people.until(orderId, (o) => o.money.refundedMinor === 2_000 && o.waitingOn?.what === 'return_window', 'what did come to be paid')
  expect((await cases(orderId)).map((c) => [c.kind, c.status])).toEqual([['return.overdue', 'resolved']])
  expect((await counted(returnId)).body).toMatchObject({ code: 'return.state' })
  const late = { nodeId: 'store-mitte', lines: [{ lineId: '1', reason: 'found it', counted: [{ quantity: 1, grade: 'used', disposition: 'restock' }] }] }
  expect((await people.store('store-mitte')('POST', `/v1/orders/${orderId}/counter-returns`, late)).status).toBe(201)
  await people.until(orderId, (o) => o.money.refundedMinor === 4_490 && o.returns[1]!.status === 'closed', 'the rest')
})

it('gives a customer who is reminded both periods anew', async () => {
  await policy({ restockBy: 'PT1S', closeAfter: 'PT20S', remindFor: 'PT1S' })
  const orderId = await delivered()
  const { returnId } = await asked(orderId)
  const first = await caseOf(orderId, 'return.overdue')
  await people.support('POST', `/v1/returns/${returnId}/remind`, {})
  const again = await eventually(() => cases(orderId), (all) => all.filter((e) => e.kind === 'return.overdue').length === 2, { what: 'the case again' })
  expect(again.filter((e) => e.status === 'open')).toMatchObject([{ kind: 'return.overdue' }])
  expect(Date.parse(again.find((e) => e.status === 'open')!.deadline!)).toBeGreaterThan(Date.parse(first.deadline!))
  expect(await view(returnId)).toMatchObject({ status: 'approved' })
  await counted(returnId)
  await people.until(orderId, (o) => o.returns[0]!.status === 'closed', 'the refund')
})

it('leaves to a person what others were sent for with nothing held, with a date to answer by', async () => {
  await policy({ restockBy: 'PT1S', closeAfter: 'PT1S', replaceFirst: true })
  const orderId = await delivered()
  const { returnId } = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, reason: 'broken' }], collectOld: 'mail' })).body
  await arrive(orderId)
  expect(await caseOf(orderId, 'return.not_charged')).toMatchObject({ status: 'open', deadline: expect.any(String) })
  expect(await view(returnId)).toMatchObject({ status: 'approved' })
  await counted(returnId)
  await until(returnId, (r) => r.status === 'closed', 'the end')
})

it('leaves the rest to that person as well where only some of it comes then', async () => {
  await policy({ restockBy: 'PT1S', closeAfter: 'PT1S', countWithin: 'PT0.5S', replaceFirst: true })
  const orderId = await delivered(2)
  const cheaper = await people.stocked({ 'dc-01': 2 })
  const { returnId } = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 2, sku: cheaper, unitPriceMinor: 1_500, reason: 'too big' }], collectOld: 'mail' })).body
  await arrive(orderId)
  await caseOf(orderId, 'return.not_charged')
  await counted(returnId)
  await people.until(orderId, (o) => o.money.refundedMinor === 500, 'what one costs less')
  const again = await eventually(() => cases(orderId), (all) => all.filter((e) => e.kind === 'return.not_charged').length === 2, { what: 'the case again' })
  expect(again.filter((e) => e.status === 'open')).toMatchObject([{ kind: 'return.not_charged', deadline: expect.any(String) }])
  await counted(returnId)
  await until(returnId, (r) => r.status === 'closed', 'the end')
})

it('keeps the case of what was paid before and never came until finance has answered, also when the order is over', async () => {
  await policy({ window: 'PT1S', restockBy: 'PT1S', closeAfter: 'PT1S', refundOn: 'request' })
  const orderId = await delivered()
  await asked(orderId, { key: 'demo-support' })
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ money: { refundedMinor: 2_490 }, returns: [{ status: 'closed' }] })
  expect(await caseOf(orderId, 'return.paid_not_back')).toMatchObject({ status: 'open', deadline: expect.any(String) })
})

it('keeps the case of an empty box until support has answered, also when its return was all that the order waited for', async () => {
  await policy({ window: 'PT0.2S' })
  const orderId = await delivered()
  const { returnId } = await asked(orderId, { key: 'demo-support' })
  expect((await counted(returnId, 'empty_box')).status).toBe(200)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ money: { refundedMinor: 0 }, returns: [{ status: 'closed' }] })
  expect(await caseOf(orderId, 'return.disputed')).toMatchObject({ status: 'open', deadline: expect.any(String) })
})
