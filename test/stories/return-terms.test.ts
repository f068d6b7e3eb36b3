/** Returns under terms per channel and category: each line by its own rule, binding for customers, advice for staff. */
import type { ReturnView } from '../../db/views/returns'
import type { ReturnsPolicy } from '../../domain/policy/kinds'
import { caller, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const returns: ReturnsPolicy = {
  window: 'PT60S',
  restockBy: 'PT30S',
  feeMinor: 300,
  rules: [
    { name: 'generous', terms: ['generous'], feeMinor: 0 },
    { name: 'shoes', categories: ['shoes'], feeMinor: 200, feePer: 'line', reasons: [{ code: 'too_big' }, { code: 'broken', ourFault: true }], proof: 'photo' },
    { name: 'sealed', categories: ['sealed'], finalSale: true },
  ],
}
beforeAll(async () => {
  system = await startSystem({ policies: { returns } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

/** An order of one unit each, delivered, by the categories of its SKUs. */
async function delivered(...categories: (string | null)[]): Promise<string> {
  const skus: string[] = []
  for (const category of categories) {
    const sku = await people.stocked({ 'store-mitte': 1 })
    await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 400, category })
    skus.push(sku)
  }
  const orderId = await people.place({ lines: skus.map((sku) => ({ sku, quantity: 1, unitPriceMinor: 2_000 })) })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  return orderId
}

const asked = (call: Call, orderId: string, reasons: string[], more: object = {}, query = ''): Promise<Answer<ReturnView & { money: object; terms: object[] }>> =>
  call('POST', `/v1/orders/${orderId}/returns${query}`, { lines: reasons.map((reason, i) => ({ lineId: String(i + 1), quantity: 1, reason })), method: 'store', ...more })
const counted = (returnId: string, lineId: string): Promise<Answer<ReturnView>> =>
  people.store('store-mitte')<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId, quantity: 1, grade: 'as_new', disposition: 'restock' }] })
const proof = { photo: 'uploads/1042-1.jpg' }

it('says in the preview which rule governs each line, and keeps its fee when that line comes', async () => {
  const orderId = await delivered('shoes', null)
  const preview = await asked(people.shop, orderId, ['too_big', 'not mine'], { proof }, '?preview=true')
  expect(preview.body).toMatchObject({
    terms: [{ lineId: '1', rule: 'shoes', feeMinor: 200, feePer: 'line', proof: 'photo' }, { lineId: '2', rule: null, feeMinor: 300, feePer: 'return', proof: 'none' }],
    money: { feeMinor: -500, goodsMinor: 4_000, shippingMinor: 490, refundMinor: 3_990 },
  })
  const { body } = await asked(people.shop, orderId, ['too_big', 'not mine'], { proof })
  expect(body).toMatchObject({ proof, lines: [{ rule: 'shoes', feeMinor: 200 }, { rule: null, feeMinor: 300 }] })
  await counted(body.returnId, '2')
  await people.until(orderId, (o) => o.money.refundedMinor === 1_700)
  await counted(body.returnId, '1')
  await people.until(orderId, (o) => o.money.refundedMinor === 3_990 && o.returns[0]!.status === 'closed')
})

it('takes back on the terms that the channel had chosen when it sold, whatever it chooses later', async () => {
  const { body: web } = await people.operations('GET', '/v1/channels/web')
  await people.operations('PUT', '/v1/channels/web', { ...web, returnTerms: 'generous' })
  const orderId = await delivered('shoes')
  await people.operations('PUT', '/v1/channels/web', { ...web, returnTerms: null })
  expect((await asked(people.shop, orderId, ['whatever'], {}, '?preview=true')).body.terms).toMatchObject([{ rule: 'generous', feeMinor: 0 }])
})

it('keeps nothing where the fault is ours', async () => {
  const orderId = await delivered('shoes')
  const { body } = await asked(people.shop, orderId, ['broken'], { proof })
  await counted(body.returnId, '1')
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490)
})

