/** What an exchange costs, and what is given back for what was exchanged: single cases by hand, and any sequence by the sum. */
import fc from 'fast-check'
import { worthMinor, type Units } from '../../../domain/payment/shares'
import { differenceOf, givingBack, givingBackOwn, keptUnits, lessBetween, lessDue, exchangedMinor, type ExchangedLine } from '../../../domain/returns/exchange'
import { differencesOf, moneyOfExchange, partOfWish, refundOfUnits, type Sold } from '../../../domain/returns/exchange-money'
import { refundMinor } from '../../../domain/returns/refund'
import { holds } from '../../support/property'

type Line = Sold['lines'][number]
const none = { minor: 0, taxMinor: 0 }
const bought = (more: Partial<Line> = {}): Line => ({ lineId: '1', sku: 'SHOE', quantity: 2, unitPriceMinor: 5_000, discountMinor: 0, taxMinor: 1_597, cancelled: 0, credited: 0, replaces: null, insteadOf: null, less: none, lessGiven: 0, lessTaken: 0, value: none, charged: 0, chargedBack: 0, ...more })
const sent = (more: Partial<Line> = {}): Line => bought({ lineId: 'r1-1', unitPriceMinor: 0, taxMinor: 0, replaces: '1', insteadOf: '1', ...more })

describe('the difference of an exchange', () => {
  it('is the price of the line that is sent where it costs more, taxed at the rate of what it replaces', () => {
    expect(differenceOf({ minor: 5_000, taxMinor: 798 }, { unitPriceMinor: 6_000, quantity: 1, taxIncluded: true })).toEqual({ deltaMinor: 1_000, more: { unitPriceMinor: 1_000, discountMinor: 0, taxMinor: 160 } })
    expect(differenceOf({ minor: 11_900, taxMinor: 1_900 }, { unitPriceMinor: 12_000, quantity: 1, taxIncluded: false })).toEqual({ deltaMinor: 2_380, more: { unitPriceMinor: 2_000, discountMinor: 0, taxMinor: 380 } })
  })
  it('is given back where it costs less', () => {
    expect(differenceOf({ minor: 5_000, taxMinor: 798 }, { unitPriceMinor: 2_000, quantity: 2, taxIncluded: true })).toEqual({ deltaMinor: -1_000, less: { minor: 1_000, taxMinor: 160 } })
  })
  it('is none where it costs the same', () => {
    expect(differenceOf({ minor: 5_000, taxMinor: 798 }, { unitPriceMinor: 5_000, quantity: 1, taxIncluded: true })).toEqual({ deltaMinor: 0 })
  })
  it('is exactly what the new price is above the old one, or below', () =>
    holds(fc.property(fc.nat(1_000_000), fc.nat(30), fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 20 }), fc.boolean(), (minor, rate, unitPriceMinor, quantity, taxIncluded) => {
      const was = { minor, taxMinor: Math.round((minor * rate) / (100 + rate)) }
      const { deltaMinor, more, less } = differenceOf(was, { unitPriceMinor, quantity, taxIncluded })
      if (more) expect(more.unitPriceMinor * quantity - more.discountMinor + (taxIncluded ? 0 : more.taxMinor)).toBe(deltaMinor)
      if (less) expect(less.minor + deltaMinor).toBe(0)
      if (taxIncluded) expect(minor + deltaMinor).toBe(unitPriceMinor * quantity)
      for (const { taxMinor } of [more, less].filter((d) => d !== undefined)) expect(taxMinor).toBeGreaterThanOrEqual(0)
    })))
  it('says what is charged and what is given back apart, each in goods and tax', () => {
    const sold = { lines: [bought(), bought({ lineId: '2' })], shipping: { priceMinor: 490 }, taxIncluded: true }
    const wished = differencesOf(sold, [{ lineId: '1', quantity: 1, unitPriceMinor: 6_000 }, { lineId: '2', quantity: 1, unitPriceMinor: 4_000 }, { lineId: '1', quantity: 1 }])
    expect(wished.map((w) => w.deltaMinor)).toEqual([1_000, -1_000, 0])
    expect(moneyOfExchange(wished)).toEqual({ chargeMinor: 1_000, refundMinor: 1_000, charge: { goodsMinor: 840, taxMinor: 160 }, refund: { goodsMinor: 840, taxMinor: 160 } })
  })
})

