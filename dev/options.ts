/** The flags of `npm start`. */
import { Complaint } from './complaint'

export interface StartOptions {
  /** Play the story of an order when there is none yet. */
  demo: boolean
  /** Empty the data folder first. */
  fresh: boolean
  help: boolean
}

/** @throws Complaint naming a flag that does not exist. */
export function readOptions(argv: readonly string[]): StartOptions {
  const unknown = argv.find((flag) => !flags.has(flag))
  if (unknown !== undefined) throw new Complaint(`npm start has no flag ${unknown}: it knows --no-demo, --fresh and --help (after two dashes: npm start -- --fresh).`)
  return {
    demo: !argv.includes('--no-demo'),
    fresh: argv.includes('--fresh'),
    help: argv.includes('--help') || argv.includes('-h'),
  }
}

const flags = new Set(['--no-demo', '--fresh', '--help', '-h'])

export const helpText = `npm start [-- --no-demo] [-- --fresh]

  Starts PostgreSQL, Temporal with its UI, simulators of the payment provider and the carrier, the worker and the API on this machine,
  and plays the story of an order when there is none yet. Ctrl-C stops everything; the data stays in .data/ for the next start.

  --no-demo    plays no story
  --fresh      empties .data/ first: orders, stock and histories start anew
  --help       this text

  PORT=3001            the port of the API (default 3000)
  DATABASE_URL=…       use that PostgreSQL and start none; without the embedded database there are no demo keys and no story
  TEMPORAL_ADDRESS=…   use that Temporal server and start none`
