/** The documentation lists codes, events, exceptions, waits and queries: each list is held against the code, and what can be run is run. */
import { makeFirstKey } from '../api/first-key'
import { Client, Connection } from '@temporalio/client'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { outlivesOrder } from '../db/waiting'
import { eventTypes } from '../domain/events'
import { fulfillmentStatuses } from '../domain/fulfillment/moves'
import { orderStatuses, paymentStatuses, waitReasons } from '../domain/order/status'
import { defaultPolicies } from '../domain/policy/kinds'
import { refusals } from '../domain/refusals'
import { searchAttributes } from '../domain/search-attributes'
import { openEdge } from './api/edge'
import { codeBlocks, links, readText, root, section, tableRows } from './support/markdown'

const filesIn = (folder: string, end: string): string[] =>
  (readdirSync(join(root, folder), { recursive: true }) as string[]).filter((file) => file.endsWith(end)).map((file) => `${folder}/${file}`)
const pages = filesIn('docs', '.md')
const operations = readText('docs/operations.md')

it('has a page for everything the README sends people to', () => {
  expect(pages).toEqual(expect.arrayContaining(['terminology', 'errors', 'events', 'operations', 'architecture'].map((page) => `docs/${page}.md`)))
})

it('links only to what is there', () => {
  const dead = pages.flatMap((page) => links(readText(page)).filter((to) => !existsSync(join(root, dirname(page), to))).map((to) => `${page}: ${to}`))
  expect(dead).toEqual([])
})

it('names only source files that are there', () => {
  const named = pages.flatMap((page) => [...readText(page).matchAll(/`((?:[a-z][\w-]*\/)+[\w.-]+\.(?:ts|mjs|js))`/g)].map((match) => ({ page, path: match[1]! })))
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(({ path }) => !path.startsWith('dist/') && !existsSync(join(root, path)))).toEqual([])
})

it('lists every refusal with its status, words and data, and what to do', () => {
  const rows = tableRows(readText('docs/errors.md'))
  const shown = rows.map(([code, status, says, data]) => [code, Number(status), says, data === '–' ? '' : data])
  expect(shown).toEqual(Object.entries(refusals).map(([code, { status, says, data }]) => [code, status, says, data]))
  expect(rows.filter(([, , , , todo]) => !todo || todo.length < 8)).toEqual([])
})

it('lists every event of the timeline with what it means', () => {
  const shown = tableRows(readText('docs/events.md')).map(([type, means]) => [type, means])
  expect(shown).toEqual(Object.entries(eventTypes))
})

it('marks as coming later exactly those events that nothing writes yet', () => {
  const code = [...filesIn('db', '.ts'), ...filesIn('api', '.ts'), ...filesIn('relay', '.ts')].map(readText).join('\n')
  const later = tableRows(readText('docs/events.md')).filter(([, , data]) => data === '**later**').map(([type]) => type)
  expect(later).toEqual(Object.keys(eventTypes).filter((type) => !code.includes(`'${type}'`)))
})

it('lists every kind of exception with its owner, when it comes and what to do', () => {
  const code = [...filesIn('domain', '.ts'), ...filesIn('workflows', '.ts'), ...filesIn('db', '.ts'), ...filesIn('relay', '.ts'), ...filesIn('api', '.ts')].map(readText).join('\n')
  const opened = [...code.matchAll(/kind: '([a-z]+\.[a-z_]+)',?\s[\s\S]{0,120}?owner: '(\w+)'/g)].map((match) => [match[1], match[2]])
  const rows = tableRows(section(operations, '## Exceptions'))
  expect(opened.length).toBeGreaterThan(10)
  expect(rows.map(([kind, owner]) => [kind, owner]).sort()).toEqual(opened.sort())
  expect(rows.filter(([, , when, todo]) => !when || !todo)).toEqual([])
})

