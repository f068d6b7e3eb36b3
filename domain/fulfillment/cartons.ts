/** Proposes which cartons to take and what goes into which: never over size or weight, cheap first. What cannot be packed is named, with the reason. */
import { fillCarton, fitsAlone, volume, type Box, type Placement, type Size } from './carton-fill'

/** Measures are inner ones. */
export interface Carton extends Size {
  cartonId: string
  name: string
  /** Of the goods and the carton together. */
  maxWeightGrams: number
  tareGrams: number
  costMinor: number
}
/** Units of a line to be packed; sizes may not be known. */
export interface Goods {
  lineId: string
  sku: string
  quantity: number
  weightGrams: number
  lengthMm: number | null
  widthMm: number | null
  heightMm: number | null
}
export interface ProposedPackage {
  carton: Carton
  weightGrams: number
  placements: Placement[]
}
export interface Unpacked {
  lineId: string
  sku: string
  quantity: number
  why: 'size_unknown' | 'too_large' | 'too_heavy'
}
export interface PackingProposal {
  packages: ProposedPackage[]
  unpacked: Unpacked[]
  costMinor: number
}

/** More units than this are nothing a proposal helps with. */
export const mostUnits = 1_000

/** So many units are looked at together; larger orders are packed in blocks. */
export const blockUnits = 60

export function proposePacking(goods: readonly Goods[], cartons: readonly Carton[]): PackingProposal {
  const unpacked = goods.flatMap((g) => (g.quantity > 0 ? whyNot(g, cartons) : []))
  const boxes = goods.filter((g) => !unpacked.some((u) => u.lineId === g.lineId)).flatMap(unitsOf)
  const packages: ProposedPackage[] = []
  for (let i = 0; i < boxes.length; i += blockUnits) packages.push(...cheapest(boxes.slice(i, i + blockUnits), cartons))
  return { packages, unpacked, costMinor: costOf(packages) }
}

const unitsOf = ({ quantity, lengthMm, widthMm, heightMm, lineId, sku, weightGrams }: Goods): Box[] =>
  Array.from({ length: quantity }, () => ({ lineId, sku, weightGrams, lengthMm: lengthMm!, widthMm: widthMm!, heightMm: heightMm! }))

function whyNot({ lineId, sku, quantity, weightGrams, lengthMm, widthMm, heightMm }: Goods, cartons: readonly Carton[]): Unpacked[] {
  const named = (why: Unpacked['why']): Unpacked[] => [{ lineId, sku, quantity, why }]
  if (lengthMm === null || widthMm === null || heightMm === null) return named('size_unknown')
  const roomy = cartons.filter((c) => fitsAlone(c, { lengthMm, widthMm, heightMm }))
  if (roomy.length === 0) return named('too_large')
  return roomy.some((c) => c.tareGrams + weightGrams <= c.maxWeightGrams) ? [] : named('too_heavy')
}

/** Several ways of going about it; the cheapest result counts, then the one with fewer cartons, then the one with less air. */
function cheapest(boxes: readonly Box[], cartons: readonly Carton[]): ProposedPackage[] {
  const found = orders.flatMap((order) => appetites.flatMap((appetite) => waysToPack([...boxes].sort(order), cartons, appetite)))
  return [...found, oneByOne(boxes, cartons)].sort((a, b) => costOf(a) - costOf(b) || a.length - b.length || air(a) - air(b))[0]!.map(({ carton, weightGrams, placements }) => ({ carton, weightGrams, placements }))
}

const costOf = (packages: readonly ProposedPackage[]): number => packages.reduce((sum, p) => sum + p.carton.costMinor, 0)
const air = (packages: readonly ProposedPackage[]): number => packages.reduce((sum, p) => sum + volume(p.carton), 0)

type Order = (a: Box, b: Box) => number
const longest = (box: Box): number => Math.max(box.lengthMm, box.widthMm, box.heightMm)
const flattest = (box: Box): number => volume(box) / Math.min(box.lengthMm, box.widthMm, box.heightMm)
const orders: readonly Order[] = [
  (a, b) => volume(b) - volume(a),
  (a, b) => longest(b) - longest(a) || volume(b) - volume(a),
  (a, b) => flattest(b) - flattest(a) || volume(b) - volume(a),
]

interface Try extends ProposedPackage {
  left: Box[]
}
/** Which carton to close next when no single one takes what is left: what packs goods at the least cost, or what packs most. */
type Appetite = (a: Try, b: Try) => number
const packedVolume = (t: Try): number => t.placements.reduce((sum, p) => sum + volume(p), 0)
const appetites: readonly Appetite[] = [
  (a, b) => a.carton.costMinor * packedVolume(b) - b.carton.costMinor * packedVolume(a) || packedVolume(b) - packedVolume(a),
  (a, b) => packedVolume(b) - packedVolume(a) || a.carton.costMinor - b.carton.costMinor,
]

/** Closes one carton after the other; whenever a single one would take the rest, that is one way to end. Every box fits some carton alone, so each round packs at least one. */
function waysToPack(boxes: readonly Box[], cartons: readonly Carton[], appetite: Appetite): ProposedPackage[][] {
  const ways: ProposedPackage[][] = []
  const closed: ProposedPackage[] = []
  for (let left = boxes; left.length > 0; ) {
    const tries = cartons.map((carton) => tryCarton(carton, left)).filter((t) => t.placements.length > 0)
    const last = tries.filter((t) => t.left.length === 0).sort(byCost)[0]
    if (last) ways.push([...closed, last])
    const next = tries.sort(appetite)[0]!
    if (next.left.length === 0) break
    closed.push(next)
    left = next.left
  }
  return ways
}

const byCost = (a: ProposedPackage, b: ProposedPackage): number => a.carton.costMinor - b.carton.costMinor || volume(a.carton) - volume(b.carton)

/** Every unit by itself: what any other way has to beat. */
const oneByOne = (boxes: readonly Box[], cartons: readonly Carton[]): ProposedPackage[] =>
  boxes.map((box) => cartons.map((carton) => tryCarton(carton, [box])).filter((t) => t.left.length === 0).sort(byCost)[0]!)

function tryCarton(carton: Carton, boxes: readonly Box[]): Try {
  const { placed, left, goodsGrams } = fillCarton({ ...carton, maxGoodsGrams: carton.maxWeightGrams - carton.tareGrams }, boxes)
  return { carton, weightGrams: carton.tareGrams + goodsGrams, placements: placed, left }
}
