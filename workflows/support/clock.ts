/** Time inside a workflow: the SDK makes it the time of the current workflow task, the same on every replay. */

export const now = (): number => Date.now()

export const isoIn = (ms: number): string => new Date(now() + ms).toISOString()

export const isoNow = (): string => isoIn(0)
