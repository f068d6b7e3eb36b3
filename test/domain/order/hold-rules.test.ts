/** Which orders the rules of a policy stop. */
import { asksFraud, holdsByRule, isSameDoor, unknownCustomer, type CustomerHistory } from '../../../domain/order/hold-rules'
import type { HoldCondition, HoldRule } from '../../../domain/policy/holds'

const door = { country: 'DE', postalCode: '10115', line1: 'Street 1' }
const line = { lineId: '1', sku: 'SHOE-42', quantity: 1, unitPriceMinor: 9_000, discountMinor: 0, taxMinor: 0 }
const facts = { channelId: 'web', kind: 'web', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', flags: ['new_shop'], limits: { approval: 40_000, fraud: 90_000 }, returnTerms: null } as const
const order = { facts, currency: 'EUR', totalMinor: 50_000, shipTo: door, lines: [line] }
const now = '2026-11-23T09:00:00.000Z'
const rule = (when: HoldCondition, more: Partial<HoldRule> = {}): HoldRule => ({ name: 'r', type: 'amount', reason: 'a lot of money', when, blocks: ['picking'], owner: 'support', ...more })
const known: CustomerHistory = { hasOrdered: true, addresses: [door] }
const stops = (when: HoldCondition, change: object = {}, history = known): boolean => holdsByRule({ rules: [rule(when)] }, { ...order, ...change }, history, now).length === 1

it.each<[string, HoldCondition, object, CustomerHistory | undefined, boolean]>([
  ['every order where it names nothing', {}, {}, known, true],
  ['an order of its amount', { amount: { fromMinor: 50_000, currency: 'EUR' } }, {}, known, true],
  ['no order below its amount', { amount: { fromMinor: 50_001, currency: 'EUR' } }, {}, known, false],
  ['no order in another currency', { amount: { fromMinor: 1, currency: 'USD' } }, {}, known, false],
  ['an order of a channel it names', { channels: ['web', 'marketplace'] }, {}, known, true],
  ['no order of another channel', { channels: ['marketplace'] }, {}, known, false],
  ['an order of a kind of channel', { channelKinds: ['agent', 'web'] }, {}, known, true],
  ['no order of another kind of channel', { channelKinds: ['marketplace'] }, {}, known, false],
  ['an order of a channel that the merchant has marked', { channelFlags: ['trial', 'new_shop'] }, {}, known, true],
  ['no order of a channel without the mark', { channelFlags: ['trial'] }, {}, known, false],
  ['an order that reaches what its channel calls so', { limit: 'approval' }, {}, known, true],
  ['no order below it', { limit: 'fraud' }, {}, known, false],
  ['no order where the channel gives nothing under that name', { limit: 'export' }, {}, known, false],
  ['no order by a name that every object has', { limit: 'constructor' }, {}, known, false],
  ['the first order of a customer', { firstOrder: true }, {}, { hasOrdered: false, addresses: [] }, true],
  ['an order of somebody nobody knows', { firstOrder: true }, {}, unknownCustomer, true],
  ['no later order', { firstOrder: true }, {}, known, false],
  ['an order billed elsewhere', { addressDiffers: 'from_billing' }, { billTo: { ...door, postalCode: '80331' } }, known, true],
  ['no order billed to the same door', { addressDiffers: 'from_billing' }, { billTo: { ...door, line1: 'STREET-1' } }, known, false],
  ['no order that says nothing of a bill', { addressDiffers: 'from_billing' }, {}, known, false],
  ['an order to a door no earlier one went to', { addressDiffers: 'from_earlier_orders' }, { shipTo: { ...door, line1: 'Other street 9' } }, known, true],
  ['no order to a known door', { addressDiffers: 'from_earlier_orders' }, {}, known, false],
  ['no order without earlier ones to compare with', { addressDiffers: 'from_earlier_orders' }, {}, unknownCustomer, false],
  ['an order that the channel has marked', { flags: ['check', 'vip'] }, { flags: ['check'] }, known, true],
  ['no order without the mark', { flags: ['check'] }, {}, known, false],
  ['an order with goods that begin so', { skus: ['SHOE-'] }, {}, known, true],
  ['an order of a kit that begins so', { skus: ['SET-'] }, { lines: [{ ...line, kit: { lineId: '1', sku: 'SET-1', quantity: 1 } }] }, known, true],
  ['no order that meets only one of two conditions', { channels: ['web'], amount: { fromMinor: 60_000, currency: 'EUR' } }, {}, known, false],
])('stops %s', (_what, when, change, history, expected) => {
  expect(stops(when, change, history)).toBe(expected)
})

it('places one hold per rule that is met, with its deadline counted from now', () => {
  const rules = [rule({}, { name: 'all', endsAfter: 'PT1H', atDeadline: 'cancel' }), rule({ channels: ['pos'] }, { name: 'till' }), rule({}, { name: 'many', approvals: 2 })]
  expect(holdsByRule({ rules }, order, known, now)).toMatchObject([
    { rule: 'all', deadline: '2026-11-23T10:00:00.000Z', atDeadline: 'cancel' },
    { rule: 'many', approvals: 2 },
  ])
})

it('asks the fraud service only where a rule says so', () => {
  const fraud = { when: { channels: ['web'] }, blocks: ['picking'] as const, answerWithin: 'PT1H', whenSilent: 'release' as const, reviewWithin: 'P1D', whenUnreviewed: 'cancel' as const, reviewer: 'support' as const }
  expect([asksFraud({ rules: [] }, order, known), asksFraud({ rules: [], fraud }, order, known), asksFraud({ rules: [], fraud }, { ...order, facts: { ...facts, channelId: 'pos' } }, known)]).toEqual([false, true, false])
})

it('knows a door however it is spelled', () => {
  expect(isSameDoor(door, { country: 'DE', postalCode: ' 101 15', line1: 'street  1' })).toBe(true)
  expect(isSameDoor(door, { country: 'DE', postalCode: '10115' })).toBe(true)
  expect(isSameDoor(door, { ...door, country: 'AT' })).toBe(false)
})
