/** A busy morning in a store: one walk for several orders, a customer who changes her mind, two associates and a scanner that stutters; nothing is done twice. */
import { eventually, nearMitte, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Wave {
  waveId: string
  pickList: { bin: string | null; sku: string; quantity: number; for: { fulfillmentId: string; lineId: string; position: number; quantity: number }[] }[]
  fulfillments: { fulfillmentId: string }[]
  left: { fulfillmentId: string; why: string; putBack: { sku: string; quantity: number }[] }[]
}
interface Proposal {
  packages: { cartonId: string; weightGrams: number; lengthMm: number; widthMm: number; heightMm: number; lines: { lineId: string; quantity: number }[] }[]
  unpacked: object[]
}

const nodeId = 'store-mitte'
const wanted = (lines: { sku: string; quantity: number }[]): Promise<string> => people.place({ lines, shipTo: nearMitte })
const workOf = async (orderId: string): Promise<FulfillmentWork> => (await people.until(orderId, (o) => o.fulfillments.length === 1, 'a work order')).fulfillments[0]!
const refused = (answer: Answer<unknown>): object => ({ status: answer.status, ...(answer.body as object) })

it('is picked in one walk, packed as proposed, and handed over by scan', async () => {
  const [socks, shirt] = [await people.stocked({ [nodeId]: 9 }), await people.stocked({ [nodeId]: 9 })]
  for (const [sku, side] of [[socks, 80], [shirt, 160]] as const) await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 400, lengthMm: 300, widthMm: 200, heightMm: side })
  const store = people.store(nodeId)
  await store('PUT', `/v1/nodes/${nodeId}/bins`, { bins: [{ sku: socks, bin: 'B-12' }, { sku: shirt, bin: 'B-3' }] })
  const orders = [await wanted([{ sku: socks, quantity: 2 }, { sku: shirt, quantity: 2 }]), await wanted([{ sku: socks, quantity: 1 }]), await wanted([{ sku: socks, quantity: 1 }])]
  const [first, second, third] = await Promise.all(orders.map(workOf)) as [FulfillmentWork, FulfillmentWork, FulfillmentWork]

  const { status, body: wave } = await store<Wave>('POST', `/v1/nodes/${nodeId}/waves`, { maxOrders: 3, assignee: 'Ines' })
  expect([status, wave.pickList.map((stop) => [stop.bin, stop.sku, stop.quantity])]).toEqual([201, [['B-3', shirt, 2], ['B-12', socks, 4]]])
  expect(refused(await store('POST', `/v1/nodes/${nodeId}/waves`, { maxOrders: 3 }))).toMatchObject({ status: 409, code: 'wave.nothing_to_pick' })

  // A customer changes her mind while Ines walks: what she has picked of it goes back, and the next scan says so.
  await people.work(third, 'pick', { lines: [{ lineId: '1', picked: 1, scanId: 's-1' }], associate: 'Ines' })
  expect(await people.support('POST', `/v1/orders/${orders[2]}/cancel`, { reason: 'changed her mind' })).toMatchObject({ status: 200 })
  expect((await store<Wave>('GET', `/v1/waves/${wave.waveId}`)).body).toMatchObject({ left: [{ fulfillmentId: third.fulfillmentId, why: 'cancelled', putBack: [{ sku: socks, quantity: 1 }] }] })
  expect(refused(await people.packAll(third))).toMatchObject({ status: 409, code: 'fulfillment.state', state: 'cancelled', assignee: 'Ines', allowedActions: [] })

  // Another associate reaches for the same order, and the scanner stutters.
  expect(refused(await people.work(first, 'pick', { lines: [{ lineId: '1', picked: 1 }], associate: 'Jon' }))).toMatchObject({ status: 409, code: 'fulfillment.taken', state: 'released', assignee: 'Ines' })
  const scans = [{ lineId: '1', picked: 1, scanId: 's-2' }, { lineId: '1', picked: 1, scanId: 's-3' }, { lineId: '2', picked: 2, scanId: 's-4' }]
  await people.work(first, 'pick', { lines: scans.slice(0, 1), associate: 'Ines' })
  expect(refused(await people.work(first, 'pick', { lines: scans.slice(0, 1), associate: 'Ines' }))).toMatchObject({ status: 409, code: 'fulfillment.scan_repeated', scanId: 's-2' })
  expect(refused(await people.handOver(first))).toMatchObject({ status: 409, code: 'fulfillment.state', state: 'picking', assignee: 'Ines', allowedActions: ['assign', 'unassign', 'pick'] })
  expect(await people.work(first, 'pick', { lines: scans.slice(1), associate: 'Ines' })).toMatchObject({ status: 200, body: { status: 'picked' } })

  // Packed as proposed; a box that is too light to be true is not.
  const proposal = (await store<Proposal>('GET', `/v1/fulfillments/${first.fulfillmentId}/packing-proposal`)).body
  expect(proposal).toMatchObject({ unpacked: [] })
  const boxes = proposal.packages.map(({ weightGrams, lengthMm, widthMm, heightMm, lines }) => ({ weightGrams, lengthMm, widthMm, heightMm, lines }))
  expect(refused(await people.work(first, 'pack', { packages: boxes.map((b, i) => (i === 0 ? { ...b, weightGrams: 40 } : b)) }))).toMatchObject({ status: 409, code: 'fulfillment.weight_implausible', package: 1, weightGrams: 40 })
  const split = [{ weightGrams: 900, lines: [{ lineId: '1', quantity: 2 }] }, { weightGrams: 900, lines: [{ lineId: '2', quantity: 2 }] }]
  const packed = await people.work(first, 'pack', { packages: split, associate: 'Ines' })
  expect(packed).toMatchObject({ status: 200, body: { status: 'packed', packages: [{ number: 1 }, { number: 2 }] } })
  expect(refused(await people.work(first, 'pack', { packages: boxes }))).toMatchObject({ status: 409, code: 'fulfillment.state', state: 'packed', assignee: 'Ines', allowedActions: ['hand-over'] })

  // At the door every parcel is scanned, once, and none of another order.
  await people.pickAll(second)
  const foreign = (await people.packAll(second)).body.packages[0]!.trackingNumber!
  const [one, two] = packed.body.packages.map((p) => p.trackingNumber!) as [string, string]
  expect(refused(await people.work(first, 'hand-over', { scans: [one, foreign, one] }))).toMatchObject({
    status: 409, code: 'fulfillment.scans_differ', state: 'packed', assignee: 'Ines', missing: [{ number: 2, trackingNumber: two }], foreign: [foreign], repeated: [one],
  })
  expect(await people.work(first, 'hand-over', { scans: [two, one] })).toMatchObject({ status: 200, body: { status: 'handed_over' } })
  expect(refused(await people.work(first, 'hand-over', { scans: [two, one] }))).toMatchObject({ status: 409, code: 'fulfillment.state', state: 'handed_over', assignee: 'Ines' })
  expect(await people.handOver(second)).toMatchObject({ status: 200, body: { status: 'handed_over' } })

  for (const number of [one, two, foreign]) await people.carrierSays(number, 'delivered')
  for (const orderId of orders.slice(0, 2)) await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(await people.told(orders[2]!)).toEqual(expect.arrayContaining(['fulfillment.joined_wave', 'order.cancelled', 'fulfillment.left_wave']))
})

