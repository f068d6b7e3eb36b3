/** What is told of goods that were to come back and are late. */
export const lateNotices = {
  notCounted: { kind: 'return.not_counted', owner: 'operations', summary: 'The carrier has brought it and nobody has counted it: count it, or say what was in the parcel' },
  overdue: { kind: 'return.overdue', owner: 'support', summary: 'What was to come back has not come in time: ask the customer, or close it' },
} as const
