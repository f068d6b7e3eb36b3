/** What the provider really paid out, held against what we think it took: against the provider's own file, from its own books. */
import { randomBytes, randomUUID } from 'node:crypto'
import http from 'node:http'
import { caller, eventually, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Settlement {
  settlementId: string
  lines: number
  matched: number
  repeated: number
  breakCount: number
  breaks: { reference: string | null; oursMinor: number; theirsMinor: number; reason: string; line: number | null; why: string | null; exceptionId: string }[]
}
interface Answer {
  status: number
  body: Settlement & { code?: string; line?: number; reason?: string }
}

const finance: ReturnType<typeof caller> = (...args) => caller(system.url, 'demo-finance')(...args)

async function send(csv: string | Buffer, { key = 'demo-finance', query = '', idempotencyKey = randomBytes(8).toString('hex'), media = 'text/csv' }: { key?: string; query?: string; idempotencyKey?: string; media?: string } = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': media, 'idempotency-key': idempotencyKey }
  const response = await fetch(`${system.url}/v1/settlements${query}`, { method: 'POST', headers, body: csv })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const providersFile = async (): Promise<string> => (await fetch(`${system.payments.url}/control/settlement.csv`)).text()
async function breakLine(kind: string, paymentIntent: string, byMinor?: number): Promise<void> {
  const answer = await fetch(`${system.payments.url}/control/settlement-breaks`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind, paymentIntent, byMinor }) })
  expect(answer.status).toBe(200)
}

interface Bought {
  orderId: string
  reference: string
  trackingNumber: string
  capturedMinor: number
}

