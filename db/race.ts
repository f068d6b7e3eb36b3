/** Two buyers, one unit: first it is tried on what can be read, and after a lost race once more with the levels locked. */

/** `hopeful`: planned on what can be read. `locked`: the levels are locked first, so what is planned can be had. */
export type PlanMode = 'hopeful' | 'locked'

/** Somebody else took what was planned. Thrown to the edge of the transaction, which lets go of every lock before it is tried again in `locked` mode. */
export class LostRace extends Error {
  override name = 'LostRace'
}

/** Runs a transaction hopefully, and once more with the levels locked if it lost a race. */
export async function hopefully<Result>(transaction: (mode: PlanMode) => Promise<Result>): Promise<Result> {
  try {
    return await transaction('hopeful')
  } catch (cause) {
    if (!(cause instanceof LostRace)) throw cause
    return transaction('locked')
  }
}
