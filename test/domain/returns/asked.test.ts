/** What people type by hand is either a request or nothing; it never breaks a thread. */
import fc from 'fast-check'
import { readReplacement } from '../../../domain/returns/asked'
import { holds } from '../../support/property'

it('reads a request with what is left out filled in', () => {
  expect(readReplacement({ lines: [{ lineId: '1', quantity: 1 }] })).toEqual({ lines: [{ lineId: '1', quantity: 1 }], collectOld: 'mail', reason: 'asked for in the Temporal UI', actor: 'support', messageId: '[[{"lineId":"1","quantity":1}],"mail"]' })
  expect(readReplacement({ lines: [{ lineId: '1', quantity: 2, sku: 'SHOE-LB-41' }], collectOld: 'at_door', actor: 'eve', messageId: 'm1', reason: 'torn' })).toMatchObject({ collectOld: 'at_door', actor: 'eve', messageId: 'm1' })
})

it.each([undefined, null, 'text', [], {}, { lines: [] }, { lines: [{ lineId: 1, quantity: 1 }] }, { lines: [{ lineId: '1', quantity: 0 }] }, { lines: [{ lineId: '1', quantity: 1.5 }] }, { lines: [{ lineId: '1', quantity: 1 }], collectOld: 'by owl' }, { lines: [{ lineId: '1', quantity: 1 }, { lineId: '1', quantity: 1 }] }])('makes nothing of %j', (typed) => {
  expect(readReplacement(typed)).toBeUndefined()
})

it('never throws', () => {
  holds(fc.property(fc.anything(), (typed) => void readReplacement(typed)))
})
