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

/** Prints the figures and writes them down; sections that were not run this time keep the rows they have, with the day they were measured. */
export function report(figures: readonly Figure[], seconds: number): void {
  const today = new Date().toISOString().slice(0, 10)
  for (const f of figures) console.log(`  ${f.ok ? '✓' : '✗'} ${f.what.padEnd(46)} ${f.measured}   (reach ${f.reach})`)
  const before = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter((line) => /^\| [a-z]/.test(line) && !line.startsWith('| section ')) : []
  const kept = before.filter((line) => !figures.some((f) => line.startsWith(`| ${f.section} |`)))
  const rows = figures.map((f) => `| ${f.section} | ${f.what} | ${f.reach} | ${f.measured} | ${f.ok ? '✓' : '✗'} | ${today} |`)
  writeFileSync(
    file,
    [
      '# What was measured', '',
      `${cpus().length} × ${cpus()[0]?.model.trim() || 'CPU'} · ${Math.round(totalmem() / 2 ** 30)} GiB · Node ${process.version} · PostgreSQL 18 · Temporal dev server of CLI ${cliVersion}; "real server": Temporal ${realServerVersion} on the same PostgreSQL, 4 shards`,
      `Everything on the same machine, load generator included, fsync on; the api in a heap of at most 160 MB. \`npm run bench\` (${Math.round(seconds)} s for the sections run last); one section: \`npm run bench -- intake\`.`, '',
      '| section | what | reach | measured | | on |', '|---|---|---|---|---|---|', ...kept, ...rows, '',
    ].join('\n'),
  )
}

/** Resident memory of a process in MB. */
export const residentMegabytes = (pid: number): number => Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024)
