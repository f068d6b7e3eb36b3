/** What people on the phone say and do with drafts. */
import type { DraftView } from '../../db/views/drafts'
import { nearMitte, nextOrderNumber, type Answer, type Call } from './people'

export type DraftAnswer = Answer<DraftView & { code?: string; errors?: { pointer: string }[] }>

export interface DraftWish {
  sku: string
  quantity?: number
  unitPriceMinor?: number
  more?: Record<string, unknown>
}

/** Goods at 2,000 each and 490 for shipping, for a customer near a store. */
export const draftOf = ({ sku, quantity = 1, unitPriceMinor = 2_000, more = {} }: DraftWish): Record<string, unknown> => ({
  channel: 'web',
  channelOrderId: nextOrderNumber(),
  customer: { customerRef: 'c-phone', name: 'Customer', email: 'customer@example.com' },
  shipTo: nearMitte,
  delivery: { method: 'delivery' },
  lines: [{ lineId: '1', sku, quantity, unitPriceMinor }],
  shipping: { priceMinor: 490 },
  ...more,
})

export const writeDraft = async (by: Call, wish: DraftWish): Promise<DraftView> => {
  const written: DraftAnswer = await by('POST', '/v1/drafts', draftOf(wish))
  if (written.status !== 201) throw new Error(`not written down: ${JSON.stringify(written.body)}`)
  return written.body
}

export const readDraft = async (by: Call, draftId: string): Promise<DraftView> => (await by<DraftView>('GET', `/v1/drafts/${draftId}`)).body

export const patchDraft = (by: Call, { draftId, version }: Pick<DraftView, 'draftId' | 'version'>, patch: object): Promise<DraftAnswer> =>
  by('PATCH', `/v1/drafts/${draftId}`, patch, { 'if-match': `"${version}"` })

export const byCard = (amountMinor: number, paymentMethod = 'pm_card_visa'): { tenders: object[] } => ({ tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod, amountMinor }] })

export type Placed = Answer<{ orderId: string; draftId: string; code?: string }>
export const placeIt = (by: Call, draftId: string, money: { tenders: object[] }, headers?: Record<string, string>): Promise<Placed> => by('POST', `/v1/drafts/${draftId}/place`, money, headers)
