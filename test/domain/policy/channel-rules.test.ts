/** What rules make of the policies for the orders of a channel, and that nothing unsound comes of it. */
import fc from 'fast-check'
import { channelClaims, channelKinds, isForChannel, type ChannelFacts } from '../../../domain/policy/channel-facts'
import { bothFences, policiesFor, promiseFor, sourcingFor, withinOwn } from '../../../domain/policy/channel-rules'
import { defaultPolicies, type PromisePolicy } from '../../../domain/policy/kinds'
import { nodeTypes, type SourcingChannelRule, type SourcingCosts, type SourcingFences, type SourcingPolicy } from '../../../domain/policy/sourcing'
import { contradictions } from '../../../domain/policy/sourcing-contradictions'
import type { Candidate } from '../../../domain/sourcing/decision'
import { judge } from '../../../domain/sourcing/judged'
import { holds } from '../../support/property'

const web: ChannelFacts = { channelId: 'web', kind: 'web', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', flags: [], limits: {}, returnTerms: null }
const outlet: ChannelFacts = { ...web, channelId: 'outlet', kind: 'marketplace', flags: ['fragile'] }
const costs: SourcingCosts = { rateCard: [{ upToKm: 900, tiers: [{ upToGrams: 30_000, priceMinor: 500 }] }], handlingMinor: 50, pickWarehouseMinor: 30, pickStoreMinor: 60, splitMinor: 100, capacityMinor: 0, stockOutMinor: 0, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0 }
const plain = defaultPolicies.sourcing
const sourcing = (channelRules: SourcingChannelRule[], more: Partial<SourcingPolicy> = {}): SourcingPolicy => ({ ...plain, ...more, channelRules })

it.each<[string, SourcingPolicy, Partial<SourcingPolicy>]>([
  ['says no stores', sourcing([{ name: 'a', channelKinds: ['marketplace'], fences: { excludeTypes: ['store'] } }]), { fences: { ...plain.fences, excludeTypes: ['store'] } }],
  ['prefers warehouses', sourcing([{ name: 'a', channels: ['outlet'], rules: ['warehouses_first'] }]), { rules: ['warehouses_first'] }],
  ['counts by costs, and lateness more', sourcing([{ name: 'a', channels: ['outlet'], mode: 'cost', costs: { latenessMinor: 900 } }], { costs }), { mode: 'cost', costs: { ...costs, latenessMinor: 900 } }],
  [
    'forbids parts',
    sourcing([{ name: 'a', channelFlags: ['fragile'], maxShipments: 1, splitLines: false, consolidateAt: null }], { maxShipments: 3, splitLines: true, consolidateAt: 'dc-01' }),
    { maxShipments: 1, splitLines: false, consolidateAt: undefined },
  ],
  ['gathers elsewhere', sourcing([{ name: 'a', channels: ['outlet'], consolidateAt: 'dc-02' }], { maxShipments: 3, consolidateAt: 'dc-01' }), { consolidateAt: 'dc-02' }],
  ['waits longer', sourcing([{ name: 'a', channelKinds: ['marketplace'], autoCancelAfter: 'P9D' }]), { autoCancelAfter: 'P9D', retryEvery: plain.retryEvery }],
])('a rule that %s changes that and nothing else, for its channel and no other', (_what, policy, expected) => {
  const { channelRules: _, ...said } = policy
  expect(sourcingFor(policy, outlet)).toEqual({ ...said, ...expected, appliedRules: ['a'] })
  expect(sourcingFor(policy, { ...web, flags: ['other'] })).toEqual(said)
})

it('of two rules that speak of the same the last one has the word', () => {
  const policy = sourcing([{ name: 'a', channels: ['outlet'], maxShipments: 4, autoCancelAfter: 'P1D' }, { name: 'b', channelKinds: ['marketplace'], maxShipments: 2 }])
  expect(sourcingFor(policy, outlet)).toMatchObject({ maxShipments: 2, autoCancelAfter: 'P1D', appliedRules: ['a', 'b'] })
  expect(sourcingFor(policy, { ...outlet, kind: 'web' })).toMatchObject({ maxShipments: 4, appliedRules: ['a'] })
})

it('a rule of promises changes single prices, distances and answers, and what it does not name stays', () => {
  const policy: PromisePolicy = { ...defaultPolicies.promise, channelRules: [{ name: 'careful', channelKinds: ['marketplace'], confidence: 0.95, extraHandling: 'P1D', prices: { express: 1_290 }, collect: { stores: 0 }, whenLate: { pick: 're_source' } }] }
  const { channelRules: _, ...said } = policy
  expect(promiseFor(policy, outlet)).toEqual({
    ...said, confidence: 0.95, extraHandling: 'P1D', prices: { standard: 490, express: 1_290, other: 490 }, collect: { withinKm: 30, stores: 0 }, whenLate: { pick: 're_source', handOver: 'tell' }, appliedRules: ['careful'],
  })
  expect(promiseFor(policy, web)).toEqual(said)
})

it('policies without such rules are the very same for every channel', () => {
  expect(policiesFor(defaultPolicies, outlet)).toBe(defaultPolicies)
  const ruled = { ...defaultPolicies, sourcing: sourcing([{ name: 'a', channels: ['outlet'], maxShipments: 2 }]) }
  expect(policiesFor(ruled, web)).toEqual(defaultPolicies)
  expect(policiesFor(ruled, outlet)).toMatchObject({ promise: defaultPolicies.promise, sourcing: { maxShipments: 2 } })
})

const someFences = fc.record<Partial<SourcingFences>>(
  {
    excludeNodes: fc.subarray(['a', 'b', 'c']),
    excludeTypes: fc.subarray([...nodeTypes], { minLength: 1 }),
    maxDistanceKm: fc.constantFrom(50, 200, 700, 2_000),
    sameCountry: fc.boolean(),
    openWithin: fc.constantFrom('PT2H', 'P1D', 'PT36H'),
    leastTrust: fc.constantFrom(0, 0.4, 0.8),
  },
  { requiredKeys: [] },
)
const whole = (fences: Partial<SourcingFences>): SourcingFences => ({ ...plain.fences, ...fences })
const someNode = fc.record({ nodeId: fc.constantFrom('a', 'b', 'd'), type: fc.constantFrom(...nodeTypes), country: fc.constantFrom('DE', 'AT'), latitude: fc.constantFrom(52.5, 51, 47), closedHours: fc.constantFrom(0, 12, 30, 48), trust: fc.constantFrom(0.3, 0.6, 1) })
const ask = { lines: [{ lineId: '1', sku: 'S', quantity: 1, weightGrams: 1, valueMinor: 1 }], method: 'delivery', destination: { latitude: 52.5, longitude: 13.4 }, country: 'DE', excluded: [] }
const passes = ({ latitude, closedHours, trust, ...node }: { latitude: number; closedHours: number; trust: number } & Pick<Candidate, 'nodeId' | 'type' | 'country'>, fences: SourcingFences): boolean => {
  const [judged] = judge(ask, [{ ...node, position: { latitude, longitude: 13.4 }, active: true, methods: ['delivery'], available: { S: 1 }, closedForMs: closedHours * 3_600_000, trust: { S: trust } }], { ...plain, fences })
  return judged!.fence === undefined && judged!.stock.get('S')! > 0
}

it('a node gets past the fences of a policy and its rules if it gets past each of them, in whatever sequence they stand', () => {
  holds(
    fc.property(fc.array(someFences, { minLength: 1, maxLength: 4 }), someNode, (all, node) => {
      const together = (some: readonly Partial<SourcingFences>[]): boolean => passes(node, some.reduce<SourcingFences>(bothFences, plain.fences))
      expect(together(all)).toBe(all.every((one) => passes(node, whole(one))))
      expect(together([...all].reverse())).toBe(together(all))
    }),
    500,
  )
})

it('an order that is planned again stays behind its own fences, and no further apart than it was sold', () => {
  holds(
    fc.property(someFences, someFences, someNode, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (one, other, node, now, then) => {
      const again = withinOwn({ ...plain, fences: whole(one), maxShipments: now, splitLines: now > 1 }, { ...plain, fences: whole(other), maxShipments: then, splitLines: then > 1 })
      expect(passes(node, again.fences)).toBe(passes(node, whole(one)) && passes(node, whole(other)))
      expect(again).toMatchObject({ maxShipments: Math.min(now, then), splitLines: now > 1 && then > 1 })
    }),
  )
})

const fields = {
  mode: fc.constantFrom('simple' as const, 'cost' as const),
  maxShipments: fc.constantFrom(1, 3),
  splitLines: fc.boolean(),
  splitGuardMinor: fc.constantFrom(0, 500),
  consolidateAt: fc.constantFrom('dc', 'hub', null),
  fences: someFences.map((f) => ({ ...f, excludeNodes: f.excludeNodes?.includes('a') ? ['hub'] : [] })),
}
const ids = ['web', 'outlet', 'elsewhere']
const flags = ['f', 'g', 'h']
const someRule = fc
  .record({ channels: fc.subarray(['web', 'outlet'], { minLength: 1 }), channelKinds: fc.subarray(['web', 'marketplace', 'till'] as const, { minLength: 1 }), channelCurrencies: fc.constant(['CHF']), channelClaims: fc.subarray([...channelClaims], { minLength: 1 }), channelFlags: fc.subarray(flags, { minLength: 1 }) }, { requiredKeys: [] })
  .chain((forWhom) => fc.tuple(fc.record(fields), fc.subarray(Object.keys(fields), { minLength: 1, maxLength: 2 })).map(([said, kept]) => ({ ...forWhom, ...Object.fromEntries(Object.entries(said).filter(([field]) => kept.includes(field))) })))
const places = ids.flatMap((channelId) => channelKinds.flatMap((kind) => channelClaims.flatMap((claim) => ['CHF', 'EUR'].map((currency) => ({ ...web, channelId, kind, claim, currency })))))
const everyChannel = places.flatMap((place) => Array.from({ length: 2 ** flags.length }, (_, bits) => ({ ...place, flags: flags.filter((_f, i) => (bits >> i) & 1) })))
const typeOf = (nodeId: string): string => (nodeId === 'hub' ? 'store' : 'warehouse')

it('a policy is refused if what its rules make of it is unsound for any channel that there is or may be, and for no other reason', () => {
  let [sound, refused] = [0, 0]
  holds(
    fc.property(fc.array(someRule, { minLength: 1, maxLength: 4 }), fc.boolean(), fc.boolean(), (rules, isWide, hasCosts) => {
      const policy = sourcing(rules.map((rule, i) => ({ name: `r${i}`, ...rule })), { ...(isWide && { maxShipments: 3, splitLines: true, consolidateAt: 'hub' }), ...(hasCosts && { costs }) })
      const said = contradictions(policy, typeOf)
      const unsound = everyChannel.filter((channel) => contradictions(sourcingFor(policy, channel), typeOf).length > 0)
      expect(said.length > 0).toBe(unsound.length > 0)
      for (const { path } of said) expect(path.slice(0, 2)).toEqual(['channelRules', expect.any(Number)])
      if (said.length > 0) refused += 1
      else if (everyChannel.some((channel) => rules.some((rule) => isForChannel(rule, channel)))) sound += 1
    }),
    120,
  )
  expect(Math.min(sound, refused)).toBeGreaterThan(20)
})

it('a policy is refused whose rules meet in more ways than can be looked through', () => {
  const named = (i: number): object => (i < 10 ? { channels: Array.from({ length: 200 }, (_, n) => n).filter((n) => (n >> (i % 8)) & 1).map((n) => `c${n}`) } : { channelFlags: [`f${i}`] })
  const channelRules = Array.from({ length: 20 }, (_, i) => ({ name: `r${i}`, maxShipments: 2, ...named(i) }))
  expect(contradictions(sourcing(channelRules))).toMatchObject([{ path: ['channelRules'], message: expect.stringMatching(/too many ways/) }])
  expect(contradictions(sourcing(channelRules.slice(5)))).toEqual([])
})

it.each<[string, SourcingPolicy, string, RegExp]>([
  ['costs without costs', sourcing([{ name: 'a', channels: ['web'], mode: 'cost' }]), 'channelRules/0/costs', /^Mode cost needs costs$/],
  ['other costs where there are none', sourcing([{ name: 'a', channels: ['web'], costs: { splitMinor: 5 } }]), 'channelRules/0/costs', /no costs that could be others/],
  ['one shipment of split lines', sourcing([{ name: 'a', channelFlags: ['f'], maxShipments: 1 }], { maxShipments: 2, splitLines: true }), 'channelRules/0/splitLines', /^Lines cannot be split into one shipment/],
  ['the same, only together with another', sourcing([{ name: 'a', channelFlags: ['f'], maxShipments: 1 }, { name: 'b', channelFlags: ['g'], splitLines: true }], { maxShipments: 2 }), 'channelRules/1/splitLines', /\(for channels that are also meant by "a"\)$/],
  ['a node that it excludes as the place where all is gathered', sourcing([{ name: 'a', channels: ['web'], fences: { excludeTypes: ['store'] } }], { maxShipments: 2, consolidateAt: 'hub' }), 'channelRules/0/consolidateAt', /takes no orders/],
  ['farther than the rate card', sourcing([{ name: 'a', channels: ['web'], fences: { maxDistanceKm: 901 } }], { costs }), 'channelRules/0/fences/maxDistanceKm', /900 km/],
])('a rule that says %s is named with its field', (_what, policy, path, message) => {
  expect(contradictions(policy, typeOf).map((c) => c.path.join('/'))).toEqual([path])
  expect(contradictions(policy, typeOf)[0]!.message).toMatch(message)
})
