/** The last line of `npm test`, counted from Jest's report. */

/** `N passed, N failed`, and skipped ones if there are any. Without a report nothing has passed, and that is a failure. */
export function closingLine(report: JestReport | undefined): { line: string; failed: number } {
  if (!report) return { line: '0 passed, 1 failed', failed: 1 }
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites
  const skipped = report.numPendingTests + (report.numTodoTests ?? 0)
  return { line: `${report.numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`, failed }
}

export interface JestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests?: number
  /** Suites that could not be run at all: their tests are not counted anywhere else. */
  numRuntimeErrorTestSuites: number
}
