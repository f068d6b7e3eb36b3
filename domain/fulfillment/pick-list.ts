/** One walk through the shelves for several orders: what to take from which bin, in the order of the bins, and for which order each unit is. */

export interface PickNeed {
  fulfillmentId: string
  lineId: string
  /** The place of its order in the wave, as on the picker's cart. */
  position: number
  sku: string
  name: string
  /** Units that are neither picked nor rejected yet. */
  open: number
  /** null: nobody has said where it lies. */
  bin: string | null
}
export interface PickStop {
  bin: string | null
  sku: string
  name: string
  quantity: number
  for: PickTake[]
}
export type PickTake = Pick<PickNeed, 'fulfillmentId' | 'lineId' | 'position'> & { quantity: number }

/** Sorted by bin, then SKU; what has no bin comes last. Lines with nothing open are left out. */
export function pickList(needs: readonly PickNeed[]): PickStop[] {
  const stops = new Map<string, PickStop>()
  for (const { bin, sku, name, open, ...take } of [...needs].sort((a, b) => a.position - b.position)) {
    if (open === 0) continue
    const stop = stops.get(sku) ?? { bin, sku, name, quantity: 0, for: [] }
    stop.quantity += open
    stop.for.push({ fulfillmentId: take.fulfillmentId, lineId: take.lineId, position: take.position, quantity: open })
    stops.set(sku, stop)
  }
  return [...stops.values()].sort((a, b) => compareBins(a.bin, b.bin) || byText(a.sku, b.sku))
}

/** As people number shelves: A-2 comes before A-10. */
export function compareBins(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const order = comparePart(left[i]!, right[i]!)
    if (order !== 0) return order
  }
  return left.length - right.length || byText(a, b)
}

const partsOf = (bin: string): string[] => bin.toUpperCase().match(/\d+|\D+/g) ?? []

function comparePart(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)]
  return Number.isNaN(x) || Number.isNaN(y) ? byText(a, b) : x - y
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
