/** What rules may ask of the channel that an order came by, and which rules are for it. */

export const channelKinds = ['web', 'marketplace', 'till', 'phone', 'agent'] as const
export type ChannelKind = (typeof channelKinds)[number]

/** Whether its orders take their stock when they are placed, or when they are sourced. */
export const channelClaims = ['required', 'later'] as const
export type ChannelClaim = (typeof channelClaims)[number]

export interface ChannelFacts {
  channelId: string
  kind: ChannelKind
  /** ISO 4217: what it sells in. */
  currency: string
  timeZone: string
  claim: ChannelClaim
  /** What the merchant has marked it with. */
  flags: readonly string[]
  /** Amounts that it has of its own, by the name that rules know them by; minor units of its currency. */
  limits: Readonly<Record<string, number>>
  /** The terms of returns that it has chosen. */
  returnTerms: string | null
}

/** Everything it names must be so; what names nothing is for every channel. */
export interface ForChannels {
  /** By id. */
  channels?: readonly string[]
  channelKinds?: readonly ChannelKind[]
  channelCurrencies?: readonly string[]
  channelTimeZones?: readonly string[]
  channelClaims?: readonly ChannelClaim[]
  /** The channel has any of these flags. */
  channelFlags?: readonly string[]
}
export type ForWhom = keyof ForChannels

/** What each of them is held against. */
const asked: Readonly<Record<ForWhom, (channel: ChannelFacts) => readonly string[]>> = {
  channels: ({ channelId }) => [channelId],
  channelKinds: ({ kind }) => [kind],
  channelCurrencies: ({ currency }) => [currency],
  channelTimeZones: ({ timeZone }) => [timeZone],
  channelClaims: ({ claim }) => [claim],
  channelFlags: ({ flags }) => flags,
}
export const forWhom = Object.keys(asked) as ForWhom[]

export const isForChannel = (rule: ForChannels, channel: ChannelFacts): boolean => forWhom.every((field) => rule[field]?.some((value) => asked[field](channel).includes(value)) ?? true)
