/** ISO 8601 durations of fixed length (weeks, days, hours, minutes, seconds, fractions of a second), as policies write them. Months and years have no fixed length and are not read. */

const pattern = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/

/** @returns milliseconds, or undefined when the text is not such a duration. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text)
  if (!match || text.endsWith('P') || text.endsWith('T')) return undefined
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number, number]
  return Math.round(((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

/** For durations that were checked when their policy was written. @throws RangeError otherwise. */
export function durationMs(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new RangeError(`not an ISO 8601 duration: ${text}`)
  return ms
}
