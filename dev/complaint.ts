/** What only a person can put right, as one line that names it and says what to do. Every failure of set-up ends as one of these. */

/** Its message is shown as it is; the process ends with code 1. */
export class Complaint extends Error {
  override name = 'Complaint'
}

/** Makes one line of whatever went wrong. `again` is the command to repeat. */
export function inOneLine(error: unknown, again = 'npm start'): string {
  if (error instanceof Complaint) return oneLine(error.message)
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const path = (error as NodeJS.ErrnoException | undefined)?.path
  if (isDiskFull(code, message)) return `The disk is full${path ? ` (writing ${path})` : ''}: free some space and run ${again} again.`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `${path ?? 'A file'} may not be written: give yourself the right to it and run ${again} again.`
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${path ?? 'A file'} is not a folder: move it away and run ${again} again.`
  if (error instanceof Error && error.name === 'ConfigError') return `${oneLine(message)}. Correct it and run ${again} again.`
  return `${oneLine(message)} (this should not happen: please report it; more is in .data/logs)`
}

export const isDiskFull = (code: string | undefined, text: string): boolean =>
  code === 'ENOSPC' || code === 'EDQUOT' || /no space left on device|disk quota exceeded/i.test(text)

export const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' · ').trim()
