/** Processes are ready by a fact, stop in our order, and say why when they do not. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityOf } from '../../dev/process-identity'
import { createSupervisor, type ChildPlan, type Death } from '../../dev/supervise'
import { waitUntil } from '../../dev/wait'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'throughline-supervise-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const plan = (name: string, script: string, more: Partial<ChildPlan> = {}): ChildPlan => ({
  name,
  command: process.execPath,
  args: ['-e', script],
  isReady: (log) => log().includes('up'),
  ...more,
})

/** Takes a moment to end, and writes its name down when it has. */
const orderly = (name: string): ChildPlan => {
  const end = `setTimeout(() => { fs.appendFileSync(${JSON.stringify(join(folder, 'ended'))}, '${name} '); process.exit() }, 30)`
  return plan(name, `process.on('SIGTERM', () => { ${end} }); setInterval(() => 0, 1000); console.log('up')`)
}

it('stops newest first, each after the one before has ended', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  for (const name of ['postgres', 'temporal', 'worker', 'api']) await supervisor.start(orderly(name))
  await supervisor.stop()
  expect(readFileSync(join(folder, 'ended'), 'utf8')).toBe('api worker temporal postgres ')
})

it('stops a child that is still starting, and starts none after that', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  const starting = supervisor.start(plan('slow', 'setInterval(() => 0, 1000)'))
  const refused = expect(starting).rejects.toThrow('slow ended while starting (SIGTERM)')
  await supervisor.stop()
  await refused
  await expect(supervisor.start(orderly('late'))).rejects.toThrow('stopped while starting')
})

it('gives a process that does not listen its time, and no more', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  const deaf = await supervisor.start(plan('deaf', `process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); console.log('up')`, { graceMs: 150 }))
  await supervisor.stop()
  expect(identityOf(deaf.pid)).toBeUndefined()
})

it('asks nobody twice when it is forced', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  const script = `process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); console.log('up')`
  const [first, second] = [await supervisor.start(plan('a', script)), await supervisor.start(plan('b', script))]
  const stopping = supervisor.stop()
  supervisor.force()
  await stopping
  expect([identityOf(first.pid), identityOf(second.pid)]).toEqual([undefined, undefined])
})

it('tells why a process ended while starting, and where its log is', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  const failing = supervisor.start(plan('worker', `console.error('Error: no such queue\\n    at x.js:1'); process.exit(3)`))
  await expect(failing).rejects.toThrow(`worker ended while starting (exit code 3): Error: no such queue — its log is ${join(folder, 'worker.log')}`)
  await supervisor.stop()
})

it('tells which process was not ready in time', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  const never = supervisor.start(plan('api', `console.log('still thinking'); setInterval(() => 0, 1000)`, { readyWithinMs: 1_000 }))
  await expect(never).rejects.toThrow(/^api was not ready within 1 s: still thinking/)
  await supervisor.stop()
})

it('names a program that is not there', async () => {
  const supervisor = createSupervisor({ logFolder: folder })
  await expect(supervisor.start(plan('tool', '', { command: join(folder, 'absent') }))).rejects.toThrow(/tool cannot be started: see that .*absent exists/)
})

it('reports a death that nobody asked for, with the last words, and keeps quiet about the others', async () => {
  const deaths: Death[] = []
  const supervisor = createSupervisor({ logFolder: folder, onDeath: (death) => void deaths.push(death) })
  const bell = join(folder, 'bell')
  const script = `console.log('up'); setInterval(() => { if (fs.existsSync(${JSON.stringify(bell)})) { console.log(JSON.stringify({ level: 60, msg: 'out of memory' })); process.exit(7) } }, 10)`
  await supervisor.start(orderly('quiet'))
  await supervisor.start(plan('loud', script))
  const { writeFileSync } = await import('node:fs')
  writeFileSync(bell, '')
  expect(await waitUntil(() => deaths.length > 0, 5_000)).toBe(true)
  await supervisor.stop()
  expect(deaths).toEqual([{ name: 'loud', how: 'exit code 7', lastWords: 'out of memory', logFile: join(folder, 'loud.log') }])
  expect(existsSync(join(folder, 'ended'))).toBe(true)
})

it('starts one that died again, in its old place, and gives up when it keeps dying', async () => {
  const revived: string[] = []
  const deaths: Death[] = []
  const supervisor = createSupervisor({ logFolder: folder, onRevival: ({ name, how }) => revived.push(`${name} ${how}`), onDeath: (death) => deaths.push(death) })
  const lives = join(folder, 'lives')
  const mortal = await supervisor.start(plan('worker', `fs.appendFileSync(${JSON.stringify(lives)}, process.pid + ' '); setInterval(() => 0, 1000); console.log('up')`))
  await supervisor.start(orderly('api'))
  const pids = (): number[] => readFileSync(lives, 'utf8').trim().split(' ').map(Number)
  for (let n = 1; n <= 5; n += 1) {
    expect(await waitUntil(() => pids().length === n, 5_000)).toBe(true)
    process.kill(pids().at(-1)!, 'SIGKILL')
  }
  expect(await waitUntil(() => deaths.length === 1, 5_000)).toBe(true)
  expect(pids()[0]).toBe(mortal.pid)
  expect(revived).toEqual(Array(4).fill('worker SIGKILL'))
  expect(deaths).toMatchObject([{ name: 'worker', how: 'SIGKILL' }])
  await supervisor.stop()
})
