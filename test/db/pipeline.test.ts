/** Statements of a transaction that are sent without waiting: in order, kept or lost together, and never lost without a word. */
import { row, rows, run } from '../../db/connection'
import { freshDatabase, type FreshDatabase } from '../support/database'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await database.db.raw('CREATE TABLE written (n int PRIMARY KEY CHECK (n < 1000), told text)')
})
beforeEach(() => run(database.db, 'DELETE FROM written'))
afterAll(() => database.drop())

const write = 'INSERT INTO written (n) VALUES (?)'
const written = async (): Promise<number[]> => (await rows<{ n: number }>(database.db, 'SELECT n FROM written ORDER BY n')).map((r) => r.n)

it('reads in a transaction what it has just written', async () => {
  await database.db.transaction(async (tx) => {
    for (let n = 0; n < 200; n += 1) await run(tx, write, [n])
    expect(await row(tx, 'SELECT count(*) AS n FROM written')).toEqual({ n: 200 })
    await run(tx, write, [200])
  })
  expect(await written()).toHaveLength(201)
})

it.each([
  ['the next statement that is waited for', (tx: Parameters<typeof run>[0]) => row(tx, 'SELECT 1')],
  ['the next of them', async (tx: Parameters<typeof run>[0]) => { for (let n = 0; n < 100; n += 1) await run(tx, write, [n]) }],
  ['the commit, where none follows', () => undefined],
])('says what failed with %s, and keeps nothing', async (_, then) => {
  const failing = database.db.transaction(async (tx) => {
    await run(tx, write, [7])
    await run(tx, write, [1000])
    await then(tx)
  })
  await expect(failing).rejects.toMatchObject({ code: '23514', message: expect.stringContaining('INSERT INTO written') as string })
  expect(await written()).toEqual([])
})

it('refuses to commit what a failed statement has turned into a rollback, though its error was taken for nothing', async () => {
  const failing = database.db.transaction(async (tx) => {
    await run(tx, write, [7])
    await row(tx, 'SELECT 1/0').catch(() => undefined)
  })
  await expect(failing).rejects.toThrow('rolled back')
  expect(await written()).toEqual([])
})

it('goes on after a part that was taken back, and uses the connection again as if nothing had been', async () => {
  await database.db.transaction(async (tx) => {
    await run(tx, write, [1])
    await tx.raw('SAVEPOINT part')
    await run(tx, write, [1])
    await expect(row(tx, 'SELECT 1')).rejects.toMatchObject({ code: '23505' })
    await tx.raw('ROLLBACK TO SAVEPOINT part')
    await run(tx, write, [2])
  })
  for (let n = 3; n < 30; n += 1) await database.db.transaction((tx) => run(tx, write, [n]))
  expect(await written()).toHaveLength(29)
})

it('gives back a transaction that was begun and never used', async () => {
  await database.db.transaction(async () => undefined)
  await expect(database.db.transaction(() => Promise.reject(new Error('thought better of it')))).rejects.toThrow('thought better of it')
  expect(await written()).toEqual([])
})
