/** A proposal can be packed by hand: everything lies inside its carton, nothing through anything else, nothing is too heavy, and no unit is lost. */
import fc from 'fast-check'
import { proposePacking, type Carton, type Goods, type PackingProposal } from '../../../domain/fulfillment/cartons'
import { positions, type Placement } from '../../../domain/fulfillment/carton-fill'
import { holds } from '../../support/property'

const carton = (cartonId: string, [lengthMm, widthMm, heightMm]: [number, number, number], more: Partial<Carton> = {}): Carton => ({
  cartonId, name: cartonId, lengthMm, widthMm, heightMm, maxWeightGrams: 30_000, tareGrams: 100, costMinor: Math.round((lengthMm * widthMm * heightMm) / 100_000), ...more,
})
const goods = (lineId: string, quantity: number, [lengthMm, widthMm, heightMm]: [number, number, number], weightGrams = 500): Goods => ({ lineId, sku: `SKU-${lineId}`, quantity, weightGrams, lengthMm, widthMm, heightMm })

const side = fc.integer({ min: 20, max: 400 })
const cartonList = fc.uniqueArray(
  fc.record({ lengthMm: side, widthMm: side, heightMm: side, maxWeightGrams: fc.integer({ min: 500, max: 20_000 }), tareGrams: fc.integer({ min: 0, max: 400 }), costMinor: fc.integer({ min: 0, max: 300 }) }),
  { minLength: 0, maxLength: 4, selector: (c) => JSON.stringify(c) },
).map((list) => list.map((c, i): Carton => ({ cartonId: `C${i}`, name: `Carton ${i}`, ...c })))
const goodsList = fc
  .array(fc.record({ quantity: fc.integer({ min: 0, max: 6 }), weightGrams: fc.integer({ min: 10, max: 4_000 }), lengthMm: fc.option(side, { nil: null, freq: 12 }), widthMm: side, heightMm: side }), { maxLength: 5 })
  .map((list) => list.map((g, i): Goods => ({ lineId: String(i + 1), sku: `SKU-${i + 1}`, ...g })))

const overlaps = (a: Placement, b: Placement): boolean =>
  a.xMm < b.xMm + b.lengthMm && b.xMm < a.xMm + a.lengthMm && a.yMm < b.yMm + b.widthMm && b.yMm < a.yMm + a.widthMm && a.zMm < b.zMm + b.heightMm && b.zMm < a.zMm + a.heightMm

/** Everything that is wrong with a proposal, by rules of its own. */
function faults(given: readonly Goods[], { packages, unpacked, costMinor }: PackingProposal): string[] {
  const wrong: string[] = []
  for (const [i, { carton: c, weightGrams, placements }] of packages.entries()) {
    if (placements.length === 0) wrong.push(`package ${i} is empty`)
    for (const p of placements) {
      if (Math.min(p.xMm, p.yMm, p.zMm) < 0 || p.xMm + p.lengthMm > c.lengthMm || p.yMm + p.widthMm > c.widthMm || p.zMm + p.heightMm > c.heightMm) wrong.push(`package ${i}: ${p.sku} sticks out`)
      const own = given.find((g) => g.lineId === p.lineId)!
      if ([p.lengthMm, p.widthMm, p.heightMm].sort().join() !== [own.lengthMm, own.widthMm, own.heightMm].sort().join()) wrong.push(`package ${i}: ${p.sku} has changed its size`)
    }
    placements.forEach((a, n) => placements.slice(n + 1).forEach((b) => overlaps(a, b) && wrong.push(`package ${i}: ${a.sku} and ${b.sku} overlap`)))
    const grams = placements.reduce((sum, p) => sum + given.find((g) => g.lineId === p.lineId)!.weightGrams, c.tareGrams)
    if (grams !== weightGrams || grams > c.maxWeightGrams) wrong.push(`package ${i} weighs ${grams}`)
  }
  for (const g of given) {
    const packed = packages.flatMap((p) => p.placements).filter((p) => p.lineId === g.lineId).length
    const named = unpacked.filter((u) => u.lineId === g.lineId).reduce((sum, u) => sum + u.quantity, 0)
    if (packed + named !== g.quantity || (named > 0 && packed > 0)) wrong.push(`${g.sku}: ${packed} packed, ${named} named of ${g.quantity}`)
  }
  if (costMinor !== packages.reduce((sum, p) => sum + p.carton.costMinor, 0)) wrong.push('the cost does not add up')
  return wrong
}

