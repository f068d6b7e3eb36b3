/** What a channel says otherwise than before becomes a change, and nothing else does. */
import fc from 'fast-check'
import { changesSaid, dearerSaid, type Said } from '../../../domain/order/channel-update'
import { holds } from '../../support/property'

const line = (lineId: string, quantity: number): Said['lines'][number] => ({ lineId, sku: 'A', quantity, unitPriceMinor: 100, discountMinor: 0, taxMinor: 0 })
const said = (quantities: Record<string, number>, shipTo?: Said['shipTo']): Said => ({ lines: Object.entries(quantities).map(([id, q]) => line(id, q)), ...(shipTo && { shipTo }) })
const has = (kept: Record<string, number>) => (lineId: string): number | undefined => kept[lineId]
const berlin = { line1: 'Street 1', postalCode: '10115', country: 'DE' }

it('changes what the channel changed', () => {
  expect(changesSaid(said({ a: 3, b: 1 }), said({ a: 1, b: 0, c: 2 }), has({ a: 3, b: 1 }))).toEqual([
    { op: 'setQuantity', lineId: 'a', quantity: 1 },
    { op: 'removeLine', lineId: 'b' },
    { op: 'addLine', line: line('c', 2) },
  ])
})

it('leaves alone what we changed ourselves and the channel says as before', () => {
  expect(changesSaid(said({ a: 3 }), said({ a: 3 }), has({ a: 1 }))).toEqual([])
})

it('adds to what the order has what the channel has added, and takes off no more than it has', () => {
  expect(changesSaid(said({ a: 10 }), said({ a: 12 }), has({ a: 7 }))).toEqual([{ op: 'setQuantity', lineId: 'a', quantity: 9 }])
  expect(changesSaid(said({ a: 10 }), said({ a: 9 }), has({ a: 7 }))).toEqual([])
})

it('says by how much the order has become dearer, where both say what it costs', () => {
  const costs = (totalMinor: number): Said => ({ ...said({ a: 1 }), money: { totalMinor, isPaid: true } })
  expect([dearerSaid(costs(500), costs(720)), dearerSaid(costs(500), costs(300)), dearerSaid(said({ a: 1 }), costs(1))]).toEqual([220, -200, undefined])
})

it('does nothing where the order is so already', () => {
  expect(changesSaid(said({ a: 3, b: 2 }), said({ a: 1, b: 2, c: 1 }), has({ a: 1, b: 2, c: 1 }))).toEqual([])
})

it('is a cancellation where nothing is left', () => {
  expect(changesSaid(said({ a: 3, b: 1 }), said({ a: 0 }), has({ a: 3, b: 1 }))).toEqual([{ op: 'cancel' }])
})

it('takes another address as a whole, and the same one as none', () => {
  expect(changesSaid(said({ a: 1 }, berlin), said({ a: 1 }, { ...berlin, line2: 'Rear' }), has({ a: 1 }))).toEqual([{ op: 'setShipTo', shipTo: { ...berlin, line2: 'Rear' } }])
  expect(changesSaid(said({ a: 1 }, berlin), said({ a: 1 }, { country: 'DE', postalCode: '10115', line1: 'Street 1' }), has({ a: 1 }))).toEqual([])
  expect(changesSaid(said({ a: 1 }, berlin), said({ a: 1 }), has({ a: 1 }))).toEqual([])
})

it('carried out, leaves what the channel says of every line that it changed', () => {
  const quantities = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 5 }), { minKeys: 1 })
  holds(
    fc.property(quantities, quantities, (before, after) => {
      const kept: Record<string, number> = { ...before }
      for (const o of changesSaid(said(before), said(after), has(before))) {
        if (o.op === 'setQuantity') kept[o.lineId] = o.quantity
        else if (o.op === 'removeLine') delete kept[o.lineId]
        else if (o.op === 'addLine') kept[o.line.lineId] = o.line.quantity
      }
      expect(kept).toEqual(after)
    }),
  )
})
