/** Whatever returns are asked for, paid before, counted and ended without their goods, money is given for no more units than came back or have still to, by any return that was paid before. */
import fc from 'fast-check'
import { beforeItComes, whenCounted, type GivenLine } from '../../../domain/returns/given'
import { holds } from '../../support/property'

const owned = 5

interface Back extends GivenLine {
  paysAhead: boolean
  ended: boolean
  cameLater: number
}
const missing = (b: Back): number => Math.max(0, b.given - (b.received - b.coveredBack) - b.cameLater)
const toCome = (b: Back): number => b.quantity - b.received - b.disputed

/** One line of an order, as its rows have it. */
class Line {
  readonly backs: Back[] = []
  free = (): number => this.backs.reduce((sum, b) => sum + (b.ended ? missing(b) : b.coveredBack - b.covered), 0)
  returned = (): number => this.backs.reduce((sum, b) => sum + b.received, 0)
  paid = (): number => this.backs.reduce((sum, b) => sum + b.given, 0)
  available = (): number => owned - this.backs.reduce((sum, b) => sum + (b.ended ? b.received : b.quantity), 0)

  /** @returns what it is said to give */
  ask(quantity: number, paysAhead: boolean): number {
    const units = Math.min(quantity, this.available())
    if (units <= 0) return 0
    const covered = Math.min(units, this.free())
    this.backs.push({ lineId: '1', quantity: units, received: 0, disputed: 0, given: 0, covered, coveredBack: 0, paysAhead: false, ended: false, cameLater: 0 })
    if (paysAhead) this.scan(this.backs.at(-1)!)
    return units - covered
  }

  scan(back: Back): void {
    if (back.ended || back.paysAhead) return
    const { taken, due } = beforeItComes(back, Math.max(0, this.free()))
    Object.assign(back, { paysAhead: true, covered: back.covered + taken, given: back.given + due })
  }

  count(back: Back, quantity: number): void {
    const units = Math.min(quantity, back.ended ? 0 : toCome(back))
    const { before, covered, taken, due } = whenCounted(back, units, Math.max(0, this.free()))
    expect(before + covered + taken + due).toBe(units)
    expect(back.paysAhead ? due : 0).toBe(0)
    Object.assign(back, { received: back.received + units, covered: back.covered + taken, coveredBack: back.coveredBack + covered + taken, given: back.given + due })
    let rest = covered + taken
    for (const ended of this.backs.filter((b) => b.ended)) {
      const here = Math.min(rest, missing(ended))
      ended.cameLater += here
      rest -= here
    }
    expect(rest).toBe(0)
  }
}

const step = fc.record({ does: fc.constantFrom('ask' as const, 'ask' as const, 'scan' as const, 'count' as const, 'count' as const, 'else' as const, 'end' as const), pick: fc.nat(9), units: fc.integer({ min: 1, max: 3 }), ahead: fc.boolean() })

it('gives the money of a unit once, whichever return it comes with', () => {
  holds(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const line = new Line()
    for (const { does, pick, units, ahead } of steps) {
      const back = line.backs[pick % Math.max(1, line.backs.length)]
      if (does === 'ask') line.ask(units, ahead)
      else if (!back) continue
      else if (does === 'scan') line.scan(back)
      else if (does === 'count') line.count(back, units)
      else if (does === 'else' && !back.ended) back.disputed += Math.min(units, toCome(back))
      else if (does === 'end') back.ended = true
      const onTheWay = line.backs.reduce((sum, b) => sum + missing(b), 0)
      expect(line.paid()).toBeLessThanOrEqual(owned)
      expect(line.paid()).toBe(line.returned() + onTheWay)
    }
  }), 1_000)
})

it('says beforehand for how many units of a return money is given, and gives it, where no other has ended meanwhile', () => {
  holds(fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.boolean(), fc.array(fc.integer({ min: 1, max: 2 })), (gone, asked, ahead, counts) => {
    const line = new Line()
    line.ask(gone, true)
    Object.assign(line.backs[0]!, { ended: true })
    const said = line.ask(asked, ahead)
    const back = line.backs[1]!
    for (const units of [...counts, owned]) line.count(back, units)
    expect(back.given).toBe(said)
    expect(line.backs[0]!.cameLater).toBe(back.quantity - said)
  }))
})