describe('what units that were sent in place of others give back', () => {
  const lines = [bought(), sent({ unitPriceMinor: 500 }), sent({ lineId: 'r2-1' }), sent({ lineId: 'r3-1', insteadOf: 'r1-1' })]
  const credits = (lineId: string, own?: 'lost' | 'unsent'): string[] => givingBack(lines, [{ lineId, quantity: 1 }], own).credits.map((u) => u.lineId)
  it('is what was paid for those, and for every dearer one on the way', () => {
    expect([credits('1'), credits('r1-1'), credits('r2-1'), credits('r3-1')]).toEqual([['1'], ['r1-1', '1'], ['1'], ['r1-1', '1']])
  })
  it('is without their own price where they never left, and with it where they were lost, alone too', () => {
    expect([credits('r1-1', 'unsent'), credits('r3-1', 'unsent')]).toEqual([['1'], ['r1-1', '1']])
    expect(givingBack(lines, [{ lineId: 'r1-1', quantity: 1 }], 'lost')).toMatchObject({ credits: [{ lineId: '1' }], lost: [{ lineId: 'r1-1' }] })
    expect(givingBackOwn(lines, [{ lineId: 'r1-1', quantity: 1 }, { lineId: 'r2-1', quantity: 1 }])).toMatchObject({ credits: [], lost: [{ lineId: 'r1-1' }] })
  })
  it('is less by what was given back for them before, and by nothing where that is still to come', () => {
    const cheaper = sent({ quantity: 3, less: { minor: 1_000, taxMinor: 160 }, lessGiven: 2 })
    expect(givingBack([bought({ quantity: 3 }), cheaper], [{ lineId: 'r1-1', quantity: 3 }])).toMatchObject({ takes: [{ lineId: 'r1-1', quantity: 2 }], given: { minor: 667, taxMinor: 107 } })
  })
  it('is less by what was given back for goods that never left, but not by what others that she has and was charged for cost less', () => {
    const cheaper = sent({ quantity: 2, cancelled: 1, less: { minor: 400, taxMinor: 64 }, lessGiven: 2, lessTaken: 1 })
    const given = (line: ExchangedLine): number => givingBack([bought({ quantity: 2 }), line], [{ lineId: 'r1-1', quantity: 1 }], 'unsent').given.minor
    expect([given(cheaper), given({ ...cheaper, charged: 2, chargedBack: 1 }), given({ ...cheaper, lessGiven: 1, lessTaken: 0, charged: 2, chargedBack: 1, credited: 1 })]).toEqual([200, 0, 200])
  })
  it('has the difference due for as many as are back, and not for such that she has no more', () => {
    const cheaper = sent({ quantity: 3, less: { minor: 1_000, taxMinor: 160 } })
    expect([lessDue(cheaper, 2), lessDue({ ...cheaper, lessGiven: 2 }, 2), lessDue({ ...cheaper, credited: 2 }, 3), lessDue({ ...cheaper, credited: 1, lessGiven: 2, lessTaken: 1 }, 3), lessDue(sent(), 2)]).toEqual([2, 0, 1, 1, 0])
  })
})

/** What may happen to an order whose goods are exchanged, in whatever sequence. */
const happening = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constant('exchange' as const), of: fc.nat(9), units: fc.integer({ min: 1, max: 3 }), price: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }) }) },
  fc.record({ what: fc.constant('old is back' as const), of: fc.nat(9), units: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ what: fc.constant('given back' as const), of: fc.nat(9), units: fc.integer({ min: 1, max: 3 }) }),
)

it('adds up to what was paid, for any sequence of exchanges, receipts and returns', () =>
  holds(fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9_999 }), fc.nat(500), fc.integer({ min: 0, max: 25 }), fc.array(happening, { maxLength: 12 }), fc.boolean(), (quantity, unitPriceMinor, discount, rate, happenings, taxIncluded) => {
    const line = bought({ quantity, unitPriceMinor, discountMinor: Math.min(discount, unitPriceMinor - 1), taxMinor: Math.round((unitPriceMinor * quantity * rate) / 100) })
    const world = new World({ lines: [line], shipping: { priceMinor: 490 }, taxIncluded })
    for (const h of happenings) world.does(h)
    world.everythingComesBack()
    expect(world.hasMinor).toBe(0)
  })))

/** An order as its rows would follow it: what the customer has of each line, what she has sent back of what was replaced, and what we have of her money. */
class World {
  hasMinor: number
  private has: number[]
  private back: number[] = [0]
  constructor(private sold: Sold) {
    this.hasMinor = worthMinor(sold, keptUnits(sold.lines))
    this.has = sold.lines.map((l) => l.quantity)
  }