it('binds customers: another reason, nothing shown, goods that are not taken back', async () => {
  const orderId = await delivered('shoes', 'sealed')
  const shoes = (reason: string, more: object = {}): Promise<Answer> => people.shop('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason }], method: 'store', ...more })
  expect(await shoes('ugly', { proof })).toMatchObject({ status: 409, body: { code: 'return.reason_not_accepted', lineId: '1', given: 'ugly', accepted: ['too_big', 'broken'] } })
  expect(await shoes('too_big')).toMatchObject({ status: 409, body: { code: 'return.proof_needed', proof: 'photo', lineIds: ['1'] } })
  expect(await shoes('too_big', { proof: {} })).toMatchObject({ status: 400 })
  expect(await asked(people.shop, orderId, ['too_big', 'worn'], { proof })).toMatchObject({ status: 409, body: { code: 'return.final_sale' } })
  expect((await people.order(orderId)).returns).toEqual([])
})

it('advises staff, and keeps who went beyond which rules', async () => {
  const orderId = await delivered('shoes', 'sealed')
  const preview = await asked(people.support, orderId, ['ugly', 'worn'], {}, '?preview=true')
  expect(preview.body.override).toMatchObject({ rule: 'final_sale', rules: ['sealed'], also: [{ rule: 'reason', by: ['shoes'] }, { rule: 'proof' }] })
  const { body } = await asked(people.support, orderId, ['ugly', 'worn'])
  expect(body).toMatchObject({ status: 'approved', override: { by: 'support:demo-support', rule: 'final_sale', rules: ['sealed'], also: [{ rule: 'reason' }, { rule: 'proof' }] } })
  const audit = await system.db.raw<{ rows: { actor: string; cause: string }[] }>(`SELECT actor, cause FROM audit WHERE action = 'return.override' AND subject = ?`, [orderId])
  expect(audit.rows).toEqual([{ actor: 'support:demo-support', cause: 'final_sale (sealed), reason (shoes), proof (shoes)' }])
})

it('refuses a policy that names a rule or a reason twice, or a category that cannot be one', async () => {
  const draft = (rules: object[]): Promise<Answer> => caller(system.url, 'demo-operations')('POST', '/v1/policies/returns', { window: 'P30D', restockBy: 'P45D', rules })
  expect(await draft([{ name: 'a' }, { name: 'a' }])).toMatchObject({ status: 400, body: { errors: [{ pointer: '/rules' }] } })
  expect(await draft([{ name: 'a', reasons: [{ code: 'x' }, { code: 'x' }] }])).toMatchObject({ status: 400, body: { errors: [{ pointer: '/rules/0/reasons' }] } })
  expect(await draft([{ name: 'a', categories: ['Big Shoes'] }])).toMatchObject({ status: 400, body: { errors: [{ pointer: '/rules/0/categories/0' }] } })
  expect(await draft([{ name: 'a', categories: ['shoes'], feeMinor: 1.5 }])).toMatchObject({ status: 400, body: { errors: [{ pointer: '/rules/0/feeMinor' }] } })
  expect((await draft([{ name: 'a', categories: ['shoes'], feeMinor: 100, feePer: 'line' }])).status).toBe(201)
})

it('keeps a fee that the first unit does not cover of the next ones, as the preview says', async () => {
  const sku = await people.stocked({ 'store-mitte': 5 })
  const orderId = await people.place({ lines: [{ sku, quantity: 5, unitPriceMinor: 110 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  const packed = (await people.pickAll(fulfillments[0]!), await people.packAll(fulfillments[0]!))
  await people.handOver(fulfillments[0]!)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  const four = { lines: [{ lineId: '1', quantity: 4, reason: 'too many' }] }
  expect((await asked(people.shop, orderId, [], four, '?preview=true')).body).toMatchObject({ money: { refundMinor: 140, feeMinor: -300 } })
  const { returnId } = (await asked(people.shop, orderId, [], four)).body
  const given: object[] = []
  for (let n = 0; n < 4; n += 1) given.push((await counted(returnId, '1')).body.money)
  expect(given).toMatchObject([{ refundMinor: 0, feeMinor: 110 }, { refundMinor: 0, feeMinor: 220 }, { refundMinor: 30, feeMinor: 300 }, { refundMinor: 140, feeMinor: 300 }])
  await people.until(orderId, (o) => o.money.refundedMinor === 140 && o.returns[0]!.status === 'closed', 'the refund')
})
