/** Started by a schedule: what has expired is given back, until nothing is due. */
import { step } from './support/activities'

export async function sweep(): Promise<number> {
  let ended = 0
  for (let some = true; some; ) {
    const count = await step('Give back what has expired').expireReservations()
    ended += count
    some = count > 0
  }
  return ended
}
