/** Hand-over by scan: every package is scanned once, and nothing else. What is wrong is said all at once, so that one walk to the door is enough. */
import { refuse } from '../refusals'

export interface ScannablePackage {
  packageId: string
  number: number
  trackingNumber: string | null
}

export interface ScanResult {
  /** Packages nobody has scanned. */
  missing: ScannablePackage[]
  /** Scans that are on no package of this work. */
  foreign: string[]
  /** Scans that came more than once. */
  repeated: string[]
}

/** As a scanner gives it: spaces around it and upper or lower case do not matter. */
export const readScan = (scan: string): string => scan.replace(/\s+/g, '').toUpperCase()

export function compareScans(packages: readonly ScannablePackage[], scans: readonly string[]): ScanResult {
  const read = scans.map(readScan)
  const known = new Map(packages.filter((p) => p.trackingNumber !== null).map((p) => [readScan(p.trackingNumber!), p]))
  return {
    missing: packages.filter((p) => p.trackingNumber === null || !read.includes(readScan(p.trackingNumber))),
    foreign: scans.filter((_, i) => !known.has(read[i]!)),
    repeated: scans.filter((_, i) => known.has(read[i]!) && read.indexOf(read[i]!) < i),
  }
}

/** @param now who has the work and how far it is @throws `fulfillment.scans_differ` unless every package was scanned exactly once */
export function checkScans(packages: readonly ScannablePackage[], scans: readonly string[], now: { state: string; assignee: string | null }): void {
  const { missing, foreign, repeated } = compareScans(packages, scans)
  if (missing.length + foreign.length + repeated.length === 0) return
  const says = [
    missing.length && `not scanned: ${missing.map((p) => `package ${p.number}`).join(', ')}`,
    foreign.length && `not of this work: ${foreign.join(', ')}`,
    repeated.length && `scanned twice: ${repeated.join(', ')}`,
  ].filter(Boolean)
  throw refuse('fulfillment.scans_differ', { missing, foreign, repeated, ...now }, says.join('; '))
}