it('gives what the store cannot find to another, and takes it out of the wave', async () => {
  const sku = await people.stocked({ [nodeId]: 1, 'dc-01': 5 })
  const orderId = await wanted([{ sku, quantity: 1 }])
  const work = await workOf(orderId)
  expect(work.nodeId).toBe(nodeId)
  const { body: wave } = await people.store(nodeId)<Wave>('POST', `/v1/nodes/${nodeId}/waves`, { maxOrders: 1 })
  expect(wave.fulfillments).toMatchObject([{ fulfillmentId: work.fulfillmentId }])
  const rejected = { lines: [{ lineId: '1', picked: 0, rejected: 1, reason: 'not_in_stock', scanId: 's-9' }] }
  expect(await people.work(work, 'pick', rejected)).toMatchObject({ status: 200, body: { status: 'rejected' } })
  expect(refused(await people.work(work, 'pick', rejected))).toMatchObject({ status: 409, code: 'fulfillment.state', state: 'rejected' })
  await eventually(() => people.order(orderId), (o) => o.fulfillments.some((f) => f.nodeId === 'dc-01'), { what: 'the next best node' })
  expect((await people.store(nodeId)<Wave>('GET', `/v1/waves/${wave.waveId}`)).body).toMatchObject({ pickList: [], fulfillments: [], left: [{ why: 'rejected', putBack: [] }] })
})
