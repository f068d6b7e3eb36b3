/** The few turns of phrase that the read queries share. */

/** An instant inside a JSON aggregate, as ISO 8601 with Z; outside of JSON the driver does this. */
export const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** A JSON array of `item` per row, `[]` when there is none. `from` starts with the table and may filter; `order` sorts. */
export const list = (item: string, from: string, order: string): string => `(SELECT coalesce(json_agg(${item} ORDER BY ${order}), '[]') FROM ${from})`

/** The run that does a task `t`, or will; of what it leaves behind it does nothing, whatever else is done at the door. An inner SELECT, as JSON. */
export const runJson = (task: string): string => `(SELECT json_build_object('runId', dr.run_id, 'stop', (SELECT count(*) FROM stops b WHERE b.run_id = dr.run_id AND b.status <> 'dropped' AND b.sequence <= st.sequence),
    'of', (SELECT count(*) FROM stops a WHERE a.run_id = dr.run_id AND a.status <> 'dropped'), 'etaFrom', ${iso('st.eta_from')}, 'etaTo', ${iso('st.eta_to')}, 'status', dr.status, 'trackingPath', '/t/' || st.token)
  FROM stop_tasks t JOIN stops st USING (stop_id) JOIN delivery_runs dr USING (run_id) WHERE ${task} AND st.status <> 'dropped' AND t.outcome IS DISTINCT FROM 'dropped' ORDER BY dr.run_id DESC LIMIT 1)`
export interface RunOfTask {
  runId: string
  stop: number
  of: number
  etaFrom: string | null
  etaTo: string | null
  status: string
  trackingPath: string
}

/** A pattern that finds `text` anywhere in a column, whatever characters it holds. */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`

/** Collects the conditions that were asked for, with what they compare to. */
export class Conditions {
  private readonly parts: string[] = []
  readonly bindings: unknown[] = []
  /** Adds `sql` when `value` is given; it must hold exactly one `?`. */
  when(value: unknown, sql: string): this {
    if (value === undefined || value === null) return this
    return this.add(sql, value)
  }
  add(sql: string, ...values: unknown[]): this {
    this.parts.push(sql)
    this.bindings.push(...values)
    return this
  }
  get where(): string {
    return this.parts.length ? `WHERE ${this.parts.join(' AND ')}` : ''
  }
}
