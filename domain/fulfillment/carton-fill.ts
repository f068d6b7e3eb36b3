/**
 * Fills one carton with boxes, edges parallel to its walls. Each box goes to the first extreme point where it fits, lowest and furthest back first,
 * in any of its six positions (extreme points: T. G. Crainic, G. Perboli, R. Tadei, INFORMS Journal on Computing 20, 2008).
 */

export interface Size {
  lengthMm: number
  widthMm: number
  heightMm: number
}
export interface Box extends Size {
  lineId: string
  sku: string
  weightGrams: number
}
/** Where a box stands: its corner next to the origin, and how far it reaches from there. */
export interface Placement extends Size {
  lineId: string
  sku: string
  xMm: number
  yMm: number
  zMm: number
}
export interface Filled {
  placed: Placement[]
  /** Boxes for which there was no room, or which would have made it too heavy. */
  left: Box[]
  goodsGrams: number
}
interface Point {
  x: number
  y: number
  z: number
}

/** Boxes are tried in the order given. */
export function fillCarton(carton: Size & { maxGoodsGrams: number }, boxes: readonly Box[]): Filled {
  const filled: Filled = { placed: [], left: [], goodsGrams: 0 }
  let points: Point[] = [{ x: 0, y: 0, z: 0 }]
  const hopeless = new Set<string>()
  for (const box of boxes) {
    const kind = `${box.lengthMm} ${box.widthMm} ${box.heightMm}`
    const tooHeavy = filled.goodsGrams + box.weightGrams > carton.maxGoodsGrams
    const place = tooHeavy || hopeless.has(kind) ? undefined : firstPlace(carton, filled.placed, points, box)
    if (!place) {
      // Room only gets less: what found no place once finds none later.
      if (!tooHeavy) hopeless.add(kind)
      filled.left.push(box)
      continue
    }
    filled.placed.push(place)
    filled.goodsGrams += box.weightGrams
    points = pointsAfter(points, filled.placed, place)
  }
  return filled
}

/** The six ways to set a box down, flat ones first; fewer when sides are alike. */
export function positions({ lengthMm: a, widthMm: b, heightMm: c }: Size): Size[] {
  const all: Size[] = []
  for (const [lengthMm, widthMm, heightMm] of [[a, b, c], [b, a, c], [a, c, b], [c, a, b], [b, c, a], [c, b, a]] as const)
    if (!all.some((p) => p.lengthMm === lengthMm && p.widthMm === widthMm && p.heightMm === heightMm)) all.push({ lengthMm, widthMm, heightMm })
  return all.sort((p, q) => p.heightMm - q.heightMm || q.lengthMm - p.lengthMm)
}

/** Does it fit into an empty carton at all? */
export const fitsAlone = (carton: Size, box: Size): boolean => {
  const [inner, outer] = [sides(carton), sides(box)]
  return outer.every((side, i) => side <= inner[i]!)
}
const sides = ({ lengthMm, widthMm, heightMm }: Size): number[] => [lengthMm, widthMm, heightMm].sort((a, b) => a - b)

export const volume = ({ lengthMm, widthMm, heightMm }: Size): number => lengthMm * widthMm * heightMm

function firstPlace(carton: Size, placed: readonly Placement[], points: readonly Point[], box: Box): Placement | undefined {
  const ways = positions(box)
  for (const { x, y, z } of points)
    for (const way of ways) {
      const place = { lineId: box.lineId, sku: box.sku, xMm: x, yMm: y, zMm: z, ...way }
      if (isInside(carton, place) && !placed.some((other) => overlap(place, other))) return place
    }
  return undefined
}

const isInside = (carton: Size, p: Placement): boolean =>
  p.xMm + p.lengthMm <= carton.lengthMm && p.yMm + p.widthMm <= carton.widthMm && p.zMm + p.heightMm <= carton.heightMm

const overlap = (a: Placement, b: Placement): boolean =>
  a.xMm < b.xMm + b.lengthMm && b.xMm < a.xMm + a.lengthMm && a.yMm < b.yMm + b.widthMm && b.yMm < a.yMm + a.widthMm && a.zMm < b.zMm + b.heightMm && b.zMm < a.zMm + a.heightMm

/** The three far corners of the new box, each slid along the other two axes until it meets a box or the wall; lowest first. */
function pointsAfter(points: readonly Point[], placed: readonly Placement[], fresh: Placement): Point[] {
  const { xMm: x, yMm: y, zMm: z } = fresh
  const [right, front, top] = [x + fresh.lengthMm, y + fresh.widthMm, z + fresh.heightMm]
  const found = [
    { x: right, y: slide(placed, { x: right, y, z }, 'y'), z },
    { x: right, y, z: slide(placed, { x: right, y, z }, 'z') },
    { x: slide(placed, { x, y: front, z }, 'x'), y: front, z },
    { x, y: front, z: slide(placed, { x, y: front, z }, 'z') },
    { x: slide(placed, { x, y, z: top }, 'x'), y, z: top },
    { x, y: slide(placed, { x, y, z: top }, 'y'), z: top },
  ]
  const covered = (p: Point): boolean => p.x >= x && p.x < right && p.y >= y && p.y < front && p.z >= z && p.z < top
  const kept = [...points.filter((p) => !covered(p))]
  for (const p of found) if (!kept.some((q) => q.x === p.x && q.y === p.y && q.z === p.z)) kept.push(p)
  return kept.sort((a, b) => a.z - b.z || a.y - b.y || a.x - b.x)
}

/** How far a point can move towards 0 along one axis: to the nearest face that looks at it. */
function slide(placed: readonly Placement[], point: Point, axis: 'x' | 'y' | 'z'): number {
  let stop = 0
  for (const box of placed) {
    const spans = { x: [box.xMm, box.xMm + box.lengthMm], y: [box.yMm, box.yMm + box.widthMm], z: [box.zMm, box.zMm + box.heightMm] } as const
    const faces = (['x', 'y', 'z'] as const).every((other) => other === axis || (point[other] >= spans[other][0] && point[other] < spans[other][1]))
    const end = spans[axis][1]
    if (faces && end <= point[axis] && end > stop) stop = end
  }
  return stop
}
