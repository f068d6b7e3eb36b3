/** Runs the carrier simulator as a process of its own. `--help` lists the flags. */
import { parseArgs } from 'node:util'
import { runUntilStopped, wholeFlag } from '../listen'
import { startCarrierSimulator } from './server'

const usage = `Usage: carriers/main.ts --port 3020 --webhook-secret …
  --webhook-url <url>    where scans are reported
  --state <file>         keep the books in this file
  --in-transit-ms <ms>   a manifested parcel is under way after this long (5000, 0 = never)
  --delivered-ms <ms>    and delivered after this long (20000, 0 = never)
`

void runUntilStopped('carrier simulator', async () => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3020' },
      'webhook-url': { type: 'string' },
      'webhook-secret': { type: 'string' },
      state: { type: 'string' },
      'in-transit-ms': { type: 'string' },
      'delivered-ms': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || values['webhook-secret'] === undefined) throw new Error(`--webhook-secret is needed\n${usage}`)
  return startCarrierSimulator({
    port: wholeFlag('port', values.port)!,
    webhookUrl: values['webhook-url'],
    webhookSecret: values['webhook-secret'],
    statePath: values.state,
    inTransitMs: wholeFlag('in-transit-ms', values['in-transit-ms']),
    deliveredMs: wholeFlag('delivered-ms', values['delivered-ms']),
  })
})
