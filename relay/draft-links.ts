/**
 * Carries payment links of drafts on: asks the provider for each, looks what has become of it when it tells something and now and then besides, and makes an
 * order of what was paid. Everything hangs on what the provider says when asked, so its messages may come twice, late or never.
 */
import type { Logger } from 'pino'
import { placeDraft, type DraftPlacing } from '../api/place-draft'
import type { SubmitDeps } from '../api/submit-order'
import type { Db, Transaction } from '../db/connection'
import { beginOpening, leaseLinks, linkFailed, linkIsOpen, linkIsPaid, settleLink, type DraftLink } from '../db/draft-links'
import { endUnpaid, lockDraft, overdueDrafts } from '../db/drafts'
import { eraseDraftIfAsked } from '../db/erasure/erase'
import { self } from '../db/events'
import { QuoteGone } from '../db/intake'
import { hopefully } from '../db/race'
import { openException, settleSubjects } from '../db/waiting'
import { draftNumber } from '../domain/draft/draft'
import { LinkRefusal, placedWithout, type LinkView, type OpenLink, type PlacedAnyhow } from '../domain/draft/link'
import { Refusal } from '../domain/refusals'
import { startPump, type Pump } from './pump'

/** The provider's side of it. */
export interface LinksAtProvider {
  open(ask: OpenLink): Promise<LinkView>
  lookUp(reference: string): Promise<LinkView>
  find(ask: { linkId: string; openedFrom: string }): Promise<LinkView | undefined>
  end(ask: { reference: string; key: string }): Promise<LinkView>
}

export interface LinkPatience {
  /** One call, and who asks may have died. */
  leaseMs: number
  /** The first pause after a call that failed; each is longer than the one before. */
  retryMs: number
  longestRetryMs: number
  /** How long nothing may be heard of an open link before it is asked after. */
  askAgainMs: number
}
const usual: LinkPatience = { leaseMs: 30_000, retryMs: 1_000, longestRetryMs: 60_000, askAgainMs: 60_000 }

export interface DraftLinksOptions {
  db: Db
  links: LinksAtProvider
  /** What an order is accepted with. */
  deps: SubmitDeps & { promises: { forPlans(channel: string): Promise<DraftPlacing['promise']> }; wake: () => void }
  log: Logger
  concurrency?: number
  idleMs?: number
  patience?: LinkPatience
}

export function startDraftLinks({ db, links, deps, log, concurrency = 4, idleMs = 500, patience = usual }: DraftLinksOptions): Pump {
  const handle = async (link: DraftLink): Promise<void> => {
    try {
      const said = await ask(db, links, link)
      if (said?.status === 'complete' && said.payment) {
        await linkIsPaid(db, link.linkId, said.payment)
        await placePaid(db, deps, { ...link, paymentReference: said.payment.reference, payer: said.payment.payer ?? null })
      } else if (said?.status === 'expired') await endWithoutMoney(db, link, link.status === 'ending' ? 'cancelled' : 'expired')
      else if (said) await linkIsOpen(db, link.linkId, said, patience.askAgainMs)
    } catch (error) {
      if (error instanceof LinkRefusal) return endWithoutMoney(db, link, 'refused', error.message)
      log.warn({ err: error, linkId: link.linkId }, 'a payment link could not be carried on')
      if (error instanceof Refusal) await tellNotPlaced(db, link, error)
      const spent = (error as { effect?: unknown }).effect === 'stored'
      await linkFailed(db, link.linkId, { error: (error as Error).message, spent, retryMs: Math.min(patience.retryMs * 2 ** Math.min(link.attempts, 10), patience.longestRetryMs) })
    }
  }
  return startPump<DraftLink>({
    name: 'draft links',
    concurrency,
    idleMs,
    log,
    take: async (limit) => {
      await endOverdue(db)
      return leaseLinks(db, limit, patience.leaseMs)
    },
    handle,
  })
}

/** What the provider says of it now: after asking for it where it has not been, after ending it where that is wanted. */
async function ask(db: Db, links: LinksAtProvider, link: DraftLink): Promise<LinkView | undefined> {
  const { linkId, paymentReference, payer } = link
  if (link.status === 'paid') return { reference: link.reference!, status: 'complete', url: null, payment: { reference: paymentReference!, ...(payer !== null && { payer }) } }
  const known = link.reference === null ? await opened(db, links, link) : undefined
  if (link.reference === null && (!known || known.status === 'expired')) return known
  const reference = link.reference ?? known!.reference
  if (link.status !== 'ending') return known ?? links.lookUp(reference)
  const { keyNumber } = link.keySpent ? ((await beginOpening(db, linkId)) ?? link) : link
  return links.end({ reference, key: `${linkId}:end:${keyNumber}` })
}

