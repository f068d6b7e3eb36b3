/** What a customer may send back, by the policy her order was placed under, each line by its own rule: binding for her, advisory for staff, whose override is kept. */
import { durationMs } from '../policy/duration'
import type { ReturnsPolicy } from '../policy/kinds'
import { refundTimes, type FeePer, type ProofKind, type RefundOn, type ReturnReason, type ReturnRule, type ReturnTerms } from '../policy/returns'

export interface AskedLine {
  lineId: string
  sku: string
  /** Of its SKU; null where it has none. */
  category: string | null
  /** As the customer gives it. */
  reason: string
}

export interface LineTerms {
  lineId: string
  sku: string
  reason: string
  /** The rule of the policy that governs the line; null: what the policy says of everything. */
  rule: string | null
  window: string
  feeMinor: number
  feePer: FeePer
  finalSale: boolean
  /** The reason is a fault of ours: nothing is kept. */
  ourFault: boolean
  /** The codes there are; undefined: any words will do. */
  reasons?: readonly string[]
  proof: 'none' | ProofKind
  refundOn: RefundOn
}

/** @param flags the marks of the order */
export function termsOf(policy: ReturnsPolicy, channel: string, lines: readonly AskedLine[], flags: readonly string[] = []): LineTerms[] {
  return lines.map(({ lineId, sku, category, reason }) => {
    const rule = policy.rules?.find((r) => fits(r, { channel, category, flags }))
    const { window, feeMinor = 0, feePer = 'return', reasons, proof = 'none', refundOn = 'receipt' } = { ...policy, ...rule }
    const finalSale = rule?.finalSale ?? (policy.finalSale ?? []).some((prefix) => sku.startsWith(prefix))
    const ourFault = reasons?.some((r) => r.code === reason && r.ourFault === true) ?? false
    return { lineId, sku, reason, rule: rule?.name ?? null, window, feeMinor: ourFault ? 0 : feeMinor, feePer, finalSale, ourFault, ...(reasons && { reasons: codes(reasons) }), proof, refundOn }
  })
}

const fits = (rule: ReturnRule, { channel, category, flags }: { channel: string; category: string | null; flags: readonly string[] }): boolean =>
  (rule.channels?.includes(channel) ?? true) && (rule.categories === undefined || (category !== null && rule.categories.includes(category))) && (rule.flags?.some((flag) => flags.includes(flag)) ?? true)
const codes = (reasons: NonNullable<ReturnTerms['reasons']>): string[] => reasons.map((r: ReturnReason) => r.code)

export type Objection = { by: string[] } & (
  | { rule: 'final_sale'; skus: string[] }
  | { rule: 'window'; closedAt: string; lineIds: string[] }
  | { rule: 'reason'; lineId: string; reason: string; accepted: readonly string[] }
  | { rule: 'proof'; proof: ProofKind; lineIds: string[] }
)

export interface Circumstances {
  /** ISO instant of the last arrival; undefined while nothing has arrived. */
  arrivedAt: string | undefined
  now: number
  /** What was shown. */
  proofs: readonly ProofKind[]
}

/** Everything that speaks against it, the gravest first, with what a person should know of it and the names of the rules; none: the policy allows it. */
export function objections(terms: readonly LineTerms[], { arrivedAt, now, proofs }: Circumstances): Objection[] {
  const final = terms.filter((t) => t.finalSale)
  const late = arrivedAt === undefined ? [] : terms.filter((t) => now > closesAt(arrivedAt, t))
  const reason = terms.find((t) => t.reasons && !t.reasons.includes(t.reason))
  const missing = terms.filter((t) => t.proof !== 'none' && !proofs.includes(t.proof))
  const first = missing[0]?.proof as ProofKind | undefined
  return [
    ...(final.length ? [{ rule: 'final_sale' as const, by: named(final), skus: final.map((t) => t.sku) }] : []),
    ...(late.length ? [{ rule: 'window' as const, by: named(late), closedAt: new Date(Math.min(...late.map((t) => closesAt(arrivedAt!, t)))).toISOString(), lineIds: late.map((t) => t.lineId) }] : []),
    ...(reason ? [{ rule: 'reason' as const, by: named([reason]), lineId: reason.lineId, reason: reason.reason, accepted: reason.reasons! }] : []),
    ...(first ? [{ rule: 'proof' as const, by: named(missing), proof: first, lineIds: missing.filter((t) => t.proof === first).map((t) => t.lineId) }] : []),
  ]
}

const closesAt = (arrivedAt: string, { window }: LineTerms): number => Date.parse(arrivedAt) + durationMs(window)
const named = (terms: readonly LineTerms[]): string[] => [...new Set(terms.map((t) => t.rule ?? 'policy'))]

/** What is kept of lines that come back together. Of lines that come one after another, it is the difference with and without them. */
export function feesOf(lines: readonly { feeMinor: number; feePer: FeePer }[]): number {
  const perReturn = lines.filter((l) => l.feePer === 'return').map((l) => l.feeMinor)
  const perLine = lines.filter((l) => l.feePer === 'line').map((l) => l.feeMinor)
  return Math.max(0, ...perReturn) + perLine.reduce((sum, fee) => sum + fee, 0)
}

/** One return is one refund: it waits for the line whose money waits longest. */
export const refundOnOf = (terms: readonly Pick<LineTerms, 'refundOn'>[]): RefundOn => refundTimes.find((time) => terms.some((t) => t.refundOn === time)) ?? 'receipt'
