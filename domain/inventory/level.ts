/** The stock of one SKU at one node, and the one arithmetic for what of it can be sold. */
export interface Level {
  /** Units physically there, whatever their commitment. */
  onHand: number
  /** Of those, damaged or quarantined. */
  unsellable: number
  /** Open soft claims. */
  reserved: number
  /** Open hard claims. */
  allocated: number
  safetyStock: number
}

/** available = max(0, on hand − unsellable − reserved − allocated − safety stock). A count may leave less on hand than is committed; then nothing is available. */
export const available = (level: Level): number => Math.max(0, level.onHand - level.unsellable - level.reserved - level.allocated - level.safetyStock)

/** What a channel leaves on every shelf it sells from. */
export interface ChannelStock {
  /** Units it never sells, kept for others. */
  stockBuffer: number
  /** Below so many available units it sells none at all: so few may not be there when somebody looks. */
  stockThreshold: number
}

/** Available to sell (ATS): what one channel may promise of a shelf with `free` available units. */
export const availableToSell = (free: number, { stockBuffer, stockThreshold }: ChannelStock): number =>
  free < stockThreshold ? 0 : Math.max(0, free - stockBuffer)

/**
 * What is on hand now, when `counted` units were there at an earlier moment and `movedSince` units have come (+) or gone (−) after it.
 * Never below zero: more cannot have left than was there, so a count that says so was too low.
 */
export const onHandAfterCount = (counted: number, movedSince: number): number => Math.max(0, counted + movedSince)
