/** Which rules are for a channel, and what an order of it lives by. */
import { isForChannel, type ChannelFacts, type ForChannels } from '../../../domain/policy/channel-facts'
import { policiesFor } from '../../../domain/policy/channel-rules'
import { defaultPolicies } from '../../../domain/policy/kinds'

const outlet: ChannelFacts = { channelId: 'outlet', kind: 'marketplace', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', flags: ['foreign'], limits: {}, returnTerms: 'strict' }

it.each<[string, ForChannels, boolean]>([
  ['names nothing', {}, true],
  ['names the channel', { channels: ['web', 'outlet'] }, true],
  ['names another', { channels: ['web'] }, false],
  ['names its kind', { channelKinds: ['marketplace'] }, true],
  ['names another kind', { channelKinds: ['till', 'phone'] }, false],
  ['names its currency', { channelCurrencies: ['CHF', 'EUR'] }, true],
  ['names another currency', { channelCurrencies: ['CHF'] }, false],
  ['names its time zone', { channelTimeZones: ['Europe/Berlin'] }, true],
  ['names another time zone', { channelTimeZones: ['Europe/Zurich'] }, false],
  ['names how it takes its stock', { channelClaims: ['required'] }, true],
  ['names the other way', { channelClaims: ['later'] }, false],
  ['names its currency, but another kind', { channelCurrencies: ['EUR'], channelKinds: ['web'] }, false],
  ['names one of its flags', { channelFlags: ['new', 'foreign'] }, true],
  ['names a flag that it has not', { channelFlags: ['new'] }, false],
  ['names its kind, but another channel', { channels: ['web'], channelKinds: ['marketplace'] }, false],
])('a rule that %s', (_what, rule, expected) => expect(isForChannel(rule, outlet)).toBe(expected))

it('an order keeps the rules of returns that are for its channel', () => {
  const rules = [{ name: 'a', terms: ['strict'] }, { name: 'b', terms: ['generous'] }, { name: 'c', channelKinds: ['web' as const] }, { name: 'd', categories: ['shoes'] }]
  const kept = (channel: ChannelFacts): string[] | undefined => policiesFor({ ...defaultPolicies, returns: { ...defaultPolicies.returns, rules } }, channel).returns.rules?.map((r) => r.name)
  expect([kept(outlet), kept({ ...outlet, kind: 'web', returnTerms: null })]).toEqual([['a', 'd'], ['c', 'd']])
})

it('an order of any channel shares the policies where no rule tells channels apart', () => {
  const same = { ...defaultPolicies, returns: { ...defaultPolicies.returns, rules: [{ name: 'd', categories: ['shoes'] }] } }
  expect([policiesFor(same, outlet), policiesFor(defaultPolicies, outlet)]).toEqual([same, defaultPolicies])
  expect(policiesFor(same, outlet)).toBe(same)
})
