/** Which rules can be for one and the same channel, of all channels there are or may ever be: what they say together is checked before any order comes. */
import { channelClaims, channelKinds, forWhom, type ForChannels, type ForWhom } from './channel-facts'

/** Sets of rules are bits of a number. */
export const mostRules = 20
/** More sets than that are not looked through. */
const mostSets = 4_000

/**
 * Every set of rules that some channel brings together, by their places in the list, each once; undefined where there are too many.
 *
 * Channels with more than two flags are not looked at. What contradicts is said by two rules at most, each of which needs one flag to be met, and a
 * further flag only brings in rules that may put it right: whatever can go wrong for any channel goes wrong for one with no more than two.
 */
export function rulesThatMeet(rules: readonly ForChannels[]): number[][] | undefined {
  let sets: number[] | undefined = [2 ** rules.length - 1]
  for (const field of forWhom) sets = sets && each(sets, field === 'channelFlags' ? metByFlags(rules) : metByOne(rules, field), (a, b) => a & b)
  return sets?.map((met) => rules.flatMap((_, i) => ((met >> i) & 1 ? [i] : [])))
}

/** What a channel can be that no rule names; of kinds and claims there is nothing else. */
const others: Partial<Record<ForWhom, readonly string[]>> = { channelKinds, channelClaims }

const metByOne = (rules: readonly ForChannels[], field: ForWhom): number[] => [...new Set([...(others[field] ?? ['']), ...named(rules, field)])].map((value) => met(rules, field, value))

const metByFlags = (rules: readonly ForChannels[]): number[] | undefined => {
  const one = ['', ...named(rules, 'channelFlags')].map((flag) => met(rules, 'channelFlags', flag))
  return each(one, one, (a, b) => a | b)
}

const named = (rules: readonly ForChannels[], field: ForWhom): string[] => rules.flatMap((rule) => rule[field] ?? [])

const met = (rules: readonly ForChannels[], field: ForWhom, value: string): number =>
  rules.reduce((sum, rule, i) => {
    const values: readonly string[] | undefined = rule[field]
    return (values?.includes(value) ?? true) ? sum | (1 << i) : sum
  }, 0)

function each(some: readonly number[], others_: readonly number[] | undefined, join: (a: number, b: number) => number): number[] | undefined {
  const [one, other] = [new Set(some), new Set(others_)]
  if (!others_ || one.size > mostSets || other.size > mostSets) return undefined
  const found = new Set<number>()
  for (const a of one) for (const b of other) found.add(join(a, b))
  return found.size > mostSets ? undefined : [...found]
}
