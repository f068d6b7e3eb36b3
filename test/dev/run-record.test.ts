/** One start per data folder, and nothing left of a killed one. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Complaint } from '../../dev/complaint'
import { identityOf } from '../../dev/process-identity'
import { claim, fileName } from '../../dev/run-record'

let folder: string
const started: ChildProcess[] = []
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'throughline-record-'))))
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function sleeper(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { detached: true, stdio: 'ignore' })
  started.push(child)
  return child.pid!
}

const write = (record: object): void => writeFileSync(join(folder, fileName), JSON.stringify(record))

it('tells a second start where the first one answers', async () => {
  const first = await claim(folder)
  first.answersAt('http://127.0.0.1:3000')
  const second = claim(folder)
  await expect(second).rejects.toThrow(Complaint)
  await expect(second).rejects.toThrow(/already runs from this folder at http:\/\/127\.0\.0\.1:3000 \(process \d+\)/)
  first.release()
  ;(await claim(folder)).release()
})

it('stops what a killed start left running', async () => {
  const [pid, owner] = [sleeper(), { pid: 999_999_999, identity: 'gone' }]
  write({ ...owner, children: [{ name: 'worker', pid, identity: identityOf(pid), stopSignal: 'SIGTERM' }] })
  const record = await claim(folder)
  expect(record.leftovers).toEqual(['worker'])
  expect(identityOf(pid)).toBeUndefined()
})

it('leaves a process alone that only has the same number', async () => {
  const pid = sleeper()
  write({ pid, identity: 'another boot/1', children: [{ name: 'worker', pid, identity: 'another boot/2', stopSignal: 'SIGKILL' }] })
  const record = await claim(folder)
  expect(record.leftovers).toEqual([])
  expect(identityOf(pid)).toBeDefined()
})

it('writes down every child with what tells it from others, and forgets those that were stopped', async () => {
  const record = await claim(folder)
  const pid = sleeper()
  record.add({ name: 'api', pid, stopSignal: 'SIGTERM' })
  const children = (): unknown[] => (JSON.parse(readFileSync(join(folder, fileName), 'utf8')) as { children: unknown[] }).children
  expect(children()).toEqual([{ name: 'api', pid, identity: identityOf(pid), stopSignal: 'SIGTERM' }])
  record.remove(pid)
  expect(children()).toEqual([])
})
