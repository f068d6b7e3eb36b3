/**
 * Gets Temporal's command line, which holds the dev server and its UI, when the machine has none: by the SDK's own download, else built with Go.
 * Either is made beside its place and then renamed into it, so that nobody ever runs half a file.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from './command'
import { Complaint, isDiskFull, oneLine } from './complaint'
import { onPath } from './executables'

export interface CliWanted {
  target: string
  version: string
  say: (doing: string) => void
  signal?: AbortSignal
}

const silenceMs = 20_000

/** @returns undefined when there is no way to the download, or no byte of it for 20 s. */
export async function downloadCli(wanted: CliWanted): Promise<string | undefined> {
  const making = besides(wanted.target)
  const watch = watchGrowth(making, wanted)
  try {
    const { code, stdout } = await run(process.execPath, [join(__dirname, 'temporal-download.mjs'), making, `v${wanted.version}`], { signal: watch.signal })
    const file = code === 0 ? readdirSync(making).find((name) => statSync(join(making, name)).size > 1_000_000) : undefined
    if (file === undefined || !stdout.includes('downloaded')) return undefined
    return put(join(making, file), wanted.target)
  } finally {
    watch.stop()
    rmSync(making, { recursive: true, force: true })
  }
}

/** @throws Complaint when Go is missing or the build fails. */
export async function buildCli(wanted: CliWanted & { env: NodeJS.ProcessEnv }): Promise<string> {
  const [go] = onPath('go', wanted.env)
  if (!go) {
    throw new Complaint(
      'Go is missing: Temporal was neither found nor could it be downloaded, so it has to be built. Install Go (https://go.dev/dl), or the temporal command line (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a server.',
    )
  }
  wanted.say(`building it with Go, once, about 3 minutes …`)
  const making = besides(wanted.target)
  const emptyFolder = mkdtempSync(join(tmpdir(), 'throughline-go-'))
  try {
    const { code, output } = await run(go, ['install', '-trimpath', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@v${wanted.version}`], {
      cwd: emptyFolder, // outside every module, or Go would build by that module's versions
      env: { ...wanted.env, GOBIN: making, GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'on' },
      signal: wanted.signal,
    })
    if (code !== 0) throw whyNot(code, output)
    return put(join(making, 'temporal'), wanted.target)
  } finally {
    for (const folder of [making, emptyFolder]) rmSync(folder, { recursive: true, force: true })
  }
}

function whyNot(code: number | null, output: string): Complaint {
  if (isDiskFull(undefined, output)) return new Complaint('The disk is full: building Temporal needs about 3 GB for Go’s caches. Free some space and run the command again.')
  const lastLines = output.trim().split('\n').slice(-3).join('\n')
  return new Complaint(
    `Go could not build Temporal (exit code ${code}): ${oneLine(lastLines)} — let Go reach its module registry, or install the temporal command line (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS.`,
  )
}

/** A folder on the same disk as the target, so that renaming is atomic. */
function besides(target: string): string {
  const home = dirname(target)
  mkdirSync(home, { recursive: true })
  return mkdtempSync(join(home, 'making-'))
}

function put(file: string, target: string): string {
  const ready = `${target}.${process.pid}`
  copyFileSync(file, ready)
  chmodSync(ready, 0o755)
  renameSync(ready, target)
  return target
}

/** Aborts when the folder has not grown for a while: a network that swallows packets must not hold us up. */
function watchGrowth(folder: string, wanted: CliWanted): { signal: AbortSignal; stop(): void } {
  const silence = new AbortController()
  let [size, grownAt] = [0, Date.now()]
  const timer = setInterval(() => {
    const next = sizeOf(folder)
    if (next > size) {
      ;[size, grownAt] = [next, Date.now()]
      wanted.say(`downloading it, once: ${(size / 1e6).toFixed(0)} MB`)
    } else if (Date.now() - grownAt > silenceMs) silence.abort()
  }, 500)
  const signal = wanted.signal ? AbortSignal.any([silence.signal, wanted.signal]) : silence.signal
  return { signal, stop: () => clearInterval(timer) }
}

const sizeOf = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
