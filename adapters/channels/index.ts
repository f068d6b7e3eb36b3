/** Whose orders are understood, by the name that their messages are kept under. */
import type { ChannelAdapter } from './adapter'
import { amazon } from './amazon/mapping'
import { shopify } from './shopify/mapping'

const adapters: readonly ChannelAdapter[] = [shopify, amazon]

/** The adapter that a kept message came by; its source begins with the adapter's name. */
export const adapterOf = (source: string): ChannelAdapter | undefined => adapters.find((adapter) => source.startsWith(`${adapter.name}:`))
