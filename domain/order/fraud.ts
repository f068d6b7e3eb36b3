/** What a fraud service is asked about an order, and what it may say. */
export const fraudVerdicts = ['accept', 'review', 'reject'] as const
export type FraudVerdict = (typeof fraudVerdicts)[number]

export interface FraudQuestion {
  key: string
  orderRef: string
  channel: string
  currency: string
  amountMinor: number
  customer: { name?: string; email?: string; phone?: string }
  shipTo?: object
  billTo?: object
  lines: readonly { sku: string; quantity: number; unitPriceMinor: number }[]
  tenders: readonly { provider: string; amountMinor: number }[]
}
export interface FraudAnswer {
  reference: string
  /** Absent: it is still thinking. */
  verdict?: FraudVerdict
}
