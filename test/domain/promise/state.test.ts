/** How a promise stands. */
import type { OrderPromise } from '../../../domain/promise/kept'
import { promiseState } from '../../../domain/promise/state'
import { openCalendar } from '../../../domain/promise/calendar'
import { milestonesOf } from '../../../domain/promise/milestones'
import { isObstacle } from '../../../domain/promise/obstacle'

const promise: OrderPromise = {
  promisedFrom: '2026-11-24T08:00:00Z', promisedBy: '2026-11-25T20:00:00Z', confidence: 0.93,
  milestones: { store: { pickBy: '2026-11-23T16:00:00Z', handOverBy: '2026-11-23T17:00:00Z', scanBy: '2026-11-24T17:00:00Z' } },
}
const part = (status: 'released' | 'picked' | 'packed' | 'handed_over', nodeId = 'store'): { nodeId: string; status: typeof status } => ({ nodeId, status })

it('is on track until a part has missed a milestone, and at risk from then on', () => {
  const at = (now: string, status: 'released' | 'picked' | 'packed' | 'handed_over', nodeId?: string): string => promiseState(promise, now, [part(status, nodeId)], undefined)
  expect(at('2026-11-23T15:59:00Z', 'released')).toBe('on_track')
  expect(at('2026-11-23T16:01:00Z', 'released')).toBe('at_risk')
  expect(at('2026-11-23T16:01:00Z', 'picked')).toBe('on_track')
  expect(at('2026-11-23T17:01:00Z', 'packed')).toBe('at_risk')
  expect(at('2026-11-23T17:01:00Z', 'handed_over')).toBe('on_track')
  expect(at('2026-11-23T17:01:00Z', 'released', 'elsewhere')).toBe('on_track')
})

it('is kept or missed in the end', () => {
  expect(promiseState(promise, '2026-12-01T00:00:00Z', [], '2026-11-25T19:00:00Z')).toBe('kept')
  expect(promiseState(promise, '2026-12-01T00:00:00Z', [], '2026-11-25T21:00:00Z')).toBe('missed')
  expect(promiseState(promise, '2026-12-01T00:00:00Z', [part('handed_over')], undefined)).toBe('missed')
  expect(promiseState(null, '2026-12-01T00:00:00Z', [], undefined)).toBe('on_track')
})

it('puts its milestones in order, in the working time of the node', () => {
  const calendar = openCalendar({ timeZone: 'Europe/Berlin', weekly: { monday: { opens: '09:00', closes: '18:00' } }, cutoffs: {}, pickups: {} })
  if (isObstacle(calendar)) throw new Error(calendar.says)
  const found = milestonesOf(calendar, { handOverBy: Date.parse('2026-11-23T08:20:00Z'), promisedBy: Date.parse('2026-11-24T08:00:00Z') }, { packMinutes: 30, scanMinutes: 60 })
  if (isObstacle(found)) throw new Error(found.says)
  expect([found.pickBy, found.handOverBy, found.scanBy].map((i) => new Date(i).toISOString())).toEqual(['2026-11-16T16:50:00.000Z', '2026-11-23T08:20:00.000Z', '2026-11-23T09:20:00.000Z'])
})