/** An order that has left and is paid, and has arrived unless it is still on its way. */
async function bought({ arrives = true }: { arrives?: boolean } = {}): Promise<Bought> {
  const sku = await people.stocked({ 'dc-01': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  const trackingNumber = packed.body.packages[0]!.trackingNumber!
  await people.handOver(fulfillments[0]!)
  const { payments, money } = await people.until(orderId, (o) => o.paymentStatus === 'captured')
  if (arrives) {
    await people.carrierSays(trackingNumber, 'delivered')
    await people.until(orderId, (o) => !o.workflowOpen)
  }
  return { orderId, reference: payments[0]!.reference!, trackingNumber, capturedMinor: money.capturedMinor }
}

async function balanceOf(account: string, orderId: string): Promise<number> {
  const { entries } = (await finance<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body
  return entries.filter((e) => e.account === account).reduce((sum, e) => sum + e.amountMinor, 0)
}

/** Fee of 1490: 1.5 % and 25. */
const feeMinor = 47

it('matches what was paid out, leaves nothing with the provider, and books the fees; the same file again is refused, and a repeated command answered the same', async () => {
  const orders = [await bought(), await bought(), await bought()]
  const csv = await providersFile()
  const idempotencyKey = randomBytes(8).toString('hex')
  const first = await send(csv, { idempotencyKey })
  expect(first).toMatchObject({ status: 201, body: { lines: 3, matched: 3, repeated: 0, breakCount: 0, breaks: [] } })
  for (const { orderId } of orders) {
    expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(0)
    expect(await balanceOf('fees', orderId)).toBe(feeMinor)
    expect(await balanceOf('bank', orderId)).toBe(1_490 - feeMinor)
  }
  const entries = Number((await system.db('ledger_entries').count())[0]!.count)
  expect(await send(csv)).toMatchObject({ status: 409, body: { code: 'settlement.received_before', settlementId: first.body.settlementId } })
  expect(await send(csv, { idempotencyKey })).toEqual(first)
  expect(await send(`${csv}\n`, { idempotencyKey })).toMatchObject({ status: 422, body: { code: 'request.idempotency_key_reused' } })
  expect((await finance('GET', `/v1/settlements/${first.body.settlementId}`)).body).toEqual(first.body)
  expect(Number((await system.db('ledger_entries').count())[0]!.count)).toBe(entries)
})

it('tells what of a later file is new from what an earlier one had', async () => {
  await bought()
  expect((await send(await providersFile())).body).toMatchObject({ lines: 4, matched: 1, repeated: 3, breakCount: 0 })
})

it('makes every break a case for finance: missing, doubled, wrong amount, another fee, a chargeback, a stranger', async () => {
  const [missing, doubled, wrong, dear, disputed] = [await bought(), await bought(), await bought(), await bought(), await bought()]
  await breakLine('missing', missing.reference)
  await breakLine('doubled', doubled.reference)
  await breakLine('wrong_amount', wrong.reference, 90)
  await breakLine('fee_difference', dear.reference, 33)
  await breakLine('chargeback', disputed.reference)
  const csv = await providersFile()
  const stranger = csv.trim().split('\n').at(-1)!.replace(/txn_\w+/, 'txn_stranger').replaceAll(disputed.reference, 'pi_stranger')
  const sent = await send(`${csv}${stranger}\n`)
  expect(sent).toMatchObject({ status: 201, body: { lines: 4 + 4 + 1 + 1 + 1, matched: 3, repeated: 4, breakCount: 6 } })
  const found = sent.body.breaks.map(({ reference, reason, oursMinor, theirsMinor }) => ({ reference, reason, oursMinor, theirsMinor }))
  expect(found).toEqual(
    expect.arrayContaining([
      { reference: missing.reference, reason: 'missing', oursMinor: 1_490, theirsMinor: 0 },
      { reference: doubled.reference, reason: 'doubled', oursMinor: 0, theirsMinor: 1_490 },
      { reference: wrong.reference, reason: 'wrong_amount', oursMinor: 1_490, theirsMinor: 1_400 },
      { reference: dear.reference, reason: 'fee_difference', oursMinor: feeMinor, theirsMinor: feeMinor + 33 },
      { reference: disputed.reference, reason: 'chargeback', oursMinor: 0, theirsMinor: -1_490 },
      { reference: 'pi_stranger', reason: 'chargeback', oursMinor: 0, theirsMinor: -1_490 },
    ]),
  )
  const { items } = (await finance<{ items: { exceptionId: string; kind: string; owner: string; orderId: string | null; data: { correction: { words: string } } }[] }>('GET', '/v1/exceptions?owner=finance&limit=200')).body
  for (const { exceptionId, reason } of sent.body.breaks) expect(items.find((e) => e.exceptionId === exceptionId)).toMatchObject({ kind: `settlement.${reason}`, owner: 'finance' })
  expect(items.find((e) => e.kind === 'settlement.wrong_amount')!.data.correction).toMatchObject({ entries: [{ account: 'bank', amountMinor: 1_400 - feeMinor }, { account: 'fees', amountMinor: feeMinor }, { account: 'provider_clearing:stripe', amountMinor: -1_490 }, { account: 'adjustments', amountMinor: 90 }] })
  expect(await people.told(missing.orderId)).toContain('exception.opened')
  expect(await balanceOf('provider_clearing:stripe', doubled.orderId)).toBe(0)
  expect(await balanceOf('provider_clearing:stripe', missing.orderId)).toBe(1_490)
  expect(await balanceOf('fees', dear.orderId)).toBe(feeMinor + 33)

  // The provider puts right what was missing and wrong: the next file has both, and their cases settle themselves.
  await fetch(`${system.payments.url}/control/settlement-breaks`, { method: 'DELETE' })
  const next = await send(await providersFile())
  expect(next.body.matched).toBe(2)
  for (const { orderId } of [missing, wrong]) expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(0)
  const open = (await finance<{ items: { kind: string; orderId: string }[] }>('GET', '/v1/exceptions?owner=finance&limit=200')).body.items
  expect(open.filter((e) => [missing.orderId, wrong.orderId].includes(e.orderId))).toEqual([])
})

it('pays each operation out once, however many of the same amount there are, in files that come at the same time', async () => {
  const orders = [await bought(), await bought()]
  const csv = await providersFile()
  const answers = await Promise.all([csv, `${csv}\n`, `${csv}\n\n`].map((file) => send(file)))
  expect(answers.map((a) => a.status)).toEqual([201, 201, 201])
  expect(answers.reduce((sum, a) => sum + a.body.matched, 0)).toBe(2)
  for (const { orderId } of orders) expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(0)
})

it('matches what was given back to the refund that did it, and calls what somebody gave back by hand unknown', async () => {
  const sku = await people.stocked({ 'dc-01': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  const { payments } = await people.until(orderId, (o) => o.paymentStatus === 'captured')
  const reference = payments[0]!.reference!
  for (const amountMinor of [300, 200]) await giveBack(reference, amountMinor)
  await people.until(orderId, (o) => o.money.refundedMinor === 500)
  const [{ payment_id }] = (await system.db('payments').where({ reference }).select('payment_id')) as [{ payment_id: string }]
  await system.db('payment_operations').insert({ operation_id: randomUUID(), payment_id, order_id: orderId, kind: 'refund', purpose: 'refund:story', amount_minor: 300, status: 'succeeded', settled_at: new Date() })
  const sent = await send(await providersFile())
  expect(sent.body).toMatchObject({ matched: 2, breaks: [{ reason: 'unknown', reference, oursMinor: 0, theirsMinor: -200 }] })
  expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(-200)
  expect(await balanceOf('bank', orderId)).toBe(1_490 - feeMinor - 300)
})

async function giveBack(reference: string, amountMinor: number): Promise<void> {
  const headers = { authorization: 'Bearer sk_test_system', 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await fetch(`${system.payments.url}/v1/refunds`, { method: 'POST', headers, body: `payment_intent=${reference}&amount=${amountMinor}` })
  expect(answer.status).toBe(200)
}

it('counts a line that cannot be read as a break, and takes the others', async () => {
  const { orderId } = await bought()
  const [header, ...lines] = (await providersFile()).trim().split('\n')
  const column = header!.split(',').indexOf('gross')
  const spoilt = lines.at(-1)!.split(',').map((cell, i) => (i === column ? 'twelve' : i === 2 ? 'txn_spoilt' : cell)).join(',')
  const sent = await send(`${[header, spoilt, 'too,short', ...lines].join('\n')}\n`)
  expect(sent).toMatchObject({ status: 201, body: { matched: 1, breaks: [{ reason: 'unreadable', line: 2, why: 'gross, fee or net is no amount' }, { reason: 'unreadable', line: 3 }] } })
  expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(0)
})

it('refuses what is no whole settlement file, says where and why, and writes nothing', async () => {
  await bought()
  const csv = await providersFile()
  const [header, ...lines] = csv.trim().split('\n')
  const before = await counts()
  const refused = async (file: string | Buffer, line: number, reason: RegExp): Promise<void> => {
    const { status, body } = await send(file)
    expect({ status, code: body.code, line: body.line }).toEqual({ status: 400, code: 'settlement.invalid', line })
    expect(body.reason).toMatch(reason)
  }
  await refused('', 1, /empty/)
  await refused('hello\nworld\n', 1, /columns .*balance_transaction_id.* are missing/)
  await refused(csv.replace('gross', 'brutto'), 1, /columns gross are missing/)
  await refused(Buffer.concat([Buffer.from(`${header}\n`), randomBytes(500)]), 2, /UTF-8/)
  await refused(`${header}\n${lines[0]}\n${lines[0]!.replace(',eur,', ',xxx,')}\n`, 3, /currency XXX/)
  await refused(csv.slice(0, csv.lastIndexOf(',') - 40), lines.length + 1, /ends within/)
  await refused(`${header}\n"${lines[0]}\n${'x'.repeat(70_000)}`, 2, /never closed|longer/)
  expect(await send(csv, { media: 'application/json' })).toMatchObject({ status: 415 })
  expect(await send(csv, { key: 'demo-operations' })).toMatchObject({ status: 403 })
  expect(await counts()).toEqual(before)
})

it('refuses a file that was cut at the end of a line or within its last cell, and takes the whole one', async () => {
  for (let n = 0; n < 2; n += 1) await bought()
  const csv = await providersFile()
  const lines = csv.trim().split('\n').length - 1
  const before = await counts()
  for (const cut of [csv.slice(0, -1), csv.slice(0, -3), csv.slice(0, csv.lastIndexOf(',') + 1), csv.split('\n')[0]!])
    expect(await send(cut)).toMatchObject({ status: 400, body: { code: 'settlement.invalid', line: cut.split('\n').length, reason: expect.stringMatching(/ends within this line/) } })
  const short = csv.trim().split('\n').slice(0, -1).join('\n') + '\n'
  expect(await send(short, { query: `?lines=${lines}` })).toMatchObject({ status: 400, body: { code: 'settlement.invalid', line: lines, reason: `it has ${lines - 1} lines after the first, and ${lines} were to come` } })
  expect(await send(csv, { query: `?lines=${lines - 1}` })).toMatchObject({ status: 400, body: { code: 'settlement.invalid', reason: `it has ${lines} lines after the first, and ${lines - 1} were to come` } })
  expect(await send(csv, { query: '?lines=some' })).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ pointer: '/query/lines' }] } })
  expect(await counts()).toEqual(before)
  expect(await send(csv, { query: `?lines=${lines}` })).toMatchObject({ status: 201, body: { lines } })
})

it('takes a last line without its end where the quote of its last cell has ended', async () => {
  await bought()
  const [header, ...lines] = (await providersFile()).trim().split('\n')
  const quoted = lines.map((line) => line.replace(/[^,]*$/, '"$&"'))
  expect(await send([header, ...quoted].join('\n'))).toMatchObject({ status: 201, body: { lines: lines.length } })
})

it('refuses a file with another currency, of a payment of ours or of nobody’s, with the line and the currency, and writes nothing', async () => {
  const { reference } = await bought()
  const [header, ...lines] = (await providersFile()).trim().split('\n')
  const own = lines.find((line) => line.includes(reference))!
  const stranger = own.replace(/txn_\w+/, 'txn_abroad').replaceAll(reference, 'pi_abroad')
  const before = await counts()
  for (const [line, currency] of [[own, 'usd'], [stranger, 'usd'], [stranger, 'jpy']] as const) {
    const csv = `${[header, ...lines.filter((l) => l !== own), line.replace(',eur,', `,${currency},`).replaceAll(/,(-?\d+)\.\d\d(?=,)/g, currency === 'jpy' ? ',$1' : '$&')].join('\n')}\n`
    expect(await send(csv)).toMatchObject({ status: 400, body: { code: 'settlement.currency', line: lines.length + 1, currency: currency.toUpperCase(), expected: ['EUR'] } })
  }
  expect(await counts()).toEqual(before)
  expect((await send(`${[header, ...lines].join('\n')}\n`)).status).toBe(201)
})

it('writes nothing of a file whose sender hangs up', async () => {
  const csv = await providersFile()
  const before = await counts()
  await new Promise<void>((resolve) => {
    const headers = { authorization: 'Bearer demo-finance', 'content-type': 'text/csv', 'idempotency-key': 'hangs-up', 'content-length': csv.length + 1_000 }
    const request = http.request(`${system.url}/v1/settlements`, { method: 'POST', headers })
    request.on('error', () => resolve())
    request.write(csv, () => setTimeout(() => request.destroy(new Error('gone')), 50))
  })
  expect(await counts()).toEqual(before)
})

const counts = (): Promise<string[]> => Promise.all(['settlements', 'settlement_lines', 'settlement_breaks', 'ledger_entries'].map(async (table) => String((await system.db(table).count())[0]!.count)))

it('books what a break proposes, once, with the name of who did it, and leaves nothing with the provider', async () => {
  const [wrong, disputed, byHand, missing] = [await bought(), await bought(), await bought({ arrives: false }), await bought()]
  await breakLine('wrong_amount', wrong.reference, 90)
  await breakLine('chargeback', disputed.reference)
  await giveBack(byHand.reference, 300)
  await breakLine('missing', missing.reference)
  await people.until(byHand.orderId, (o) => o.money.refundedMinor === 300)
  await eventually(() => people.told(disputed.orderId), (types) => types.includes('payment.disputed'))
  const { breaks } = (await send(await providersFile())).body
  const caseOf = (reference: string): string => breaks.find((b) => b.reference === reference)!.exceptionId
  const book = (reference: string, call = finance): Promise<Answer> => call('POST', `/v1/exceptions/${caseOf(reference)}/book`, {}) as unknown as Promise<Answer>
  expect(await balanceOf('provider_clearing:stripe', disputed.orderId)).toBe(-1_490)

  expect(await book(wrong.reference, people.support)).toMatchObject({ status: 403 })
  const answers = await Promise.all([wrong, wrong, wrong].map(({ reference }) => book(reference)))
  expect(answers.map((a) => [a.status, a.body.code])).toEqual(expect.arrayContaining([[200, undefined], [409, 'exception.resolved'], [409, 'exception.resolved']]))
  for (const { reference } of [disputed, byHand]) expect(await book(reference)).toMatchObject({ status: 200, body: { status: 'resolved', resolvedBy: 'finance:demo-finance' } })
  expect(await book(missing.reference)).toMatchObject({ status: 409, body: { code: 'exception.nothing_to_book', kind: 'settlement.missing' } })

  for (const { orderId } of [wrong, disputed, byHand]) expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(0)
  expect([await balanceOf('adjustments', wrong.orderId), await balanceOf('fees', wrong.orderId), await balanceOf('bank', wrong.orderId)]).toEqual([90, feeMinor, 1_400 - feeMinor])
  expect([await balanceOf('disputes', disputed.orderId), await balanceOf('fees', disputed.orderId), await balanceOf('bank', disputed.orderId)]).toEqual([1_490, feeMinor + 2_000, -feeMinor - 2_000])
  const { entries } = (await finance<{ entries: { journalId: string; cause: string }[] }>('GET', `/v1/orders/${wrong.orderId}/ledger`)).body
  expect(entries.filter((e) => e.journalId.startsWith('correction:')).every((e) => e.cause.includes('booked by finance:demo-finance'))).toBe(true)
  expect(await people.told(wrong.orderId)).toContain('exception.resolved')

  // What is written off comes right after all, and is no part of what we are owed any more: somebody looks at it.
  await fetch(`${system.payments.url}/control/settlement-breaks`, { method: 'DELETE' })
  const next = (await send(await providersFile())).body
  expect(next.breaks.filter((b) => b.reference === wrong.reference)).toMatchObject([{ reason: 'doubled', theirsMinor: 1_490 }])
  expect(await balanceOf('provider_clearing:stripe', wrong.orderId)).toBe(0)
})

it('takes for found what was missing and comes with another amount: that is the case then, and what is booked of it leaves none', async () => {
  const [{ orderId, reference }] = [await bought(), await bought()]
  const open = async (): Promise<string[]> => (await finance<{ items: { kind: string }[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items.map((e) => e.kind)
  await breakLine('missing', reference)
  await send(await providersFile())
  expect(await open()).toEqual(['settlement.missing'])
  await fetch(`${system.payments.url}/control/settlement-breaks`, { method: 'DELETE' })
  await breakLine('wrong_amount', reference, 90)
  const { exceptionId } = (await send(await providersFile())).body.breaks.find((b) => b.reference === reference)!
  expect(await open()).toEqual(['settlement.wrong_amount'])
  expect(await people.told(orderId)).toContain('exception.resolved')
  expect(await finance('POST', `/v1/exceptions/${exceptionId}/book`, {})).toMatchObject({ status: 200 })
  expect([await open(), await balanceOf('provider_clearing:stripe', orderId)]).toEqual([[], 0])
})

it('keeps the case of what was paid out wrong until finance has answered, also when the order ends meanwhile', async () => {
  const { orderId, reference, trackingNumber } = await bought({ arrives: false })
  await breakLine('wrong_amount', reference, 90)
  const { exceptionId } = (await send(await providersFile())).body.breaks.find((b) => b.reference === reference)!
  await people.carrierSays(trackingNumber, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(await finance('POST', `/v1/exceptions/${exceptionId}/book`, {})).toMatchObject({ status: 200, body: { status: 'resolved', resolvedBy: 'finance:demo-finance' } })
  expect(await balanceOf('provider_clearing:stripe', orderId)).toBe(0)
})

it('does not book what the bank took before the provider has told of the dispute', async () => {
  const { reference, orderId } = await bought()
  const [header, ...lines] = (await providersFile()).trim().split('\n')
  const own = lines.find((line) => line.includes(reference))!
  const taken = own.replace(/txn_\w+/, 'txn_taken').replace(',14.90,0.47,14.43,charge,', ',-14.90,20.00,-34.90,dispute,')
  const { breaks } = (await send(`${[header, ...lines, taken].join('\n')}\n`)).body
  const { exceptionId } = breaks.find((b) => b.reason === 'chargeback' && b.reference === reference)!
  expect(await finance('POST', `/v1/exceptions/${exceptionId}/book`, {})).toMatchObject({ status: 409, body: { code: 'settlement.dispute_not_told', reference } })
  expect(await balanceOf('disputes', orderId)).toBe(0)
})

it('says that there is no such settlement', async () => {
  expect(await finance('GET', '/v1/settlements/00000000-0000-7000-8000-000000000000')).toMatchObject({ status: 404, body: { code: 'settlement.unknown' } })
})
