/** Value that we keep for customers ourselves: gift cards and store credit. */
export const storedValues = ['gift_card', 'store_credit'] as const
export type StoredValue = (typeof storedValues)[number]

export const isStoredValue = (provider: string): provider is StoredValue => (storedValues as readonly string[]).includes(provider)

/** The order of use: what is ours to keep before what a bank has to be asked for, a card that may be lost before credit that has a name. Money goes back the other way round. */
const rankOf = (provider: string): number => (isStoredValue(provider) ? storedValues.indexOf(provider) : storedValues.length)

/** Tenders in the order they pay in; those of one provider as the channel gave them. */
export const inOrderOfUse = <Tender extends { provider: string }>(tenders: readonly Tender[]): Tender[] => [...tenders].sort((a, b) => rankOf(a.provider) - rankOf(b.provider))
