/** Runs the payment simulator as a process of its own. `--help` lists the flags. */
import { parseArgs } from 'node:util'
import { runUntilStopped, wholeFlag } from '../listen'
import { startPaymentSimulator } from './server'

const usage = `Usage: payments/main.ts --port 3010 --api-key sk_test_… --webhook-secret whsec_…
  --webhook-url <url>          where events are delivered
  --state <file>               keep the books in this file
  --authorization-days <days>  how long a hold is good (7)
  --multicapture               one hold may be captured several times
`

void runUntilStopped('payment simulator', async () => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3010' },
      'webhook-url': { type: 'string' },
      'webhook-secret': { type: 'string' },
      'api-key': { type: 'string' },
      state: { type: 'string' },
      'authorization-days': { type: 'string' },
      multicapture: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || values['api-key'] === undefined || values['webhook-secret'] === undefined)
    throw new Error(`--api-key and --webhook-secret are needed\n${usage}`)
  return startPaymentSimulator({
    port: wholeFlag('port', values.port)!,
    webhookUrl: values['webhook-url'],
    webhookSecret: values['webhook-secret'],
    apiKey: values['api-key'],
    statePath: values.state,
    authorizationDays: wholeFlag('authorization-days', values['authorization-days']),
    multicapture: values.multicapture,
  })
})
