/** The provider's file of a busy night, held against as many captures: how long it takes, what memory it needs, and whether every line is counted exactly. */
import http from 'node:http'
import { Readable } from 'node:stream'
import { residentMegabytes, type Figure } from '../report'
import type { Site } from '../site'

/** Of every thousand captures: so many are paid out with another amount, twice, with another fee, or not at all; and so many lines are strangers. */
const perThousand = { wrong_amount: 5, doubled: 5, fee_difference: 5, missing: 5, unknown: 5 } as const
const breakCount = Object.values(perThousand).reduce((a, b) => a + b, 0)

export async function settlement(site: Site, quick: boolean): Promise<Figure[]> {
  const lines = quick ? 5_000 : 100_000
  const short = lines / 5
  await seedCaptures(site, 1, short)
  const idle = residentMegabytes(site.pidOf('api'))
  const ofShort = await mostMemory(site, () => sendFile(site.api, fileOf(1, short)))
  await seedCaptures(site, short + 1, short + lines)
  const startedAt = Date.now()
  const ofLong = await mostMemory(site, () => sendFile(site.api, fileOf(short + 1, short + lines)))
  const seconds = (Date.now() - startedAt) / 1000
  const answer = ofLong.given
  const againAt = Date.now()
  const again = await sendFile(site.api, fileOf(short + 1, short + lines), 409)
  const againSeconds = (Date.now() - againAt) / 1000
  const wrong = await countsWrong(site, { lines, answer, again, before: short })
  const section = 'settlement'
  return [
    { section, what: `a file of ${lines} lines, ${(breakCount / 10).toFixed(1)} % of them breaks`, reach: '≤ 30 s', measured: `${seconds.toFixed(1)} s, ${Math.round(lines / seconds)} lines/s`, ok: seconds <= 30 },
    { section, what: 'the same file again', reach: 'refused with its settlement, nothing booked', measured: `${againSeconds.toFixed(1)} s`, ok: wrong.length === 0 },
    { section, what: 'lines, breaks, cases and accounts, exact', reach: '0 wrong', measured: wrong.length ? wrong.join('; ') : '0 wrong', ok: wrong.length === 0 },
    { section, what: `api’s memory: idle, most for ${short} lines, most for ${lines}`, reach: '≤ 64 MB more for five times the lines', measured: `${idle} MB, ${ofShort.megabytes} MB, ${ofLong.megabytes} MB`, ok: ofLong.megabytes - ofShort.megabytes <= 64 },
  ]
}

/** The most resident memory the api had while it worked. */
async function mostMemory<Given>(site: Site, work: () => Promise<Given>): Promise<{ given: Given; megabytes: number }> {
  let megabytes = 0
  const sample = (): void => void (megabytes = Math.max(megabytes, residentMegabytes(site.pidOf('api'))))
  const sampling = setInterval(sample, 250)
  try {
    const given = await work()
    sample()
    return { given, megabytes }
  } finally {
    clearInterval(sampling)
  }
}

/** As many captured payments as lines, a cent apart so that no two of a payment are mixed up, taken an hour ago. */
async function seedCaptures({ db }: Site, from: number, to: number): Promise<void> {
  await db.raw(
    `WITH n AS (SELECT n, gen_random_uuid() AS order_id, gen_random_uuid() AS payment_id FROM generate_series(?::int, ?::int) AS n),
     o AS (INSERT INTO orders (order_id, channel, channel_order_id, body_hash, currency, total_minor, tax_included, shipping, priority, claim, delivery, search, policy_snapshot_id,
                               status, payment_status, fulfillment_status, stage, workflow_open, placed_at)
           SELECT order_id, 'web', 'settled-' || n, decode('00', 'hex'), 'EUR', 1000 + n, true, '{"priceMinor":0,"taxMinor":0}', 5, 'later', '{"method":"delivery"}', 'settled-' || n, 'bench',
                  'completed', 'captured', 'fulfilled', 'completed', false, now() FROM n),
     p AS (INSERT INTO payments (payment_id, order_id, tender_id, provider, amount_minor, currency, status, reference, authorized_minor, captured_minor)
           SELECT payment_id, order_id, 't1', 'stripe', 1000 + n, 'EUR', 'captured', 'pi_bench_' || n, 1000 + n, 1000 + n FROM n),
     l AS (INSERT INTO ledger_entries (journal_id, kind, order_id, payment_id, account, amount_minor, currency, cause)
           SELECT 'capture:' || payment_id, 'capture', order_id, payment_id, a, s * (1000 + n), 'EUR', 'bench' FROM n, (VALUES ('provider_clearing:stripe', 1), ('receivable', -1)) v(a, s))
     INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor, status, settled_at)
     SELECT gen_random_uuid(), payment_id, order_id, 'capture', 'capture:bench', 1000 + n, 'succeeded', now() - interval '1 hour' FROM n`,
    [from, to],
  )
  await db.raw('VACUUM ANALYZE orders, payments, payment_operations, ledger_entries')
}

