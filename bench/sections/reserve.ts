/** Holding one hot SKU: sixty-four callers, each wants a unit, through the same pool an api process has. */
import { randomUUID } from 'node:crypto'
import { connect } from '../../db/connection'
import { LostRace } from '../../db/race'
import { reserve as hold } from '../../db/reservations'
import { inTurn } from '../../db/turns'
import { readConfig } from '../../config'
import { percentile } from '../client'
import type { Figure } from '../report'
import type { Site } from '../site'

const callers = 64

export async function reserve({ db, databaseUrl }: Site, quick: boolean): Promise<Figure[]> {
  const [units, asks] = quick ? [500, 1_000] : [10_000, 12_000]
  await db.raw(`INSERT INTO skus (sku, name, weight_grams) VALUES ('HOT-HOLD', 'Hot', 100) ON CONFLICT DO NOTHING`)
  await db.raw(`INSERT INTO stock_levels (sku, node_id, on_hand) VALUES ('HOT-HOLD', 'dc-01', ?)`, [units])
  const pool = connect(databaseUrl, { poolMax: readConfig({ DATABASE_URL: databaseUrl }).DB_POOL_MAX, applicationName: 'throughline bench reserve' })
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const took: number[] = []
  let [left, won, short] = [asks, 0, 0]
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const at = performance.now()
      const ask = { quoteId: randomUUID(), channel: 'web', lines: [{ sku: 'HOT-HOLD', nodeId: 'dc-01', quantity: 1 }], expiresAt, actor: 'bench' }
      await inTurn('HOT-HOLD', () => hold(pool, ask)).then(() => (won += 1), (cause: unknown) => (cause instanceof LostRace ? (short += 1) : Promise.reject(cause as Error)))
      took.push(performance.now() - at)
    }
  }
  const startedAt = Date.now()
  await Promise.all(Array.from({ length: callers }, caller))
  const perSecond = asks / ((Date.now() - startedAt) / 1000)
  await pool.destroy()
  const reserved = Number((await db('stock_levels').where({ sku: 'HOT-HOLD' }).first<{ reserved: number }>('reserved')).reserved)
  const exact = won === units && short === asks - units && reserved === units
  const measured = `${Math.round(perSecond)}/s, p99 ${percentile(took, 0.99).toFixed(0)} ms, ${won} held of ${units}, ${short} refused${exact ? '' : ', NOT EXACT'}`
  return [{ section: 'reserve', what: `holds on one SKU with ${units} units, ${callers} callers`, reach: '≥ 1,500/s, exact', measured, ok: exact && perSecond >= 1_500 }]
}
