/** What carriers and drivers say of a return. Said late, its story is further; but what it brings was recorded when it happened, and is done whenever it is heard. */
import { patched } from '@temporalio/workflow'
import type { ReturnNews } from '../../db/returns'
import { mayBecome } from '../../domain/returns/status'
import { parking } from '../support/failures'
import { condition } from '../support/turns'
import { giveBack, letGo } from './payment'
import { claim } from './return-labels'
import { note, remember } from './return-news'
import type { Back, Thread } from './thread'

/** Said late or again, what is known stays. */
export const hearReturn = (thread: Thread, news: ReturnNews): Promise<void> => hear(thread, news).catch((cause: unknown) => Promise.reject(parking(cause) as Error))

async function hear(thread: Thread, news: ReturnNews): Promise<void> {
  if (!thread.resumed && patched('late-news-of-returns')) await condition(() => thread.resumed)
  const back = thread.backs.find((b) => b.returnId === news.returnId)
  if (back && (mayBecome(back.status, news.status) || (news.stirs && back.status === news.status && !isOlder(back, news)))) return void note(thread, news)
  const fresh = unheard(thread, news)
  if (isIdle(fresh) || !patched('late-news-of-returns')) return
  await doAll(thread, fresh)
}

/** What was said since then stands. */
const isOlder = ({ toldAt }: Back, { wait }: ReturnNews): boolean => toldAt !== undefined && wait !== null && wait.since < toldAt && patched('news-of-returns-in-order')

type Brought = Pick<ReturnNews, 'returnId' | 'refunds' | 'claimId' | 'toSource' | 'remainder'> & { voids: readonly string[] }

/** What of it nobody has begun. */
function unheard({ heard }: Thread, { refunds, voids = [], claimId, ...news }: ReturnNews): Brought {
  return { ...news, refunds: refunds.filter((r) => !heard.has(r.operationId)), voids: voids.filter((id) => !heard.has(id)), ...(claimId !== undefined && !heard.has(claimId) && { claimId }) }
}

const isIdle = ({ refunds, voids, claimId, toSource, remainder }: Brought): boolean => refunds.length + voids.length === 0 && claimId === undefined && !toSource && !remainder

/** While it is being done the order does not close, even where it was about to. */
async function doAll(thread: Thread, news: Brought): Promise<void> {
  const { returnId, refunds, voids, claimId, toSource, remainder } = news
  remember(thread, news)
  if (toSource) {
    thread.toSource = true
    thread.nudges += 1
  }
  if (remainder) thread.toHold = true
  const who = thread.backs.find((b) => b.returnId === returnId) ?? thread.whole
  for (const refund of refunds) await giveBack(thread, who, refund)
  for (const operationId of voids) await letGo(thread, operationId)
  if (claimId !== undefined) await claim(thread, who, claimId)
}