const header = 'automatic_payout_id,balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category,source_id,description,charge_id,payment_intent_id\n'

function* fileOf(from: number, to: number): Generator<string> {
  yield header
  const created = new Date().toISOString().slice(0, 10)
  const line = (id: string, reference: string, grossMinor: number, feeMinor: number): string =>
    `po_bench,${id},${created} 00:00:00,${created} 00:00:00,eur,${(grossMinor / 100).toFixed(2)},${(feeMinor / 100).toFixed(2)},${((grossMinor - feeMinor) / 100).toFixed(2)},charge,ch_${id},"web, ""bench""",ch_${id},${reference}\n`
  for (let n = from; n <= to; n += 1) {
    const [kind, minor] = [n % 1_000, 1_000 + n]
    const fee = Math.round((minor * 15) / 1_000) + 25
    if (kind < 5) yield line(`txn_${n}`, `pi_bench_${n}`, minor - 100, fee)
    else if (kind < 10) yield line(`txn_${n}`, `pi_bench_${n}`, minor, fee) + line(`txn_${n}`, `pi_bench_${n}`, minor, fee)
    else if (kind < 15) yield line(`txn_${n}`, `pi_bench_${n}`, minor, fee + 50)
    else if (kind < 20) continue // not paid out
    else if (kind < 25) yield line(`txn_${n}`, `pi_bench_${n}`, minor, fee) + line(`txn_s${n}`, `pi_stranger_${n}`, minor, fee)
    else yield line(`txn_${n}`, `pi_bench_${n}`, minor, fee)
  }
}

interface Received {
  settlementId: string
  lines: number
  matched: number
  breakCount: number
}

const sendFile = (api: string, lines: Generator<string>, wanted = 201): Promise<Received> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer demo-finance', 'content-type': 'text/csv', 'idempotency-key': `bench-${Date.now()}-${process.hrtime.bigint()}` }
    const request = http.request(`${api}/v1/settlements?to=${encodeURIComponent(new Date().toISOString())}`, { method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => (response.statusCode === wanted ? resolve(JSON.parse(text) as Received) : reject(new Error(`${response.statusCode} ${text}`))))
      response.on('error', reject)
    })
    request.on('error', reject)
    Readable.from(lines).pipe(request)
  })

/** @returns what is not as it must be; nothing: all of it is. */
async function countsWrong({ db }: Site, sent: { lines: number; before: number; answer: Received; again: Received }): Promise<string[]> {
  const { lines: total, before, answer, again } = sent
  const each = (total / 1_000) * 5
  const wanted = { lines: total - each + each + each, matched: total - 2 * each, breakCount: 5 * each }
  const wrong = Object.entries(wanted).flatMap(([name, value]) => (answer[name as keyof typeof wanted] === value ? [] : [`${name} ${answer[name as keyof typeof wanted]}, not ${value}`]))
  if (again.settlementId !== answer.settlementId) wrong.push('another settlement the second time')
  const { rows: reasons } = await db.raw<{ rows: { reason: string; breaks: number; cases: number }[] }>(
    `SELECT reason, count(*)::int AS breaks, count(e.exception_id)::int AS cases FROM settlement_breaks b LEFT JOIN exceptions e USING (exception_id) WHERE settlement_id = ? GROUP BY 1`,
    [answer.settlementId],
  )
  for (const reason of Object.keys(perThousand)) {
    const found = reasons.find((r) => r.reason === reason)
    if (found?.breaks !== each || found.cases !== each) wrong.push(`${reason} ${found?.breaks ?? 0} with ${found?.cases ?? 0} cases, not ${each}`)
  }
  const { rows: clearing } = await db.raw<{ rows: { left: number }[] }>(
    `SELECT count(*)::int AS left FROM (SELECT payment_id FROM ledger_entries WHERE account = 'provider_clearing:stripe' GROUP BY 1 HAVING sum(amount_minor) <> 0) s`,
  )
  const left = 2 * each + (before / 1_000) * 10
  if (clearing[0]!.left !== left) wrong.push(`${clearing[0]!.left} payments with the provider, not ${left}`)
  return wrong
}
