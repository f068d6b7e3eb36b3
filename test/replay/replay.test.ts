/** Recorded lives of every kind are told again by today's workflow code: an order that is open when new code is deployed must not notice. */
import { historyFromJSON } from '@temporalio/common/lib/proto-utils'
import { Worker } from '@temporalio/worker'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quietRuntime } from '../support/quiet'
import { scenarios } from './scenarios'

beforeAll(quietRuntime)

const folder = join(__dirname, 'histories')
/** Of today's manner, and of orders that began before results of steps took turns. */
const recorded = ['', 'before-turns/'].flatMap((manner) => readdirSync(join(folder, manner)).filter((file) => file.endsWith('.json')).map((file) => manner + file))
const history = (file: string) => historyFromJSON(JSON.parse(readFileSync(join(folder, file), 'utf8')))
const bundle = (): string => process.env.TEST_WORKFLOW_BUNDLE!

it('has a recorded history of every scenario', () => {
  expect(scenarios.map((s) => `${s.name}.json`).filter((file) => !recorded.includes(file))).toEqual([])
})

it.each(recorded)('tells %s again without a difference', async (file) => {
  await Worker.runReplayHistory({ workflowBundle: { codePath: bundle() } }, history(file), `replay:${file}`)
})

it('notices code that would tell it differently', async () => {
  const code = readFileSync(bundle(), 'utf8')
  const changed = code.replaceAll('authorizePayment', 'authorizeSomethingElse')
  expect(changed).not.toBe(code)
  await expect(Worker.runReplayHistory({ workflowBundle: { code: changed } }, history('simple.json'), 'replay:changed')).rejects.toThrow(/[Nn]on-?determinis/)
})

it('keeps the simple life within 60 events', () => {
  expect(history('simple.json').events!.length).toBeLessThanOrEqual(60)
})
