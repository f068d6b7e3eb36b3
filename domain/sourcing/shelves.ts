/** Stock that moves while orders are replayed: what each node has of each SKU, what the outside brought or took in the meantime, and what the replay has taken. */

/** Units of a SKU at a node that nobody has claimed, safety stock taken off; may be below zero, then nothing is available. */
export interface Shelf {
  sku: string
  nodeId: string
  units: number
}
/** Something that was no claim of a replayed order: a receipt, a count, an adjustment, a claim of somebody else. */
export interface StockChange extends Shelf {
  /** Milliseconds since 1970. */
  at: number
}

export interface Shelves {
  /** Lets everything happen that happened until `at`. */
  passTo(at: number): void
  free(sku: string, nodeId: string): number
  take(sku: string, nodeId: string, units: number): void
  /** Units that come back at a moment of their own, because their order was called off. */
  giveBackAt(at: number, shelf: Shelf): void
}

export function openShelves(opening: readonly Shelf[], changes: readonly StockChange[]): Shelves {
  const units = new Map<string, Map<string, number>>()
  const add = ({ sku, nodeId, units: more }: Shelf): void => {
    const bySku = units.get(sku) ?? new Map<string, number>()
    if (!units.has(sku)) units.set(sku, bySku)
    bySku.set(nodeId, (bySku.get(nodeId) ?? 0) + more)
  }
  opening.forEach(add)
  const inOrder = [...changes].sort((a, b) => a.at - b.at)
  const coming = createHeap()
  let next = 0
  return {
    passTo(at) {
      for (; next < inOrder.length && inOrder[next]!.at <= at; next += 1) add(inOrder[next]!)
      for (let back = coming.first(); back !== undefined && back.at <= at; back = coming.first()) add(coming.pop())
    },
    free: (sku, nodeId) => units.get(sku)?.get(nodeId) ?? 0,
    take: (sku, nodeId, taken) => add({ sku, nodeId, units: -taken }),
    giveBackAt: (at, shelf) => coming.push({ ...shelf, at }),
  }
}

/** What comes back, soonest first: a binary heap. */
function createHeap(): { first(): StockChange | undefined; push(change: StockChange): void; pop(): StockChange } {
  const heap: StockChange[] = []
  const swap = (i: number, j: number): void => void ([heap[i], heap[j]] = [heap[j]!, heap[i]!])
  return {
    first: () => heap[0],
    push(change) {
      heap.push(change)
      for (let i = heap.length - 1; i > 0 && heap[(i - 1) >> 1]!.at > heap[i]!.at; i = (i - 1) >> 1) swap(i, (i - 1) >> 1)
    },
    pop() {
      swap(0, heap.length - 1)
      const soonest = heap.pop()!
      for (let i = 0, least = 0; ; i = least) {
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && heap[child]!.at < heap[least]!.at) least = child
        if (least === i) return soonest
        swap(i, least)
      }
    },
  }
}
