/** The last line of `npm test` counts what the report holds, and never more. */
import { closingLine } from '../../dev/test-report'

const report = { numPassedTests: 12, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, numRuntimeErrorTestSuites: 0 }

it.each([
  [report, '12 passed, 0 failed', 0],
  [{ ...report, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 }, '12 passed, 2 failed, 2 skipped', 2],
  [{ ...report, numRuntimeErrorTestSuites: 1 }, '12 passed, 1 failed', 1],
  [undefined, '0 passed, 1 failed', 1],
])('%#', (given, line, failed) => {
  expect(closingLine(given)).toEqual({ line, failed })
})
