/** What holds stop, and how much more time is given for it. */
import fc from 'fast-check'
import { blockedBy, holdSteps, isStopped, later, stoppedFor, waitsUnder, type HoldStep } from '../../../domain/order/holds'
import { mostUrgent, type WaitingOn } from '../../../domain/order/status'

const at = (ms: number): string => new Date(1_800_000_000_000 + ms).toISOString()
const hold = (blocks: HoldStep[], placedMs = 0, deadline: string | null = null) => ({ blocks, placedAt: at(placedMs), deadline })
const picking: WaitingOn = { what: 'picking', since: at(0), deadline: at(1_000) }

it('blocks every step that one of its holds blocks, each said once', () => {
  expect(blockedBy([hold(['shipping', 'picking']), hold(['picking', 'payment'])])).toEqual(['payment', 'picking', 'shipping'])
})

it('waits on the hold and not on what the hold stops', () => {
  expect(waitsUnder([picking], [hold(['picking'], 5, at(9_000))])).toEqual([{ what: 'hold', since: at(5), deadline: at(9_000) }])
  expect(waitsUnder([picking], [hold(['shipping'], 5)])).toEqual([picking])
})

it('shows the hold that stands longest, because the step waits for all of them', () => {
  expect(waitsUnder([picking], [hold(['picking'], 1, at(2_000)), hold(['picking'], 2)])).toEqual([{ what: 'hold', since: at(2), deadline: null }])
})

it('says that refunds are held, whatever else is waited on', () => {
  expect(mostUrgent(waitsUnder([{ what: 'return_window', since: at(0), deadline: at(100) }], [hold(['refund'], 7)]))).toMatchObject({ what: 'hold', since: at(7) })
})

it('lets what has left go on under any hold', () => {
  for (const what of ['delivery', 'capture', 'return_window', 'void', 'carrier'] as const) expect(isStopped(what, [hold([...holdSteps])])).toBe(false)
})

it('gives back exactly the time in which a wait was stopped, in whatever order overlapping holds are released', () => {
  const ends = fc.array(fc.record({ from: fc.nat(500), length: fc.nat(500), stops: fc.boolean() }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(ends, (spans) => {
      const holds = spans.map((s) => ({ ...hold([s.stops ? 'picking' : 'refund'], s.from), to: s.from + s.length }))
      let wait = picking
      for (const ended of [...holds].sort((a, b) => a.to - b.to)) {
        const open = holds.filter((h) => Date.parse(h.placedAt) <= Date.parse(at(ended.to)) && holds.indexOf(h) !== holds.indexOf(ended) && (h.to > ended.to || (h.to === ended.to && holds.indexOf(h) > holds.indexOf(ended))))
        wait = later(wait, stoppedFor(wait, { before: [ended, ...open], after: open, at: at(ended.to) }))
      }
      const stopped = new Set<number>()
      for (const s of spans.filter((x) => x.stops)) for (let ms = s.from; ms < s.from + s.length; ms += 1) stopped.add(ms)
      expect(Date.parse(wait.deadline!) - Date.parse(picking.deadline!)).toBe(stopped.size)
    }),
  )
})
