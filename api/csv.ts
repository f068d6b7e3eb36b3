/** Reads CSV (RFC 4180) while it comes, record by record: a file of any length costs the memory of one record. */
import { isUtf8 } from 'node:buffer'

export interface CsvRecord {
  /** The line the record begins on, from 1. */
  line: number
  cells: string[]
  /** Its end was there: false for a last line that stops without a line break. */
  ended: boolean
  /** More of its last cell cannot be missing: its line has ended, or its quote. */
  complete: boolean
}

/** Where a file cannot be read any further. */
export class BrokenCsv extends Error {
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(reason)
  }
}

const longestRecord = 64 * 1024

/** Empty lines are left out. @throws BrokenCsv where it is no text, a quote is never closed, or a record is longer than any can be */
export async function* csvRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<CsvRecord> {
  let rest = ''
  let line = 1
  for await (const text of textOf(chunks, () => line)) {
    const whole = rest + text
    let from = 0
    for (let end = recordEnd(whole, from); end >= 0; end = recordEnd(whole, from)) {
      const record = whole.slice(from, end)
      if (record.trim() !== '') yield { line, cells: cellsOf(record, line), ended: true, complete: true }
      line += newlinesIn(record) + 1
      from = end + 1
    }
    rest = whole.slice(from)
    if (rest.length > longestRecord) throw new BrokenCsv(line, `a record is longer than ${longestRecord} characters, or a quote is never closed`)
  }
  if (rest.trim() === '') return
  if (!areQuotesClosed(rest)) throw new BrokenCsv(line, 'the file ends within a quoted cell')
  yield { line, cells: cellsOf(rest, line), ended: false, complete: /["\r]$/.test(rest) }
}

/** Where the record that begins at `from` ends: the first line break outside of quotes; -1: not in this text. */
function recordEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  const quote = text.indexOf('"', from)
  if (end < 0 || quote < 0 || quote > end) return end
  for (let open = false, at = from; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') open = !open
    else if (character === '\n' && !open) return at
  }
  return -1
}

const areQuotesClosed = (text: string): boolean => (text.match(/"/g)?.length ?? 0) % 2 === 0
const newlinesIn = (record: string): number => (record.includes('\n') ? record.split('\n').length - 1 : 0)

function cellsOf(record: string, line: number): string[] {
  const text = record.endsWith('\r') ? record.slice(0, -1) : record
  if (!text.includes('"')) return text.split(',')
  const cells: string[] = []
  for (let at = 0; at <= text.length; ) {
    const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at)
    if (!cell) throw new BrokenCsv(line, 'a quoted cell goes on after its end')
    cells.push(cell.value)
    at = cell.next
  }
  return cells
}

function plainCell(text: string, at: number): { value: string; next: number } {
  const comma = text.indexOf(',', at)
  const end = comma < 0 ? text.length : comma
  return { value: text.slice(at, end), next: end + 1 }
}

function quotedCell(text: string, at: number): { value: string; next: number } | undefined {
  let end = text.indexOf('"', at + 1)
  while (text[end + 1] === '"') end = text.indexOf('"', end + 2)
  if (end < 0 || (end + 1 < text.length && text[end + 1] !== ',')) return undefined
  return { value: text.slice(at + 1, end).replaceAll('""', '"'), next: end + 2 }
}

/** How many lines of a chunk that is no text still are. */
function linesBeforeBroken(chunk: Buffer | undefined): number {
  let lines = 0
  for (let from = 0; chunk && from < chunk.length; lines += 1) {
    const newline = chunk.indexOf(0x0a, from)
    const end = newline < 0 ? chunk.length : newline
    const line = chunk.subarray(from, end)
    if (line.includes(0) || !isUtf8(line) || newline < 0) return lines
    from = end + 1
  }
  return lines
}

async function* textOf(chunks: AsyncIterable<Buffer>, line: () => number): AsyncGenerator<string> {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const decode = (chunk?: Buffer): string => {
    try {
      const text = utf8.decode(chunk, { stream: chunk !== undefined })
      if (!text.includes('\u0000')) return text
    } catch {
      // said below
    }
    throw new BrokenCsv(line() + linesBeforeBroken(chunk), 'it is not UTF-8 text')
  }
  for await (const chunk of chunks) yield decode(chunk)
  yield decode()
}
