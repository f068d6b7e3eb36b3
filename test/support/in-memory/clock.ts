/** Stands in for workflows/support/clock.ts: the time of the workflow that asks, which somebody may let pass. */
import { nowHere } from './workflow'

export const now = nowHere
export const isoIn = (ms: number): string => new Date(now() + ms).toISOString()
export const isoNow = (): string => isoIn(0)
