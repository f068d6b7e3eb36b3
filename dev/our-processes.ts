/** How worker, api and simulators are started, each as a process of its own, and by what fact each is ready. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config'
import type { ChildPlan } from './supervise'

interface SimulatorPlace {
  port: number
  /** Base address of the api, where the simulator reports to. */
  api: string
  config: Config
  dataFolder: string
}

export const paymentPlan = ({ port, api, config, dataFolder }: SimulatorPlace, from: Start = fromSource): ChildPlan => ({
  ...from('payment simulator', 'simulators/payments/main.ts', [
    ...['--port', String(port), '--api-key', config.STRIPE_API_KEY, '--state', join(dataFolder, 'payments.json')],
    ...['--webhook-url', `${api}/v1/payments/stripe/webhook`, '--webhook-secret', config.STRIPE_WEBHOOK_SECRET],
  ]),
  isReady: () => speaksHttp(`http://127.0.0.1:${port}/`),
})

export const carrierPlan = ({ port, api, config, dataFolder }: SimulatorPlace, from: Start = fromSource): ChildPlan => ({
  ...from('carrier simulator', 'simulators/carriers/main.ts', [
    ...['--port', String(port), '--state', join(dataFolder, 'carriers.json')],
    ...['--webhook-url', `${api}/v1/carriers/{carrier}/events`, '--webhook-secret', config.CARRIER_WEBHOOK_SECRET],
  ]),
  isReady: () => speaksHttp(`http://127.0.0.1:${port}/`),
})

export const fraudPlan = ({ port, api, config, dataFolder }: SimulatorPlace): ChildPlan => ({
  ...fromSource('fraud simulator', 'simulators/fraud/main.ts', [
    ...['--port', String(port), '--api-key', config.FRAUD_API_KEY, '--state', join(dataFolder, 'fraud.json')],
    ...['--webhook-url', `${api}/v1/fraud/events`, '--webhook-secret', config.FRAUD_WEBHOOK_SECRET],
  ]),
  isReady: () => speaksHttp(`http://127.0.0.1:${port}/`),
})

/** Ready when it has said so in its log: it listens nowhere. */
export const workerPlan = (env: NodeJS.ProcessEnv, from: Start = fromSource): ChildPlan => ({
  ...from('worker', 'worker.ts', []),
  env: withoutMetrics(env),
  graceMs: 30_000,
  readyWithinMs: 90_000,
  isReady: (log) => log().includes('"msg":"worker ready"'),
})

export const apiPlan = (env: NodeJS.ProcessEnv, address: string, from: Start = fromSource): ChildPlan => ({
  ...from('api', 'api/server.ts', []),
  env,
  readyWithinMs: 60_000,
  isReady: async () => (await statusOf(`${address}/readyz`)) === 200,
})

const root = join(__dirname, '..')

type Start = (name: string, file: string, args: readonly string[]) => Pick<ChildPlan, 'name' | 'command' | 'args' | 'cwd'>

const fromSource: Start = (name, file, args) => ({
  name,
  command: process.execPath,
  args: ['--import', pathToFileURL(require.resolve('tsx')).href, join(root, file), ...args],
  cwd: root,
})

/** As in the image: what `npm run build` has made. */
export const fromBuild: Start = (name, file, args) => ({
  name,
  command: process.execPath,
  args: ['--enable-source-maps', join(root, 'dist', file.replace(/\.ts$/, '.js')), ...args],
  cwd: root,
})

/** Two processes cannot share the one port of METRICS_PORT; with everything on one machine it is the api's. */
const withoutMetrics = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...env, METRICS_PORT: undefined })

const speaksHttp = async (url: string): Promise<boolean> => (await statusOf(url)) !== undefined

async function statusOf(url: string): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await answer.body?.cancel()
    return answer.status
  } catch {
    return undefined
  }
}