it('is one that can be packed, whatever the goods and the cartons', () => {
  holds(fc.property(goodsList, cartonList, (given, cartons) => expect(faults(given, proposePacking(given, cartons))).toEqual([])), 400)
})

it('names only what no carton takes, and says why', () => {
  const fits = (c: Carton, g: Goods): boolean => g.lengthMm !== null && positions({ lengthMm: g.lengthMm, widthMm: g.widthMm!, heightMm: g.heightMm! }).some((p) => p.lengthMm <= c.lengthMm && p.widthMm <= c.widthMm && p.heightMm <= c.heightMm)
  holds(
    fc.property(goodsList, cartonList, (given, cartons) => {
      const named = proposePacking(given, cartons).unpacked
      const expected = given.filter((g) => g.quantity > 0).flatMap((g) => {
        const roomy = cartons.filter((c) => fits(c, g))
        const why = g.lengthMm === null ? 'size_unknown' : roomy.length === 0 ? 'too_large' : roomy.every((c) => c.tareGrams + g.weightGrams > c.maxWeightGrams) ? 'too_heavy' : undefined
        return why ? [{ lineId: g.lineId, sku: g.sku, quantity: g.quantity, why }] : []
      })
      expect(named).toEqual(expected)
    }),
  )
})

it('is never dearer than a carton of its own for every unit', () => {
  holds(
    fc.property(goodsList, cartonList, (given, cartons) => {
      const one = given.reduce((sum, g) => sum + g.quantity * proposePacking([{ ...g, quantity: 1 }], cartons).costMinor, 0)
      expect(proposePacking(given, cartons).costMinor).toBeLessThanOrEqual(one)
    }),
  )
})

describe('takes', () => {
  it('one carton for what fills it to the last corner', () => {
    const cube = carton('CUBE', [200, 200, 200])
    expect(proposePacking([goods('1', 8, [100, 100, 100])], [cube]).packages).toHaveLength(1)
    expect(proposePacking([goods('1', 9, [100, 100, 100])], [cube]).packages).toHaveLength(2)
  })

  it('the cheapest carton that takes everything, turned as needed', () => {
    const flat = carton('FLAT', [400, 300, 60])
    const long = carton('LONG', [120, 650, 140])
    const { packages } = proposePacking([goods('1', 1, [130, 620, 100])], [flat, long])
    expect(packages.map((p) => p.carton.cartonId)).toEqual(['LONG'])
    expect(proposePacking([goods('1', 1, [280, 50, 390])], [flat, long]).packages[0]!.carton.cartonId).toBe('FLAT')
  })

  it('a second carton rather than one that is too heavy', () => {
    const box = carton('BOX', [400, 400, 400], { maxWeightGrams: 5_100 })
    const { packages } = proposePacking([goods('1', 4, [100, 100, 100], 2_000)], [box])
    expect(packages.map((p) => p.weightGrams)).toEqual([4_100, 4_100])
  })

  it('two small ones where they cost less than a large one', () => {
    const small = carton('SMALL', [100, 100, 100], { costMinor: 20 })
    const large = carton('LARGE', [400, 400, 400], { costMinor: 90 })
    expect(proposePacking([goods('1', 2, [100, 100, 100])], [large, small])).toMatchObject({ costMinor: 40, packages: [{ carton: small }, { carton: small }] })
  })

  it('blocks of a large order one after the other, and loses nothing', () => {
    const given = [goods('1', 250, [90, 80, 70]), goods('2', 40, [200, 150, 100])]
    expect(faults(given, proposePacking(given, [carton('M', [300, 300, 300]), carton('L', [600, 400, 400])]))).toEqual([])
  })
})
