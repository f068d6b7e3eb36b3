/** Reads the cartons there are, and the goods of a work order that are to be packed into them. */
import type { Carton, Goods } from '../../domain/fulfillment/cartons'
import { row, rows, type Db } from '../connection'
import type { CartonSettings } from '../network'
import { Conditions } from './sql'

const columns = `carton_id AS "cartonId", name, inner_length_mm AS "innerLengthMm", inner_width_mm AS "innerWidthMm", inner_height_mm AS "innerHeightMm",
  max_weight_grams AS "maxWeightGrams", tare_grams AS "tareGrams", cost_minor AS "costMinor", nodes, active`

export const findCarton = (db: Db, cartonId: string): Promise<CartonSettings | undefined> => row(db, `SELECT ${columns} FROM cartons WHERE carton_id = ?`, [cartonId])

export function cartonList(db: Db, { after, limit }: { after?: string; limit: number }): Promise<CartonSettings[]> {
  const where = new Conditions().when(after, 'carton_id > ?')
  return rows(db, `SELECT ${columns} FROM cartons ${where.where} ORDER BY carton_id LIMIT ?`, [...where.bindings, limit])
}

/** What a node can take from its shelf of cartons. */
export const cartonsAt = (db: Db, nodeId: string): Promise<Carton[]> =>
  rows(
    db,
    `SELECT carton_id AS "cartonId", name, inner_length_mm AS "lengthMm", inner_width_mm AS "widthMm", inner_height_mm AS "heightMm", max_weight_grams AS "maxWeightGrams",
       tare_grams AS "tareGrams", cost_minor AS "costMinor"
     FROM cartons WHERE active AND (nodes = '{}' OR ? = ANY(nodes)) ORDER BY carton_id`,
    [nodeId],
  )

/** What is picked, or still to be picked, of a work order. */
export const goodsToPack = (db: Db, fulfillmentId: string): Promise<Goods[]> =>
  rows(
    db,
    `SELECT l.line_id AS "lineId", l.sku, l.quantity - l.rejected AS quantity, s.weight_grams AS "weightGrams", s.length_mm AS "lengthMm", s.width_mm AS "widthMm", s.height_mm AS "heightMm"
     FROM fulfillment_lines l JOIN skus s USING (sku) WHERE l.fulfillment_id = ? ORDER BY l.line_id`,
    [fulfillmentId],
  )