it('names on the operations page what an order leaves open when it ends; of payments in words', () => {
  const said = /What its end does not answer stays open until somebody does: (.*?), and of payments/.exec(operations)![1]!
  const named = [...said.matchAll(/`([\w.*]+)`/g)].map((match) => match[1]!)
  const families = named.filter((kind) => kind.endsWith('.*'))
  const left = outlivesOrder.filter((kind) => !kind.startsWith('payment.'))
  expect(named.filter((kind) => !families.includes(kind)).sort()).toEqual(left.filter((kind) => !families.includes(`${kind.split('.')[0]}.*`)).sort())
})

it('says of everything an order can wait on who moves it on, and by which policy', () => {
  const rows = tableRows(section(operations, '## What waits on what'))
  expect(rows.map(([what]) => what).sort()).toEqual([...waitReasons].sort())
  const policies = rows.map((row) => row[2]!).filter((name) => name.includes('.'))
  const known = Object.entries(defaultPolicies).flatMap(([kind, document]) => Object.keys(document as object).map((field) => `${kind}.${field}`))
  expect(policies.filter((name) => !known.includes(name))).toEqual([])
})

it('lists every search attribute with its type', () => {
  const rows = tableRows(section(operations, '## Reading a history in the Temporal UI'))
  expect(Object.fromEntries(rows.map(([name, type]) => [name, type]))).toEqual(searchAttributes)
})

it('shows filters that Temporal understands', async () => {
  const filters = /Filters for the list of workflows:\n\n```\n([\s\S]*?)```/.exec(operations)![1]!.trim().split('\n')
  expect(filters.length).toBeGreaterThan(4)
  const connection = await Connection.connect({ address: process.env.TEST_TEMPORAL_ADDRESS! })
  try {
    const client = new Client({ connection })
    for (const filter of filters) expect((await client.workflow.count(filter)).count).toBeGreaterThanOrEqual(0)
  } finally {
    await connection.close()
  }
})

it('shows SQL that runs, and a first API key that works', async () => {
  const edge = await openEdge()
  try {
    for (const block of codeBlocks(operations, 'sql')) await edge.db.raw(block)
    const key = await makeFirstKey(edge.databaseUrl)
    const shop = await edge.post('/v1/api-keys', { name: 'web shop', role: 'channel', channels: ['web'] }, { key, idempotencyKey: 'web-shop' })
    expect((await edge.get('/v1/orders', shop.body.apiKey as string)).status).toBe(200)
  } finally {
    await edge.close()
  }
})

it('gives every status a meaning', () => {
  const meant = tableRows(section(readText('docs/terminology.md'), '## Statuses')).map(([word]) => word)
  expect(meant.sort()).toEqual([...orderStatuses, ...paymentStatuses, ...fulfillmentStatuses].sort())
})

it('gives every library its reason', () => {
  const { dependencies, devDependencies } = JSON.parse(readText('package.json')) as Record<'dependencies' | 'devDependencies', Record<string, string>>
  const patterns = tableRows(readText('docs/decisions/0007-libraries.md')).flatMap(([cell]) => cell!.replaceAll('`', '').split(', ').map((name) => name.replace(/ \d+$/, '')))
  const covers = (pattern: string, name: string): boolean => (pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern)
  const installed = Object.keys({ ...dependencies, ...devDependencies })
  expect(installed.filter((name) => !patterns.some((pattern) => covers(pattern, name)))).toEqual([])
  expect(patterns.filter((pattern) => !installed.some((name) => covers(pattern, name)))).toEqual([])
})

it('keeps decisions to half a page: context, decision, consequence, numbered without gaps', () => {
  const decisions = pages.filter((page) => page.startsWith('docs/decisions/')).sort()
  expect(decisions.map((page) => Number(/(\d{4})-/.exec(page)![1]))).toEqual(decisions.map((_, i) => i + 1))
  for (const page of decisions) {
    const text = readText(page)
    expect(text.startsWith(`# ${/(\d{4})-/.exec(page)![1]} `)).toBe(true)
    expect([...text.matchAll(/^\*\*(\w+)\.\*\*/gm)].map((match) => match[1])).toEqual(['Context', 'Decision', 'Consequence'])
    expect(text.split('\n').length).toBeLessThan(60)
  }
})
