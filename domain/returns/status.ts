/** The states of a return, and what may follow on each. */
export const returnStatuses = ['requested', 'approved', 'in_transit', 'collected', 'received', 'closed', 'rejected', 'cancelled'] as const
export type ReturnStatus = (typeof returnStatuses)[number]

export const returnMethods = ['mail', 'store', 'courier', 'at_door', 'none'] as const
export type ReturnMethod = (typeof returnMethods)[number]

/** What a unit looked like when it was counted. The last two are not what was sent: they come to nothing, and support hears of them. */
export const grades = ['as_new', 'used', 'damaged', 'wrong_item', 'empty_box'] as const
export type Grade = (typeof grades)[number]
export const isDisputed = (grade: Grade): boolean => grade === 'wrong_item' || grade === 'empty_box'

export const dispositions = ['restock', 'refurbish', 'write_off', 'to_vendor'] as const
export type Disposition = (typeof dispositions)[number]

const next: Record<ReturnStatus, readonly ReturnStatus[]> = {
  requested: ['approved', 'rejected', 'cancelled'],
  approved: ['in_transit', 'collected', 'received', 'closed', 'cancelled'],
  in_transit: ['collected', 'received', 'closed'],
  collected: ['received', 'closed'],
  received: ['closed'],
  closed: [],
  rejected: [],
  cancelled: [],
}
export const mayBecome = (was: ReturnStatus, becomes: ReturnStatus): boolean => next[was].includes(becomes)
export const hasEnded = (status: ReturnStatus): boolean => next[status].length === 0
/** Somebody may say that no more will come: not while one of our drivers has the goods. */
export const mayCloseShort = (status: ReturnStatus): boolean => status === 'approved' || status === 'in_transit'
/** Goods may be counted in. */
export const isExpected = (status: ReturnStatus): boolean => mayBecome(status, 'received')
