/** Drafts as they are shown: the document, what it comes to, what it lacks, and what may be done with it. */
import { asQuoted, draftActions, draftNumber, type DraftQuote, missingFrom, shownState, type ShownState } from '../../domain/draft/draft'
import { draftTotals, type DraftTotals } from '../../domain/draft/totals'
import type { RefusalDetail } from '../../domain/refusals'
import { rows, type Db } from '../connection'
import { isLive, type DraftLink } from '../draft-links'
import { draftColumns, type DraftRow } from '../drafts'
import { Conditions } from './sql'

export interface DraftView extends Omit<DraftRow, 'number' | 'state' | 'totalMinor' | 'validUntil' | 'document' | 'quote'> {
  number: string
  channelOrderId: string
  state: ShownState
  document: Record<string, unknown>
  totals: DraftTotals
  missing: RefusalDetail[]
  quote: (Omit<DraftQuote, 'token' | 'quoteId'> & { validUntil: string }) | null
  paymentLink: Pick<DraftLink, 'linkId' | 'status' | 'url' | 'amountMinor' | 'currency' | 'expiresAt' | 'lastError'> | null
  allowedActions: string[]
}

export function draftView({ number, document, validUntil, quote, totalMinor: _, ...draft }: DraftRow, link: DraftLink | undefined, now: string): DraftView {
  const state = shownState({ state: draft.state, validUntil }, now)
  const missing = missingFrom(document)
  return { ...draft, number: draftNumber(number), channelOrderId: document.channelOrderId ?? draftNumber(number), state, document: { ...document }, totals: draftTotals(asQuoted(document, quote)), missing, quote: quoteView(quote, validUntil), paymentLink: linkView(link), allowedActions: draftActions(state, missing, link !== undefined && isLive(link)) }
}

const linkView = (link: DraftLink | undefined): DraftView['paymentLink'] => {
  if (!link) return null
  const { linkId, status, url, amountMinor, currency, expiresAt, lastError } = link
  return { linkId, status, url, amountMinor, currency, expiresAt, lastError }
}

function quoteView(quote: DraftQuote | null, validUntil: string | null): DraftView['quote'] {
  if (quote === null) return null
  const { token: _, quoteId: __, ...said } = quote
  return { ...said, validUntil: validUntil! }
}

export interface DraftFilter {
  state?: ShownState
  channel?: string
  /** Null: all. */
  channels: readonly string[] | null
  /** Of the last one of the page before. */
  before?: string
  limit: number
}

export type DraftSummary = Pick<DraftView, 'draftId' | 'number' | 'channel' | 'channelOrderId' | 'state' | 'version' | 'currency' | 'orderId' | 'createdBy' | 'createdAt' | 'updatedAt'> & { totalMinor: number }

/** Newest first. */
export async function draftList(db: Db, { state, channel, channels, before, limit }: DraftFilter, now: string): Promise<DraftSummary[]> {
  const where = new Conditions()
    .when(channel, 'channel = ?')
    .when(channels && [...channels], 'channel = ANY(?)')
    .when(before, 'draft_id < ?')
    .when(state, `CASE WHEN state = 'quoted' AND valid_until <= now() THEN 'quote_expired' ELSE state END = ?`)
  const found = await rows<DraftRow>(db, `SELECT ${draftColumns} FROM drafts ${where.where} ORDER BY draft_id DESC LIMIT ?`, [...where.bindings, limit])
  return found.map((draft) => {
    const { draftId, number, channelOrderId, state: shown, version, currency, orderId, createdBy, createdAt, updatedAt } = draftView(draft, undefined, now)
    return { draftId, number, channel: draft.channel, channelOrderId, state: shown, version, currency, totalMinor: draft.totalMinor, orderId, createdBy, createdAt, updatedAt }
  })
}
