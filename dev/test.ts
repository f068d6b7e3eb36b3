/** `npm test`: sees that there is a Temporal server to be had, runs Jest over every suite (or those named), and closes with one line counted from its report. `--verify` makes it the long run. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inOneLine } from './complaint'
import { createScreen } from './screen'
import { findTemporal, placesOf } from './temporal-cli'
import { closingLine, type JestReport } from './test-report'
import { sweepTestRuns } from './test-runs'

const root = join(__dirname, '..')
const reportFile = join(root, 'test/.report/jest.json')
/** Read by .ci/run. */
const closingLineFile = join(root, 'test/.report/closing-line.txt')

export function test(argv: readonly string[]): void {
  const leaving = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => leaving.abort())
  run(argv, leaving.signal).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(inOneLine(error, 'npm test'))
      process.exit(close(undefined))
    },
  )
}

async function run(argv: readonly string[], leaving: AbortSignal): Promise<number> {
  for (const file of [reportFile, closingLineFile]) rmSync(file, { force: true })
  mkdirSync(dirname(reportFile), { recursive: true })
  const screen = createScreen()
  await screen.step('Temporal', (say) => findTemporal(placesOf(process.env, say, leaving)), (source) => (source.kind === 'server' ? `yours, at ${source.address}` : `from ${source.from}`))
  const verify = argv.includes('--verify')
  const code = await jest(argv.filter((flag) => flag !== '--verify'), verify, leaving)
  await sweepTestRuns(join(root, '.data/test'))
  if (leaving.aborted) return 130
  return close(readReport()) || code
}

/** A terminal's Ctrl-C reaches Jest by itself; any other signal is passed on. Either way Jest's own set-up stops its servers. */
function jest(args: readonly string[], verify: boolean, leaving: AbortSignal): Promise<number> {
  const bin = join(dirname(require.resolve('jest/package.json')), 'bin/jest.js')
  const child = spawn(process.execPath, [bin, '--json', `--outputFile=${reportFile}`, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(verify && { VERIFY: '1' }) },
  })
  const pass = (): void => void child.kill('SIGTERM')
  leaving.addEventListener('abort', pass, { once: true })
  if (leaving.aborted) pass()
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

function close(report: JestReport | undefined): number {
  const { line, failed } = closingLine(report)
  writeFileSync(closingLineFile, `${line}\n`)
  console.log(line)
  return failed ? 1 : 0
}

function readReport(): JestReport | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8')) as JestReport
  } catch {
    return undefined
  }
}
