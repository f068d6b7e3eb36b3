/** What rules may ask of the channel that an order came by, and which rules are for it. */

export const channelKinds = ['web', 'marketplace', 'till', 'phone', 'agent'] as const
export type ChannelKind = (typeof channelKinds)[number]

export interface ChannelFacts {
  channelId: string
  kind: ChannelKind
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
  /** The channel has any of these flags. */
  channelFlags?: readonly string[]
}

export const isForChannel = ({ channels, channelKinds: kinds, channelFlags }: ForChannels, { channelId, kind, flags }: ChannelFacts): boolean =>
  (channels?.includes(channelId) ?? true) && (kinds?.includes(kind) ?? true) && (channelFlags?.some((flag) => flags.includes(flag)) ?? true)
