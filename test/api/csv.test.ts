/** CSV as other programs write it, cut into chunks anywhere. */
import fc from 'fast-check'
import { isUnstorable } from '../../api/body'
import { BrokenCsv, csvRecords, type CsvRecord } from '../../api/csv'
import { sampledProperty } from '../support/property'

async function read(text: string | Buffer, size = 7): Promise<CsvRecord[]> {
  const bytes = Buffer.from(text)
  const records: CsvRecord[] = []
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
  }
  for await (const record of csvRecords(chunks())) records.push(record)
  return records
}
const broken = (text: string | Buffer, size?: number): Promise<unknown> => read(text, size).then(() => undefined, (error: unknown) => (error instanceof BrokenCsv ? [error.line, error.reason] : error))

it('reads whatever cells were written, however the text is cut', async () => {
  const cell = fc.oneof(fc.constantFrom('', 'a', '"', ',', '\n', '\r\n', 'ä€😀', ' x '), fc.string({ maxLength: 8 })).filter((text) => !isUnstorable(text))
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 6 })
  await sampledProperty(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (rows, size) => {
      const text = rows.map((cells) => `${cells.map((c) => `"${c.replaceAll('"', '""')}"`).join(',')}\r\n`).join('')
      expect((await read(text, size)).map((r) => r.cells)).toEqual(rows)
    }),
    100,
  )
})

it('says on which line a record begins, leaves out empty lines, and whether the last one ended', async () => {
  expect(await read('a,b\n\n"c\nd",e\nf,')).toEqual([
    { line: 1, cells: ['a', 'b'], ended: true, complete: true },
    { line: 3, cells: ['c\nd', 'e'], ended: true, complete: true },
    { line: 5, cells: ['f', ''], ended: false, complete: false },
  ])
  expect(await read('a,"b"')).toEqual([{ line: 1, cells: ['a', 'b'], ended: false, complete: true }])
})

it('says where it cannot be read any further', async () => {
  expect(await broken('a\n"b')).toEqual([2, 'the file ends within a quoted cell'])
  expect(await broken('a\n"b"c,d\n')).toEqual([2, 'a quoted cell goes on after its end'])
  expect(await broken(Buffer.concat([Buffer.from('a\nb\n'), Buffer.from([0xff, 0xfe, 0x0a])]), 100)).toEqual([3, 'it is not UTF-8 text'])
  expect(await broken('a\nb\u0000\n', 100)).toEqual([2, 'it is not UTF-8 text'])
  expect(await broken(`a\n"${'x\n'.repeat(60_000)}`, 1_000)).toEqual([2, expect.stringContaining('longer')])
})
