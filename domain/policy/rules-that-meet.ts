/** Which rules can be for one and the same channel, of all channels there are or may ever be: what they say together is checked before any order comes. */
import { channelKinds, isForChannel, type ChannelFacts, type ForChannels } from './channel-facts'

/** Sets of rules are bits of a number. */
export const mostRules = 20

/**
 * Every set of rules that some channel brings together, by their places in the list, each once.
 *
 * Channels with more than two flags are not looked at. What contradicts is said by two rules at most, each of which needs one flag to be met, and a
 * further flag only brings in rules that may put it right: whatever can go wrong for any channel goes wrong for one with no more than two.
 */
export function rulesThatMeet(rules: readonly ForChannels[]): number[][] {
  const named = (of: (rule: ForChannels) => readonly string[] | undefined): string[] => [...new Set(rules.flatMap((rule) => of(rule) ?? []))]
  const metBy = (channel: Partial<ChannelFacts>, asked: (rule: ForChannels) => ForChannels): number =>
    rules.reduce((met, rule, i) => (isForChannel(asked(rule), { ...nobody, ...channel }) ? met | (1 << i) : met), 0)
  const byId = [other, ...named((r) => r.channels)].map((channelId) => metBy({ channelId }, ({ channels }) => ({ ...(channels && { channels }) })))
  const byKind = channelKinds.map((kind) => metBy({ kind }, ({ channelKinds: kinds }) => ({ ...(kinds && { channelKinds: kinds }) })))
  const byFlag = [[], ...named((r) => r.channelFlags).map((flag) => [flag])].map((flags) => metBy({ flags }, ({ channelFlags }) => ({ ...(channelFlags && { channelFlags }) })))
  const byFlags = each(byFlag, byFlag, (a, b) => a | b)
  return each(each(byId, byKind, (a, b) => a & b), byFlags, (a, b) => a & b).map((met) => rules.flatMap((_, i) => ((met >> i) & 1 ? [i] : [])))
}

/** A channel that no rule names. */
const other = ''
const nobody: ChannelFacts = { channelId: other, kind: 'web', flags: [], limits: {}, returnTerms: null }

function each(some: readonly number[], others: readonly number[], join: (a: number, b: number) => number): number[] {
  const distinct = [...new Set(others)]
  const found = new Set<number>()
  for (const a of new Set(some)) for (const b of distinct) found.add(join(a, b))
  return [...found]
}
