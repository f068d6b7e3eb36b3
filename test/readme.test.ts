/** The README promises commands, settings and a walk through an order: each is tried here as it is written there. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readConfig, variables } from '../config'
import { apiKeys } from '../dev/demo-network'
import { orderWorkflowId } from '../domain/ids'
import { codeBlocks, links, readText, root, section, tableRows } from './support/markdown'
import { nextOrderNumber, peopleOf } from './support/people'
import { startSystem } from './support/system'

const readme = readText('README.md')
const bash = promisify(execFile)

it('stays short enough to be read', () => {
  expect(readme.split('\n').length).toBeLessThan(250)
})

it('links only to what is there', () => {
  expect(links(readme).filter((to) => !existsSync(join(root, to)))).toEqual([])
})

it('names files and folders that are there', () => {
  const named = [...readme.matchAll(/`([a-z][\w-]*\/[\w./-]*|[\w-]+\.(?:ts|yml|json))`/g)].map((match) => match[1]!).filter((path) => !/^(dist|\.data)\//.test(path))
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((path) => !existsSync(join(root, path)) && !writtenByCommands.includes(path))).toEqual([])
})
/** Made by a command that the README tells how to run. */
const writtenByCommands = ['bench/RESULTS.md']

it('names only npm commands that exist', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/npm (?:run ([\w-]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2]!)
  expect(new Set(named).size).toBeGreaterThan(6)
  expect(named.filter((name) => !(name in scripts))).toEqual([])
})

it('lists every environment variable of config.ts with its default and meaning', () => {
  const shown = /<!-- variables[^\n]*-->\n([\s\S]*?)<!-- \/variables -->/.exec(readme)![1]!.trim()
  expect(shown).toBe(variablesTable())
})

/** One row per variable, in the order of config.ts. */
function variablesTable(): string {
  const defaults = readConfig({ DATABASE_URL: 'postgres://unused' }) as Record<string, unknown>
  const rows = Object.entries(variables).map(([name, schema]) => `| \`${name}\` | ${name === 'DATABASE_URL' ? 'needed' : shownDefault(defaults[name])} | ${schema.description} |`)
  return ['| variable | default | what |', '|---|---|---|', ...rows].join('\n')
}

const shownDefault = (value: unknown): string => (value === undefined || value === '' ? '–' : `\`${Array.isArray(value) ? value.join(',') : String(value)}\``)

it('names only those variables of Temporal that its own library reads', () => {
  const library = join(root, 'node_modules/@temporalio/envconfig/lib')
  const sources = readdirSync(library).filter((file) => file.endsWith('.js')).map((file) => readFileSync(join(library, file), 'utf8')).join('\n')
  const named = tableRows(section(readme, '## Settings')).flatMap(([cell]) => [...`${cell}`.matchAll(/\bTEMPORAL_\w+/g)].map((match) => match[0]))
  expect(named).toContain('TEMPORAL_ADDRESS')
  expect(named.filter((name) => !sources.includes(`'${name}'`))).toEqual([])
})

it('names only demo keys that exist', () => {
  const known = apiKeys.map(({ key }) => key)
  const named = [...readme.matchAll(/(?:`| )(demo-(?:channel|store|courier|support|operations|finance|admin)(?:-[\w-]+)?)(?:`| )/g)].map((match) => match[1]!)
  expect(named).toEqual(expect.arrayContaining(['demo-channel-web', 'demo-support']))
  expect(named.filter((key) => !known.includes(key))).toEqual([])
})

it('walks an order through its life with the very commands it shows', async () => {
  const system = await startSystem()
  try {
    const { until, told } = peopleOf(system)
    const [order, other, third] = await walk({ api: system.url, payments: system.payments.url, carriers: system.carriers.url })
    await until(order!, (seen) => seen.status === 'completed', 'the first order to be completed')
    expect(await told(order!)).toEqual(expect.arrayContaining(['payment.captured', 'shipment.delivered', 'order.completed']))
    await until(other!, (seen) => seen.status === 'cancelled' && seen.paymentStatus === 'voided', 'the second order to be cancelled and its money let go')
    const lost = await until(third!, (seen) => seen.status === 'in_fulfillment', 'the order whose authorisation was answered too late')
    expect(lost.money.authorizedMinor).toBe(4390)
    const { intents } = (await (await fetch(`${system.payments.url}/control/books?orderRef=${third}`)).json()) as { intents: { status: string }[] }
    expect(intents.map((intent) => intent.status)).toEqual(['requires_capture'])
  } finally {
    await system.stop()
  }
}, 120_000)

/** Runs all blocks of "Try it" in one shell, against other addresses. @returns the orders it placed. */
async function walk(at: { api: string; payments: string; carriers: string }): Promise<string[]> {
  const blocks = codeBlocks(section(readme, '## Try it'), 'sh')
  const shown = /^api=\S+ payments=\S+ carriers=\S+$/m
  expect(blocks[0]).toMatch(shown)
  const script = [
    'set -euo pipefail',
    'curl() { command curl --fail-with-body "$@"; }', // an answer that is a refusal stops the walk
    blocks.join('\n').replace(shown, `api=${at.api} payments=${at.payments} carriers=${at.carriers}`),
    'echo; echo "placed $order $other $third"',
  ].join('\n')
  const { stdout } = await bash('bash', ['-c', script], { timeout: 60_000, maxBuffer: 10_000_000 })
  return /^placed (\S+) (\S+) (\S+)$/m.exec(stdout)!.slice(1)
}

it('cancels by the signal that it tells support to send', async () => {
  const system = await startSystem()
  try {
    const { place, until } = peopleOf(system)
    const [, name] = /\*Send a Signal\*, name `(\w+)`/.exec(readme)!
    const input: unknown = JSON.parse(codeBlocks(section(readme, '## Try it'), 'json')[0]!)
    const channelOrderId = nextOrderNumber()
    const orderId = await place({ channelOrderId })
    await until(orderId, (seen) => seen.status === 'in_fulfillment', 'the order to be at a node')
    await system.client.workflow.getHandle(orderWorkflowId('web', channelOrderId)).signal(name!, input)
    await until(orderId, (seen) => seen.status === 'cancelled', 'the order to be cancelled')
  } finally {
    await system.stop()
  }
})
