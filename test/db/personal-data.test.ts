/** The inventory of personal data is whole: every column that can hold words or a place is in it, and what is to be erased has a statement that does it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withoutPerson } from '../../db/erasure/answers'
import { inventory, type Holds } from '../../db/erasure/inventory'
import { rows } from '../../db/connection'
import { freshDatabase, type FreshDatabase } from '../support/database'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const wordsOf = ({ plain, staff, erased }: Holds): string[] => [plain, staff, erased].flatMap((columns) => columns?.split(' ') ?? [])

it('knows every column that can hold words or a place', async () => {
  const columns = await rows<{ name: string }>(
    database.db,
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'knex%'
       AND data_type IN ('text', 'json', 'jsonb', 'ARRAY', 'character varying', 'double precision', 'inet', 'USER-DEFINED')`,
  )
  const there = columns.map(({ name }) => name)
  const known = Object.entries(inventory).flatMap(([table, holds]) => wordsOf(holds).map((column) => `${table}.${column}`))
  expect(there.filter((name) => !known.includes(name)).map((name) => `${name}: say in db/erasure/inventory.ts what it holds`)).toEqual([])
  expect(known.filter((name) => !there.includes(name)).map((name) => `${name}: no such column any more`)).toEqual([])
  expect(known.filter((name, i) => known.indexOf(name) !== i)).toEqual([])
})

it('has a statement for every column that is to be erased', () => {
  const statements = ['statements', 'answers', 'erase'].map((file) => readFileSync(join(__dirname, `../../db/erasure/${file}.ts`), 'utf8')).join('\n')
  const updates = [...statements.matchAll(/UPDATE (\w+)[^`]*?SET ([^`]*)/g)].map(([, table, set]) => ({ table, set: set! }))
  const missing = Object.entries(inventory).flatMap(([table, { erased }]) =>
    (erased?.split(' ') ?? []).filter((column) => !updates.some((u) => u.table === table && new RegExp(`\\b${column} = `).test(u.set))).map((column) => `${table}.${column}`),
  )
  expect(missing).toEqual([])
})

it('takes the person out of kept answers, at whatever depth, and nothing else', () => {
  const answer = { orderId: 'o', shipTo: { name: 'N' }, stops: [{ stopId: 's', address: { line1: 'L' }, tasks: [{ taskId: 't', proof: { name: 'N' } }] }], total: null }
  expect(withoutPerson(answer)).toEqual({ orderId: 'o', stops: [{ stopId: 's', tasks: [{ taskId: 't' }] }], total: null })
})
