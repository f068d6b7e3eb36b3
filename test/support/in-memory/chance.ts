/** What goes wrong in between, drawn from one number so that it can be repeated: a step that is undone, an answer that is lost, news that comes first, twice or late. */
import { seeded } from '../../../domain/seeded'

export type CallFault = 'none' | 'not done' | 'unknown, not done' | 'unknown, done' | 'stored'
export type StepFault = 'none' | 'undone' | 'answer lost'
export type NewsFate = 'once' | 'first' | 'twice' | 'late' | 'never'

export interface Chance {
  call(): CallFault
  step(): StepFault
  news(): NewsFate
  /** Is it sent twice? */
  twice(): boolean
}

/** @param seed 0: nothing goes wrong */
export function chanceOf(seed: number): Chance {
  const next = seed === 0 ? () => 1 : seeded(seed)
  const oneOf = <Fault extends string>(usual: Fault, faults: readonly Fault[], share: number): Fault => {
    const drawn = next()
    return drawn < share ? faults[Math.floor((drawn / share) * faults.length)]! : usual
  }
  return {
    call: () => oneOf('none', ['not done', 'unknown, not done', 'unknown, done', 'stored'], 0.2),
    step: () => oneOf('none', ['undone', 'answer lost'], 0.08),
    news: () => oneOf('once', ['first', 'twice', 'late', 'never'], 0.6),
    twice: () => next() < 0.1,
  }
}
