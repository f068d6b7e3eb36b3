/** Where a Temporal server comes from: the first of five places that has one. The order is the rule; what each place does is in temporal-install.ts. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from './command'
import { isExecutable, onPath } from './executables'
import { buildCli, downloadCli } from './temporal-install'

export type TemporalSource =
  | { kind: 'server'; address: string }
  | { kind: 'executable'; path: string; from: 'PATH' | 'cache' | 'download' | 'build' }

/** The places, in the order they are asked; each answers with the path of an executable, or undefined. */
export interface TemporalPlaces {
  address: string | undefined
  onPath(): Promise<string | undefined>
  inCache(): Promise<string | undefined>
  download(): Promise<string | undefined>
  /** The last resort: gives one or throws a Complaint with what to do. */
  build(): Promise<string>
}

export async function findTemporal(places: TemporalPlaces): Promise<TemporalSource> {
  if (places.address) return { kind: 'server', address: places.address }
  const onPath = await places.onPath()
  if (onPath) return { kind: 'executable', path: onPath, from: 'PATH' }
  const cached = await places.inCache()
  if (cached) return { kind: 'executable', path: cached, from: 'cache' }
  const downloaded = await places.download()
  if (downloaded) return { kind: 'executable', path: downloaded, from: 'download' }
  return { kind: 'executable', path: await places.build(), from: 'build' }
}

/** The newest version that can be built from the Go module registry alone. */
export const cliVersion = '1.5.1'

/** Per user and version: never in the repository, shared by all clones. */
export const cachedCli = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'throughline', `temporal-cli-${cliVersion}`, 'temporal')

/** The places of this machine. `say` tells what takes long. */
export function placesOf(env: NodeJS.ProcessEnv, say: (doing: string) => void, signal?: AbortSignal): TemporalPlaces {
  const target = cachedCli(env)
  return {
    address: env.TEMPORAL_ADDRESS || undefined,
    onPath: async () => {
      for (const candidate of onPath('temporal', env)) if (await canServe(candidate)) return candidate
      return undefined
    },
    inCache: async () => ((await canServe(target)) ? target : undefined),
    download: () => downloadCli({ target, version: cliVersion, say, signal }),
    build: () => buildCli({ target, version: cliVersion, env, say, signal }),
  }
}

/** An old command line, or another program of that name, is passed over. */
async function canServe(path: string): Promise<boolean> {
  if (!isExecutable(path)) return false
  try {
    const { code, output } = await run(path, ['server', 'start-dev', '--help'], { signal: AbortSignal.timeout(10_000) })
    return code === 0 && ['--db-filename', '--sqlite-pragma', '--dynamic-config-value'].every((flag) => output.includes(flag))
  } catch {
    return false
  }
}
