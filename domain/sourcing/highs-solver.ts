/** HiGHS as the solver of a batch: near enough to the best, within seconds. What it says is checked before it counts. */
import type { Solver } from './batch'

/** What of the library is used; it is loaded by whoever computes. */
export interface Highs {
  solve(programme: string, options: { mip_rel_gap: number; time_limit: number }): { Columns: Record<string, object> }
}

const near = { mip_rel_gap: 0.0005, time_limit: 8 }

export function highsSolver(highs: Highs): Solver {
  return (programme) => {
    const { Columns: columns } = highs.solve(programme, near)
    const primal = (column: object | undefined): number | undefined => (column && 'Primal' in column ? Number(column.Primal) : undefined)
    const isSolved = Object.values(columns).some((column) => primal(column) !== undefined)
    return isSolved ? (variable) => primal(columns[variable]) ?? 0 : undefined
  }
}
