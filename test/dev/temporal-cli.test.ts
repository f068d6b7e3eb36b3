/** Where the Temporal server comes from: the first of five places that has one, and none after it is asked. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Complaint } from '../../dev/complaint'
import { onPath } from '../../dev/executables'
import { cachedCli, findTemporal, placesOf, type TemporalPlaces } from '../../dev/temporal-cli'
import { buildCli } from '../../dev/temporal-install'

const order = ['PATH', 'cache', 'download', 'build'] as const

function places(having: readonly string[], address?: string): TemporalPlaces & { asked: string[] } {
  const asked: string[] = []
  const ask = (place: string): Promise<string | undefined> => {
    asked.push(place)
    return Promise.resolve(having.includes(place) ? `/from/${place}` : undefined)
  }
  return { asked, address, onPath: () => ask('PATH'), inCache: () => ask('cache'), download: () => ask('download'), build: async () => (await ask('build'))! }
}

it('uses the server it is told of and looks no further', async () => {
  const told = places(order, 'temporal.example:7233')
  expect(await findTemporal(told)).toEqual({ kind: 'server', address: 'temporal.example:7233' })
  expect(told.asked).toEqual([])
})

it.each(order.map((place, at) => [place, at] as const))('takes it from %s when nothing before has it', async (place, at) => {
  const having = places(order.slice(at))
  expect(await findTemporal(having)).toEqual({ kind: 'executable', path: `/from/${place}`, from: place })
  expect(having.asked).toEqual(order.slice(0, at + 1))
})

it('keeps its own in the cache of the user, by version', () => {
  expect(cachedCli({ HOME: '/home/ada' })).toBe('/home/ada/.cache/throughline/temporal-cli-1.5.1/temporal')
  expect(cachedCli({ HOME: '/home/ada', XDG_CACHE_HOME: '/cache' })).toBe('/cache/throughline/temporal-cli-1.5.1/temporal')
})

describe('on this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-path-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const program = (name: string, script: string): string => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('passes over a program called temporal that cannot start the server we need', async () => {
    program('temporal', 'echo "usage: temporal --db-filename"')
    expect(onPath('temporal', { PATH: folder })).toHaveLength(1)
    expect(await placesOf({ PATH: folder, HOME: folder }, () => undefined).onPath()).toBeUndefined()
  })

  it('takes the one on PATH that can', async () => {
    const path = program('temporal', 'echo "--db-filename --sqlite-pragma --dynamic-config-value"')
    expect(await placesOf({ PATH: `/nowhere:${folder}`, HOME: folder }, () => undefined).onPath()).toBe(path)
  })

  it('says in one line what to do when it has to be built and there is no Go', async () => {
    const build = buildCli({ target: join(folder, 'cache/temporal'), version: '1.5.1', env: { PATH: folder }, say: () => undefined })
    await expect(build).rejects.toThrow(Complaint)
    await expect(build).rejects.toThrow(/^Go is missing: .*Install Go \(https:\/\/go\.dev\/dl\).*TEMPORAL_ADDRESS[^\n]*$/)
  })

  it('builds outside every module, and puts the whole file in its place only when it is done', async () => {
    program('go', `test -z "$(ls -A .)" && test "$2" = -trimpath && echo built > "$GOBIN/temporal"`)
    const target = join(folder, 'cache/temporal-cli-1.5.1/temporal')
    const said: string[] = []
    const env = { PATH: `${folder}:${process.env.PATH}` }
    expect(await buildCli({ target, version: '1.5.1', env, say: (doing) => void said.push(doing) })).toBe(target)
    expect(said.join()).toContain('3 minutes')
  })

  it('tells why Go could not build it', async () => {
    program('go', 'echo "dial tcp: lookup proxy: no such host" >&2; exit 1')
    const env = { PATH: `${folder}:${process.env.PATH}` }
    const build = buildCli({ target: join(folder, 'other/temporal'), version: '1.5.1', env, say: () => undefined })
    await expect(build).rejects.toThrow(/exit code 1\): dial tcp: lookup proxy: no such host/)
  })
})
