/** Orders as a spreadsheet writes them: a row per line of an order, the rows of one order beneath each other. What each column stands for in the order document is data. */
import { BrokenCsv, csvRecords, type CsvRecord } from './csv'

type Kind = 'text' | 'whole' | 'number' | 'flag'
interface Column {
  path: readonly string[]
  kind: Kind
}
const text = (...path: string[]): Column => ({ path, kind: 'text' })
const whole = (...path: string[]): Column => ({ path, kind: 'whole' })

/** Said by the first row of an order; the rows beneath may repeat it or leave it empty. */
const orderColumns: Readonly<Record<string, Column>> = {
  channel: text('channel'), channelOrderId: text('channelOrderId'), placedAt: text('placedAt'), currency: text('currency'), claim: text('claim'), priority: whole('priority'),
  customerRef: text('customer', 'customerRef'), customerName: text('customer', 'name'), customerEmail: text('customer', 'email'), customerPhone: text('customer', 'phone'),
  shipToName: text('shipTo', 'name'), shipToLine1: text('shipTo', 'line1'), shipToLine2: text('shipTo', 'line2'), shipToCity: text('shipTo', 'city'), shipToRegion: text('shipTo', 'region'),
  shipToPostalCode: text('shipTo', 'postalCode'), shipToCountry: text('shipTo', 'country'),
  shipToLatitude: { path: ['shipTo', 'latitude'], kind: 'number' }, shipToLongitude: { path: ['shipTo', 'longitude'], kind: 'number' },
  deliveryMethod: text('delivery', 'method'), deliveryService: text('delivery', 'service'), deliveryNodeId: text('delivery', 'nodeId'),
  shippingPriceMinor: whole('shipping', 'priceMinor'), shippingTaxMinor: whole('shipping', 'taxMinor'), totalMinor: whole('totalMinor'), taxIncluded: { path: ['taxIncluded'], kind: 'flag' },
  tenderProvider: text('tender', 'provider'), tenderPaymentMethod: text('tender', 'paymentMethod'),
}
const lineColumns: Readonly<Record<string, Column>> = {
  lineId: text('lineId'), sku: text('sku'), quantity: whole('quantity'), unitPriceMinor: whole('unitPriceMinor'), discountMinor: whole('discountMinor'), taxMinor: whole('taxMinor'),
}
export const bulkColumns: readonly string[] = [...Object.keys(orderColumns), ...Object.keys(lineColumns)]
const needed = ['channel', 'channelOrderId', 'placedAt', 'currency', 'deliveryMethod', 'totalMinor', 'taxIncluded', 'tenderProvider', 'lineId', 'sku', 'quantity', 'unitPriceMinor']

/** One more than an order may have: the rest of its rows is not kept in memory only to be refused. */
const mostLines = 501

type Cells = Readonly<Record<string, string>>
export interface CsvOrder {
  document: Record<string, unknown>
  /** What keeps its rows from being one order. */
  broken?: string
}

/** @throws BrokenCsv where the file as a whole cannot be read */
export async function* csvOrders(chunks: AsyncIterable<Buffer>): AsyncGenerator<CsvOrder> {
  let header: readonly string[] | undefined
  let under: { first: Cells; lines: Cells[]; broken?: string } | undefined
  for await (const record of csvRecords(chunks)) {
    if (!header) {
      header = headerOf(record)
      continue
    }
    const cells = cellsOf(header, record)
    if (under && isSameOrder(under.first, cells)) {
      if (under.lines.length < mostLines) under.lines.push(cells)
    } else {
      if (under) yield orderOf(under)
      under = { first: cells, lines: [cells] }
    }
    under.broken ??= whatIsWrong(under.first, cells, record, header.length)
  }
  if (!header) throw new BrokenCsv(1, 'it is empty')
  if (under) yield orderOf(under)
}

function headerOf({ line, cells }: CsvRecord): string[] {
  const header = cells.map((cell, i) => (i === 0 ? cell.replace(/^\uFEFF/, '') : cell).trim())
  const unknown = header.find((name) => !bulkColumns.includes(name))
  if (unknown !== undefined) throw new BrokenCsv(line, `there is no column ${JSON.stringify(unknown.slice(0, 50))}; there are ${bulkColumns.join(', ')}`)
  const twice = header.find((name, i) => header.indexOf(name) < i)
  if (twice !== undefined) throw new BrokenCsv(line, `the column ${twice} is there twice`)
  const missing = needed.filter((name) => !header.includes(name))
  if (missing.length) throw new BrokenCsv(line, `columns are missing: ${missing.join(', ')}`)
  return header
}

const cellsOf = (header: readonly string[], { cells }: CsvRecord): Cells => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? '']))

const isSameOrder = (a: Cells, b: Cells): boolean => a.channelOrderId !== '' && a.channelOrderId === b.channelOrderId && (b.channel === '' || a.channel === b.channel)

function whatIsWrong(first: Cells, cells: Cells, { line, cells: given }: CsvRecord, width: number): string | undefined {
  if (given.length !== width) return `Row ${line} has ${given.length} cells, the first one ${width}`
  const other = Object.keys(orderColumns).find((name) => cells[name] && cells[name] !== first[name])
  return other === undefined ? undefined : `Row ${line} says ${other} otherwise than the first row of its order`
}

function orderOf({ first, lines, broken }: { first: Cells; lines: readonly Cells[]; broken?: string }): CsvOrder {
  const { tender, ...order } = read(orderColumns, first) as { tender?: object; totalMinor?: unknown }
  const document = { ...order, lines: lines.map((cells) => read(lineColumns, cells)), tenders: [{ tenderId: 't1', ...tender, amountMinor: order.totalMinor }] }
  return broken === undefined ? { document } : { document, broken }
}

/** An empty cell is a field that is not given. */
function read(columns: Readonly<Record<string, Column>>, cells: Cells): Record<string, unknown> {
  const document: Record<string, unknown> = {}
  for (const [name, { path, kind }] of Object.entries(columns)) {
    const cell = cells[name]
    if (!cell) continue
    const [outer, inner] = path as [string, string | undefined]
    if (inner === undefined) document[outer] = valueOf(cell, kind)
    else document[outer] = { ...(document[outer] as object | undefined), [inner]: valueOf(cell, kind) }
  }
  return document
}

/** What is not of its kind stays text: the schema then says where and why. */
function valueOf(cell: string, kind: Kind): unknown {
  if (kind === 'whole' && /^-?\d{1,15}$/.test(cell)) return Number(cell)
  if (kind === 'number' && /^-?\d{1,15}(\.\d{1,15})?$/.test(cell)) return Number(cell)
  if (kind === 'flag' && (cell === 'true' || cell === 'false')) return cell === 'true'
  return cell
}