  does({ what, of, units, ...more }: { what: string; of: number; units: number; price?: number }): void {
    const i = of % this.sold.lines.length
    const quantity = Math.min(units, what === 'old is back' ? this.owedBack(i) : this.has[i]!)
    if (quantity === 0) return
    if (what === 'exchange') this.exchange(i, quantity, more.price)
    if (what === 'old is back') this.oldIsBack(i, quantity)
    if (what === 'given back') this.givesBack(i, quantity)
    this.expectSquare()
  }

  everythingComesBack(): void {
    for (let i = 0; i < this.sold.lines.length; i += 1) if (this.owedBack(i) > 0) this.oldIsBack(i, this.owedBack(i))
    for (let i = 0; i < this.sold.lines.length; i += 1) while (this.has[i]! > 0) this.givesBack(i, 1)
    this.expectSquare()
  }

  /** Of the line it was sent for, still with the customer. */
  private owedBack = (i: number): number => (this.sold.lines[i]!.replaces === null ? 0 : this.sold.lines[i]!.quantity - this.back[i]!)

  private exchange(i: number, quantity: number, price: number | undefined): void {
    const old = this.sold.lines[i]!
    const [wish] = differencesOf(this.sold, [{ lineId: old.lineId, quantity, ...(price !== undefined && { unitPriceMinor: price }) }])
    const lineId = `r${this.sold.lines.length}`
    this.sold.lines.push(sent({ lineId, quantity, insteadOf: old.lineId, ...wish!.more, less: wish!.less ?? none }))
    this.hasMinor += Math.max(0, wish!.deltaMinor)
    this.has[i]! -= quantity
    this.has.push(quantity)
    this.back.push(0)
  }

  private oldIsBack(i: number, quantity: number): void {
    this.back[i]! += quantity
    const line = this.sold.lines[i]!
    const due = lessDue(line, this.back[i]!)
    this.hasMinor -= lessBetween(line, line.lessGiven, line.lessGiven + due).minor
    line.lessGiven += due
  }

  private givesBack(i: number, quantity: number): void {
    const { parts, back } = refundOfUnits(this.sold, [{ lineId: this.sold.lines[i]!.lineId, quantity }], {})
    expect(refundMinor(parts)).toBeGreaterThanOrEqual(0)
    this.hasMinor -= refundMinor(parts)
    this.has[i]! -= quantity
    const add = (units: readonly Units[], to: 'credited' | 'lessTaken'): void => units.forEach((u) => (this.line(u.lineId)[to] += u.quantity))
    add(back.credits, 'credited')
    add(back.takes, 'lessTaken')
  }

  private line = (lineId: string): ExchangedLine => this.sold.lines.find((l) => l.lineId === lineId)!

  /** What we have of her money is what she keeps is worth, at every moment. */
  private expectSquare(): void {
    expect(this.hasMinor).toBe(worthMinor(this.sold, keptUnits(this.sold.lines)) + exchangedMinor(this.sold.lines))
  }
}

it('reckons fewer of what was wanted by units, never beyond the whole, and all of them exactly', () => {
  const wish = fc.record({ quantity: fc.integer({ min: 1, max: 9 }), paidMinor: fc.nat(90_000), rate: fc.double({ min: 0, max: 0.3, noNaN: true }), unitPriceMinor: fc.nat(20_000), taxIncluded: fc.boolean() })
  holds(
    fc.property(wish, ({ quantity, paidMinor, rate, unitPriceMinor, taxIncluded }) => {
      const paidTaxMinor = Math.floor(paidMinor * rate)
      const whole = { lineId: '1', quantity, paidMinor, paidTaxMinor, ...differenceOf({ minor: paidMinor, taxMinor: paidTaxMinor }, { unitPriceMinor, quantity, taxIncluded }) }
      expect(partOfWish(whole, quantity, taxIncluded)).toEqual(whole)
      let before = 0
      for (let units = 1; units <= quantity; units += 1) {
        const { deltaMinor, more, less } = partOfWish(whole, units, taxIncluded)
        expect(Math.abs(deltaMinor)).toBeGreaterThanOrEqual(before)
        expect(Math.abs(deltaMinor)).toBeLessThanOrEqual(Math.abs(whole.deltaMinor))
        if (more) expect(more.unitPriceMinor * units - more.discountMinor + (taxIncluded ? 0 : more.taxMinor)).toBe(deltaMinor)
        if (less) expect(less.minor + deltaMinor).toBe(0)
        before = Math.abs(deltaMinor)
      }
    }),
  )
})
