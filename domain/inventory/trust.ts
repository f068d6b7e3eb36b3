/** How far the count of a shelf is believed: rejections lower it, a count restores it. A shelf that is not believed keeps some units back. */
import type { RejectReason } from '../fulfillment/pick'

/** What remains of trust in a shelf after a rejection for this reason. Goods that are missing or are not what they should be say more than damaged ones; no time says nothing. */
const remains: Record<RejectReason, number> = { not_in_stock: 0.5, mismatch: 0.5, damaged: 0.8, no_time: 1 }

/** Never quite nothing, so that it can be told from a shelf that is not there. */
const leastTrust = 0.01

/** @param trust 0–1. */
export const trustAfter = (trust: number, reason: RejectReason): number => Math.max(leastTrust, trust * remains[reason])

/** Units kept back at no trust at all. */
const mostDistrusted = 4

/** The safety stock that applies: what somebody set, and up to four units more the less the count is believed. */
export const safetyStockFor = (set: number, trust: number): number => set + Math.ceil((1 - trust) * mostDistrusted)
