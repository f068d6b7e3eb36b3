/** Figures as they were measured, beside what they should reach, on screen and in RESULTS.md. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { cliVersion } from '../dev/temporal-cli'
import { realServerVersion } from '../dev/temporal-real-server'

export interface Figure {
  section: string
  what: string
  reach: string
  measured: string
  ok: boolean
}

const file = join(__dirname, 'RESULTS.md')
const dataFile = join(__dirname, '../.data/bench-figures.json')

/** Prints the figures and writes them down; sections that were not run this time keep their last figures. */
export function report(figures: readonly Figure[], seconds: number): void {
  const before = existsSync(dataFile) ? (JSON.parse(readFileSync(dataFile, 'utf8')) as Figure[]) : []
  const all = [...before.filter((f) => !figures.some((g) => g.section === f.section)), ...figures]
  writeFileSync(dataFile, JSON.stringify(all))
  for (const f of figures) console.log(`  ${f.ok ? '✓' : '✗'} ${f.what.padEnd(46)} ${f.measured}   (reach ${f.reach})`)
  const rows = all.map((f) => `| ${f.section} | ${f.what} | ${f.reach} | ${f.measured} | ${f.ok ? '✓' : '✗'} |`)
  writeFileSync(
    file,
    [
      '# What was measured', '',
      `${new Date().toISOString().slice(0, 10)} · ${cpus().length} × ${cpus()[0]?.model.trim() || 'CPU'} · ${Math.round(totalmem() / 2 ** 30)} GiB · Node ${process.version} · PostgreSQL 18 · Temporal dev server of CLI ${cliVersion}; "real server": Temporal ${realServerVersion} on the same PostgreSQL, 4 shards`,
      `Everything on the same machine, load generator included, fsync on; the api in a heap of at most 160 MB. \`npm run bench\` (${Math.round(seconds)} s for the sections run last); one section: \`npm run bench -- intake\`.`, '',
      '| section | what | reach | measured | |', '|---|---|---|---|---|', ...rows, '',
    ].join('\n'),
  )
}

/** Resident memory of a process in MB. */
export const residentMegabytes = (pid: number): number => Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024)
