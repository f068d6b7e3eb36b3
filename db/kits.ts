/** What kits are made of. A component exists and is no kit itself, so there are no kits of kits and no circles. */
import type { KitPart, Kits } from '../domain/order/kits'
import { refuse, type RefusalDetail } from '../domain/refusals'
import { row, rows, run, type Db, type Transaction } from './connection'

/** Of these SKUs, those that are kits. */
export const kitsAmong = async (db: Db | Transaction, skus: readonly string[]): Promise<Kits> =>
  (await row<{ kits: Kits }>(db, `SELECT ${kitsSql} AS kits`, [[...skus]]))!.kits

/** As an object by SKU, for a list of SKUs. */
export const kitsSql = `(SELECT coalesce(json_object_agg(kit, parts), '{}') FROM (
  SELECT kit, json_agg(json_build_object('sku', component, 'quantity', quantity) ORDER BY position) AS parts FROM kit_components WHERE kit = ANY(?) GROUP BY kit) k)`

/** Takes the SKU for a kit of `parts`, or for none. The caller has locked all these SKUs, so two kits cannot become components of each other. @throws `request.invalid` */
export async function putKit(tx: Transaction, sku: string, parts: readonly KitPart[] | null): Promise<void> {
  if (parts) await checkParts(tx, sku, parts)
  await run(tx, 'DELETE FROM kit_components WHERE kit = ?', [sku])
  if (parts)
    await run(
      tx,
      `INSERT INTO kit_components (kit, position, component, quantity)
       SELECT ?, ordinality, sku, quantity FROM ROWS FROM (jsonb_to_recordset(?::jsonb) AS (sku text, quantity int)) WITH ORDINALITY`,
      [sku, JSON.stringify(parts)],
    )
}

async function checkParts(tx: Transaction, kit: string, parts: readonly KitPart[]): Promise<void> {
  const names = parts.map((p) => p.sku)
  const known = await rows<{ sku: string }>(tx, 'SELECT sku FROM skus WHERE sku = ANY(?)', [names])
  const kits = await kitsAmong(tx, names)
  const problems = names.flatMap((sku, i): RefusalDetail[] => {
    const pointer = `/kit/${i}/sku`
    if (sku === kit) return [{ pointer, message: 'A kit cannot be made of itself' }]
    if (!known.some((k) => k.sku === sku)) return [{ pointer, code: 'sku.unknown', message: `No SKU ${sku}` }]
    if (Object.hasOwn(kits, sku)) return [{ pointer, message: `${sku} is a kit itself` }]
    return names.indexOf(sku) < i ? [{ pointer, message: `${sku} is named twice` }] : []
  })
  const around = await row<{ kit: string }>(tx, 'SELECT kit FROM kit_components WHERE component = ? ORDER BY kit LIMIT 1', [kit])
  if (around) problems.push({ pointer: '/kit', message: `${kit} is a component of ${around.kit}` })
  const [first] = problems
  if (first) throw refuse('request.invalid', {}, `${first.pointer}: ${first.message}`, problems)
}
