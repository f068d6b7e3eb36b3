/** Runs the fraud simulator as a process of its own. `--help` lists the flags. */
import { parseArgs } from 'node:util'
import { runUntilStopped, wholeFlag } from '../listen'
import { startFraudSimulator } from './server'

const usage = `Usage: fraud/main.ts --port 3030 --api-key … --webhook-secret …
  --webhook-url <url>   where answers are reported
  --state <file>        keep the books in this file
  --answer-ms <ms>      it thinks this long before it reports (1000, 0 = it answers at once)
`

void runUntilStopped('fraud simulator', async () => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3030' },
      'api-key': { type: 'string' },
      'webhook-url': { type: 'string' },
      'webhook-secret': { type: 'string' },
      state: { type: 'string' },
      'answer-ms': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || values['api-key'] === undefined || values['webhook-secret'] === undefined) throw new Error(`--api-key and --webhook-secret are needed\n${usage}`)
  return startFraudSimulator({
    port: wholeFlag('port', values.port)!,
    apiKey: values['api-key'],
    webhookUrl: values['webhook-url'],
    webhookSecret: values['webhook-secret'],
    statePath: values.state,
    answerMs: wholeFlag('answer-ms', values['answer-ms']),
  })
})
