/** What the database itself refuses to do to the ledger. */
import { freshDatabase, type FreshDatabase } from '../support/database'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await add('j1', ['bank', 100], ['fees', -100])
})
afterAll(() => database.drop())

const add = (journalId: string, ...entries: [account: string, amountMinor: number][]): Promise<unknown> =>
  database.db('ledger_entries').insert(entries.map(([account, amount_minor]) => ({ journal_id: journalId, kind: 'settlement', account, amount_minor, currency: 'EUR', cause: 'test' })))

it('refuses a journal that does not sum to zero', async () => {
  await expect(add('j2', ['bank', 100], ['fees', -99])).rejects.toThrow('journal j2 does not sum to zero')
  await expect(add('j1', ['revenue', 1])).rejects.toThrow('journal j1 does not sum to zero')
})

it('refuses to post a journal twice', async () => {
  await expect(add('j1', ['bank', 100], ['fees', -100])).rejects.toThrow('ledger_entries_pkey')
})

it('refuses to change what is posted, or to take it away', async () => {
  await expect(database.db.raw('UPDATE ledger_entries SET amount_minor = 5')).rejects.toThrow('append-only')
  await expect(database.db.raw('DELETE FROM ledger_entries')).rejects.toThrow('append-only')
  await expect(database.db.raw('TRUNCATE ledger_entries')).rejects.toThrow('append-only')
  expect(await database.db('ledger_entries').select('account', 'amount_minor').orderBy('entry_id')).toEqual([{ account: 'bank', amount_minor: 100 }, { account: 'fees', amount_minor: -100 }])
})