/** One link, however often it is asked for. Where it may be there without our knowing its name, it is looked for first. @returns undefined: it has ended meanwhile */
async function opened(db: Db, links: LinksAtProvider, link: DraftLink): Promise<LinkView | undefined> {
  const never: LinkView = { reference: '', status: 'expired', url: null }
  const tooLate = link.expiresAt <= new Date().toISOString()
  if (link.attempts === 0 && (link.status === 'ending' || tooLate)) return never
  const found = link.keySpent || tooLate ? await links.find({ linkId: link.linkId, openedFrom: link.createdAt }) : undefined
  if (!found && tooLate) return never
  const begun = found ? undefined : await beginOpening(db, link.linkId)
  if (!found && !begun) return undefined
  const view = found ?? (await links.open({ ...link, key: `${link.linkId}:${begun!.keyNumber}`, description: draftNumber(link.number) }))
  await linkIsOpen(db, link.linkId, view, 0)
  return view
}

/** It is paid for, so it becomes an order, without what can no longer be kept. Once: whoever comes second finds it placed. @throws Refusal when a person has to see to it */
async function placePaid(db: Db, deps: DraftLinksOptions['deps'], link: DraftLink): Promise<void> {
  const { linkId, draftId, orderId, paymentId, operationId, amountMinor, paymentReference, payer } = link
  const paidAhead = { orderId, paymentId, operationId, reference: paymentReference!, payer }
  const tenders = [{ tenderId: 'link', provider: 'stripe', paymentMethod: 'payment_link', amountMinor }]
  const once = (tx: Transaction, promise: DraftPlacing['promise'], mode: 'hopeful' | 'locked', anyhow: PlacedAnyhow): Promise<void> =>
    lockDraft(tx, draftId).then(async (draft) => {
      if (draft!.state === 'awaiting_payment') await placeDraft(tx, deps, draft!, { tenders, actor: 'payment-link', promise, paidAhead, anyhow }, mode)
      await settleLink(tx, linkId, 'placed')
      await settleSubjects(tx, 'draft.not_placed', [draftId], 'it became an order')
    })
  for (let anyhow: PlacedAnyhow = {}; ; ) {
    const promise = await deps.promises.forPlans(link.channel)
    try {
      await hopefully((mode) => db.transaction((tx) => once(tx, promise, mode, anyhow)))
      return deps.wake()
    } catch (cause) {
      const code = cause instanceof QuoteGone ? 'quote.gone' : cause instanceof Refusal ? cause.code : undefined
      const without = code && placedWithout(code, anyhow)
      if (!without) throw cause
      anyhow = without
    }
  }
}

/** The customer has paid, and there is no order: a person finds out why. It is tried again meanwhile. */
const tellNotPlaced = (db: Db, { draftId, linkId, amountMinor }: DraftLink, { code, errors }: Refusal): Promise<string> =>
  db.transaction((tx) =>
    openException(tx, { orderId: null, channel: null, kind: 'draft.not_placed', subject: draftId, owner: 'support', summary: `A draft was paid by link and cannot become an order: ${code}`, data: { draftId, linkId, amountMinor, code, errors } }),
  )

async function endWithoutMoney(db: Db, { linkId, draftId }: DraftLink, to: 'expired' | 'cancelled' | 'refused', why?: string): Promise<void> {
  await db.transaction(async (tx) => {
    const draft = (await lockDraft(tx, draftId))!
    if (!(await settleLink(tx, linkId, to, why)) || draft.state !== 'awaiting_payment') return
    await endUnpaid(tx, to === 'expired' ? draft : { ...draft, atPayBy: 'reopen' }, self)
    await eraseDraftIfAsked(tx, draftId)
  })
}

/** What was to be paid another way, and was not. */
const endOverdue = (db: Db): Promise<void> =>
  db.transaction(async (tx) => {
    for (const draft of await overdueDrafts(tx, 100)) {
      await endUnpaid(tx, draft, self)
      await eraseDraftIfAsked(tx, draft.draftId)
    }
  })
