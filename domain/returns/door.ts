/** The exchange at the door as a table: what the driver says of both tasks decides what becomes of the old goods, the new ones, the money and the next step. */
import type { TaskOutcome } from '../delivery/run'

export interface DoorRow {
  says: string
  /** How bringing the new goods may have ended, and collecting the old ones. */
  deliver: readonly TaskOutcome[]
  collect: readonly TaskOutcome[]
  /** The driver has the old goods. */
  taken: boolean
  money: string
  stock: string
  order: string
  /** What is done about the old goods: counted at the node, tried again together with the new ones, or the customer is asked. */
  next: 'count' | 'try_again' | 'ask'
}

const nothingMoves = 'none moves: what is replaced stays paid for'

/** The first row that fits; every pair of outcomes fits one. */
export const doorTable: readonly DoorRow[] = [
  {
    says: 'both done', deliver: ['done'], collect: ['done'], taken: true, money: nothingMoves,
    stock: 'the new goods have left, the old ones are on board until the node counts them', order: 'the replacement is delivered, the return collected', next: 'count',
  },
  {
    says: 'both done, the old goods damaged', deliver: ['done'], collect: ['damaged'], taken: true, money: nothingMoves,
    stock: 'as both done; the count says what becomes of the damaged goods', order: 'the replacement is delivered, the return collected', next: 'count',
  },
  {
    says: 'delivered only', deliver: ['done'], collect: ['failed', 'refused', 'wrong_item'], taken: false, money: nothingMoves,
    stock: 'the new goods have left, the old ones are still with the customer', order: 'the replacement is delivered; the return goes on waiting until its deadline, support is told', next: 'ask',
  },
  {
    says: 'collected only', deliver: ['failed'], collect: ['done', 'damaged'], taken: true, money: nothingMoves,
    stock: 'the old goods are on board; the new ones come back with the driver and are tried again', order: 'the return is collected, the replacement is tried again', next: 'count',
  },
  {
    says: 'collected, and the new goods not wanted or not right', deliver: ['refused', 'wrong_item', 'damaged'], collect: ['done', 'damaged'], taken: true,
    money: 'given back or the goods sent again, as the policy for parcels says, once the driver is back',
    stock: 'the old goods are on board; the new ones come back and are on the shelf again, or written off', order: 'the return is collected, the replacement ends as undelivered', next: 'count',
  },
  {
    says: 'nobody in', deliver: ['failed'], collect: ['failed', 'refused', 'wrong_item'], taken: false, money: nothingMoves,
    stock: 'the new goods come back with the driver', order: 'both are tried again, as often as the policy says', next: 'try_again',
  },
  {
    says: 'refused', deliver: ['refused', 'wrong_item', 'damaged'], collect: ['failed', 'refused', 'wrong_item'], taken: false, money: nothingMoves,
    stock: 'the new goods come back and are on the shelf again, or written off', order: 'the replacement ends as undelivered; the return goes on waiting, support is told', next: 'ask',
  },
]

export function atTheDoor(deliver: TaskOutcome, collect: TaskOutcome): DoorRow {
  return doorTable.find((r) => r.deliver.includes(deliver) && r.collect.includes(collect))!
}
