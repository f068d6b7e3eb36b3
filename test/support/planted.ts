/** Bugs that are planted in the code, one at a time: the text of a file with one thing wrong in it, in place of the file, for whatever is loaded after that. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transformSync } from '@swc/core'

export interface Planted {
  bug: string
  file: string
  /** What the file says, once, and what it is to say. */
  edits: readonly (readonly [says: string, bug: string])[]
}

const root = join(__dirname, '..', '..')

/** To be called where modules are loaded afresh. @throws where the file does not say it, or says it more than once: then the bug is to be planted elsewhere */
export function plant({ file, edits }: Planted): void {
  const path = join(root, file)
  let text = readFileSync(path, 'utf8')
  for (const [says, bug] of edits) {
    if (text.split(says).length !== 2) throw new Error(`${file} does not say once: ${says}`)
    text = text.replace(says, () => bug)
  }
  const { code } = transformSync(text, { filename: path, jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } })
  jest.doMock(path, () => {
    const module = { exports: {} }
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- as whatever is loaded afresh is, with what stands in for it
    const load = (id: string): unknown => require(id.startsWith('.') ? join(dirname(path), id) : id) as unknown
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is our own text
    const run = new Function('module', 'exports', 'require', code) as (m: typeof module, exports: object, load: (id: string) => unknown) => void
    run(module, module.exports, load)
    return module.exports
  })
}

/** Each is one that somebody could write, and that a look at one happy order does not show. */
export const bugs: readonly Planted[] = [
  { bug: 'a refund of one cent too much', file: 'domain/returns/refund.ts', edits: [['return { ...parts, feeMinor: 0 - Math.min(', 'return { ...parts, goodsMinor: parts.goodsMinor > 0 ? parts.goodsMinor + 1 : 0, feeMinor: 0 - Math.min(']] },
  { bug: 'a refund that no payment has left', file: 'domain/returns/refund.ts', edits: [['const share = Math.min(Math.max(0, leftMinor), missingMinor)', 'const share = missingMinor + 0 * leftMinor']] },
  { bug: 'a refund that is asked for again and not looked for', file: 'activities/payments.ts', edits: [["operation.status === 'unknown' ? await provider.findRefund({ reference, operationId }) : undefined", 'undefined'], ['provider.refund({ reference, key: `${operationId}:${keyNumber}`', 'provider.refund({ reference, key: `${operationId}:${keyNumber}:${Math.random()}`']] },
  { bug: 'a part that is taken twice', file: 'db/part-payments.ts', edits: [["'capture', ?, \"amountMinor\", final", "'capture', ? || ':' || n, \"amountMinor\", final"], ['"amountMinor" bigint, final boolean)', '"amountMinor" bigint, final boolean), generate_series(1, 2) n']] },
  { bug: 'a part that is taken with a cent too much', file: 'db/part-payments.ts', edits: [["'capture', ?, \"amountMinor\", final", "'capture', ?, \"amountMinor\" + 1, final"]] },
  { bug: 'news that takes back what is known to be given', file: 'domain/payment/view.ts', edits: [['refundedMinor: Math.max(known.refundedMinor, news.refundedMinor)', 'refundedMinor: news.refundedMinor']] },
  { bug: 'a capture that is in no book', file: 'db/ledger.ts', edits: [['if (takenMinor > 0) await post(', 'if (takenMinor > 99_999_999) await post(']] },
  { bug: 'a hold that nobody lets go', file: 'db/payment-operations.ts', edits: [["p.status NOT IN ('captured', 'voided', 'declined')", "p.status NOT IN ('captured', 'voided', 'declined', 'authorized')"]] },
  { bug: 'goods that are written off and on the shelf', file: 'db/stock.ts', edits: [['gone ? 0 : quantity, unsellable]', 'gone ? quantity : quantity, unsellable]']] },
  { bug: 'claims that outlive a cancelled order', file: 'db/steps/cancel-order.ts', edits: [["await release(tx, { orderId: ask.orderId, actor: ask.actor, reason: 'cancelled' })", '[]']] },
  { bug: 'claims of units that are cancelled', file: 'db/steps/cancel-lines.ts', edits: [['quantity } of claimed) await releaseUnits', 'quantity } of claimed.slice(1)) await releaseUnits']] },
  { bug: 'units that are shipped and cancelled', file: 'db/steps/cancel-order.ts', edits: [['SET cancelled = l.quantity - l.shipped', 'SET cancelled = l.quantity - l.shipped - CASE WHEN l.quantity > 1 THEN 1 ELSE 0 END']] },
  { bug: 'goods that came back and count as with the customer', file: 'db/steps/receive-return.ts', edits: [["await changeLines(tx, orderId, received, 'returned = l.returned + v.quantity')", "await changeLines(tx, orderId, received.slice(1), 'returned = l.returned + v.quantity')"]] },
  { bug: 'a claim that is given and leaves its units paid for', file: 'db/refunds.ts', edits: [["await changeLines(tx, orderId, back.credits, 'credited = l.credited + v.quantity')", "await changeLines(tx, orderId, back.credits.slice(1), 'credited = l.credited + v.quantity')"]] },
  { bug: 'what another thing costs less, given back for units that have it', file: 'domain/returns/exchange.ts', edits: [['Math.min(backUnits - line.lessGiven, line.quantity - line.cancelled - line.credited - (line.lessGiven - line.lessTaken))', 'Math.min(backUnits, line.quantity)']] },
  { bug: 'units that were paid before they came, and are paid again when they come', file: 'db/paid-ahead.ts', edits: [['Math.max(0, free.find((f) => f.lineId === lineId)?.quantity ?? 0)', '0 * Math.max(0, free.find((f) => f.lineId === lineId)?.quantity ?? 0)']] },
  { bug: 'money given by hand that is not counted', file: 'domain/returns/ceilings.ts', edits: [['const countedMinor = Math.min(missingMinor,', 'const countedMinor = 0 * Math.min(missingMinor,']] },
  { bug: 'a fee that is kept of what was given by hand as well', file: 'domain/returns/refund.ts', edits: [['return { given: { ...given, feeMinor }, counted }', 'return { given: { ...given, feeMinor }, counted: { ...counted, feeMinor } }']] },
]
