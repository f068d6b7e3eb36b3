/** What a draft lacks, and what may become of it. */
import { draftActions, draftMoves, draftStates, flagsOf, mayBecome, missingFrom, shownState } from '../../../domain/draft/draft'
import { placedWithout } from '../../../domain/draft/link'

it('reaches every state from an open one, and leaves none that has ended', () => {
  const reached = new Set(['open'])
  for (let size = 0; size < reached.size; ) {
    size = reached.size
    for (const from of draftStates) if (reached.has(from)) draftMoves[from].forEach((to) => reached.add(to))
  }
  expect([...reached].sort()).toEqual([...draftStates].sort())
  expect(draftStates.filter((from) => draftMoves[from].length === 0)).toEqual(['placed', 'discarded'])
  expect(mayBecome('placed', 'open')).toBe(false)
})

it('names what an order needs by how the customer gets it', () => {
  const lines = [{ lineId: '1', sku: 'S', quantity: 1, unitPriceMinor: 1 }]
  const pointers = (draft: Parameters<typeof missingFrom>[0]): string[] => missingFrom(draft).map((m) => m.pointer)
  expect(pointers({ lines: [] })).toEqual(['/lines', '/delivery', '/customer'])
  expect(pointers({ lines, customer: {}, delivery: { method: 'delivery' } })).toEqual(['/shipTo'])
  expect(pointers({ lines, customer: {}, delivery: { method: 'pickup' } })).toEqual(['/delivery/nodeId'])
  expect(pointers({ lines, delivery: { method: 'carry_out', nodeId: 'n' } })).toEqual([])
})

it('shows a quote that is past its time as that, and offers to quote anew', () => {
  const now = '2026-11-23T10:00:00.000Z'
  expect(shownState({ state: 'quoted', validUntil: '2026-11-23T10:00:00.001Z' }, now)).toBe('quoted')
  expect(shownState({ state: 'quoted', validUntil: now }, now)).toBe('quote_expired')
  expect(draftActions('quote_expired', [], false)).toEqual(['quote', 'copy', 'discard'])
  expect(draftActions('open', [{ pointer: '/lines', message: '' }], false)).toEqual(['copy', 'discard'])
  expect(draftActions('placed', [], false)).toEqual(['copy'])
  expect([draftActions('awaiting_payment', [], true), draftActions('awaiting_payment', [], false)]).toEqual([['cancel-payment', 'copy'], ['paid', 'cancel-payment', 'copy']])
})

it('does without its stock and its number, one after the other, once it is paid; and without nothing else', () => {
  expect(placedWithout('quote.gone', {})).toEqual({ sourcedLater: true })
  expect(placedWithout('order.duplicate', { sourcedLater: true })).toEqual({ sourcedLater: true, ownNumber: true })
  expect(placedWithout('stock.short', { sourcedLater: true })).toBeUndefined()
  expect(placedWithout('sku.unknown', {})).toBeUndefined()
})

it('bears a flag where somebody gave it another price', () => {
  const line = { lineId: '1', sku: 'S', quantity: 1, unitPriceMinor: 1 }
  expect(flagsOf({ lines: [line], flags: ['phone'] })).toEqual(['phone'])
  expect(flagsOf({ lines: [line, { ...line, override: { unitPriceMinor: 0, reason: 'broken box' } }], flags: ['price_override'] })).toEqual(['price_override'])
})
