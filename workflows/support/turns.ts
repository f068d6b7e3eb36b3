/**
 * Results of steps are handed on one at a time, each once nothing else moves any more.
 *
 * While a workflow runs, two local activities that end one after the other come in an activation each; when it is told again, both may come in one, and so may a fact that was heard while a step
 * was under way. What follows from them would then go on side by side, and in another sequence than before. Taking turns, it is the same sequence both times.
 */
import { CancellationScope, condition as blocked } from '@temporalio/workflow'

// Every workflow has modules of its own in the sandbox.
let takesTurns = false
let moves = 0
let last: Promise<void> = Promise.resolve()

/** From now on. Before it, results are handed on as they come: as orders have been told that began before there were turns. */
export const takeTurns = (): void => void (takesTurns = true)
export const takingTurns = (): boolean => takesTurns

/** Temporal's `condition`; what it lets go on counts as a move. */
export const condition = (fact: () => boolean): Promise<void> =>
  blocked(() => {
    const holds = fact()
    if (holds) moves += 1
    return holds
  })

/** Hands on what a step gives, or how it fails, when its turn comes. */
export async function inTurn<Result>(step: Promise<Result>): Promise<Result> {
  try {
    return await step
  } finally {
    await (last = last.then(untilNothingMoves))
  }
}

/** Conditions are looked at when all promises have been seen to: a look in which none but our own lets anything go on finds everything at rest. */
async function untilNothingMoves(): Promise<void> {
  for (let seen = -1; seen !== moves; ) {
    seen = moves
    let looked = false
    const look = CancellationScope.nonCancellable(() => blocked(() => looked))
    looked = true
    await look
  }
}
