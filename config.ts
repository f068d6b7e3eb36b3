/**
 * The environment, read once. This is the only file that reads `process.env`; it fails loudly and names the variable.
 * `TEMPORAL_*` (address, namespace, API key, TLS, or a TOML profile) are read by Temporal's own `@temporalio/envconfig` and documented in the README.
 */
import { z } from 'zod'
import './adapters/schema-words'
import { parseNetwork, type Network } from './domain/webhooks/addresses'

const port = z.coerce.number().int().min(0).max(65535)
const atLeastOne = z.coerce.number().int().min(1)
const networks = z
  .string()
  .transform((v) => v.split(',').map((part) => part.trim()).filter(Boolean).map(parseNetwork))
  .refine((read): read is Network[] => read.every(Boolean), 'must be networks such as 10.1.0.0/16, comma separated')
  .optional()

const flag = z.enum(['true', 'false', '1', '0', '']).transform((v) => v === 'true' || v === '1')

/** One entry per variable: its schema, with the default, and the sentence the README shows. */
export const variables = {
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must start with postgres://').describe('PostgreSQL connection string'),
  DB_POOL_MAX: atLeastOne.default(16).describe('Connections each process may hold'),
  PORT: port.default(3000).describe('Port of the HTTP API'),
  HOST: z.string().default('127.0.0.1').describe('Interface the HTTP API listens on (`0.0.0.0` in a container)'),
  METRICS_PORT: port.default(0).describe('Port of Prometheus `/metrics` (0: none)'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe('How much is logged'),
  STRIPE_API_KEY: z.string().default('sk_test_throughline').describe('Secret key of the payment provider'),
  STRIPE_WEBHOOK_SECRET: z.string().default('whsec_demo').describe('Signing secret of the payment provider’s webhooks'),
  STRIPE_BASE_URL: z.url().optional().describe('Where the payment provider answers, when it is not the real one'),
  CARRIERS: z
    .string()
    .default('swiftparcel,hansepost,kestrel')
    .transform((v) => v.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(['swiftparcel', 'hansepost', 'kestrel'])).min(1))
    .describe('Parcel carriers with an account, comma separated; the first promises the dates of a service that several sell'),
  CARRIER_BASE_URL: z.url().default('http://127.0.0.1:3020').describe('Where the parcel carriers answer, each under its name'),
  CARRIER_WEBHOOK_SECRET: z.string().default('demo-carrier-secret').describe('Signing secret of the carriers’ tracking events'),
  EASYPOST_API_KEY: z.string().optional().describe('Key of an EasyPost account; with it what EasyPost resells is compared too'),
  EASYPOST_WEBHOOK_SECRET: z.string().min(8).default('demo-easypost-secret').describe('Secret EasyPost signs its webhooks with'),
  EASYPOST_BASE_URL: z.url().optional().describe('Where EasyPost answers (ends in `/v2/`), when it is not the real one'),
  EASYPOST_CONTACT_EMAIL: z.string().default('shipping@example.com').describe('Whom EasyPost writes to about claims'),
  FRAUD_BASE_URL: z.url().optional().describe('Where the fraud service answers; without it nobody is asked, and holds that wait for it end as their rule says'),
  FRAUD_API_KEY: z.string().default('demo-fraud-key').describe('Key of the fraud service'),
  FRAUD_WEBHOOK_SECRET: z.string().min(8).default('demo-fraud-secret').describe('Signing secret of the fraud service’s answers'),
  ROADS_URL: z.url().optional().describe('Where a server answers that speaks OSRM’s table service; without it ways are estimated by the straight line'),
  RATE_LIMITS: z
    .string()
    .regex(/^((channel|store|courier|support|operations|finance|admin|webhook|public)=\d{1,8}(,(?!$)|$))*$/, 'must be such as channel=1000,public=500')
    .default('')
    .describe('Requests that one caller may send in ten seconds, by role, where it is not as in `api/rate-limit.ts`: `channel=1000,public=500`; 0: no limit'),
  TRUSTED_PROXIES: z.coerce.number().int().min(0).default(0).describe('How many proxies in front of the API tell it the caller’s address (`X-Forwarded-For`)'),
  PROVIDER_TIMEOUT_MS: atLeastOne.default(10_000).describe('How long one call to a provider or carrier may take'),
  CUSTOMER_REF_SECRET: z.string().min(8).default('demo-customer-ref-secret').describe('Key of the HMAC that stands for a customer in Temporal’s search attributes'),
  QUOTE_SECRET: z.string().min(16).default('demo-quote-secret').describe('Key that signs quotes; the same for all processes'),
  WEBHOOK_RELAY: z.enum(['worker', 'api', 'both', 'off']).default('worker').describe('Which processes send webhooks'),
  WEBHOOK_TIMEOUT_MS: atLeastOne.default(10_000).describe('How long one attempt to deliver a webhook may take'),
  WEBHOOK_ALLOWED_NETWORKS: networks.describe('Networks that webhooks may go to, and in which channels may be called, although they are not public, by http as well; e.g. `10.1.0.0/16`, comma separated'),
  SMTP_URL: z.string().regex(/^smtps?:\/\//, 'must start with smtp:// or smtps://').optional().describe('Mail server for messages to customers; without it none are sent'),
  MESSAGES_FROM: z.string().default('Shop <orders@example.com>').describe('Whom messages to customers come from'),
  TASK_QUEUES: z
    .string()
    .default('orders,payments,carriers')
    .transform((v) => v.split(',').map((q) => q.trim()))
    .pipe(z.array(z.enum(['orders', 'payments', 'carriers'])).min(1))
    .describe('Task queues this worker serves, comma separated'),
  TASK_QUEUE_PREFIX: z.string().regex(/^[a-z0-9-]*$/).default('').describe('Put before every task queue name, to share a namespace'),
  MAX_CACHED_WORKFLOWS: atLeastOne.default(600).describe('Workflows a worker keeps in memory between tasks'),
  WORKFLOW_BUNDLE: z.string().optional().describe('Path of a prebuilt workflow bundle; bundled at start when absent'),
  DEPLOYMENT_NAME: z.string().default('throughline').describe('Worker deployment name'),
  BUILD_ID: z.string().default('dev').describe('Build id of this worker'),
  COMMAND_DEADLINE_MS: atLeastOne.default(8_000).describe('How long a caller waits for an order to answer a command before 503'),
  DEMO: flag.default(false).describe('Set by `npm start`: demo keys and `/v1/demo` exist. Only with the embedded database and on loopback'),
  DEMO_PAYMENTS_URL: z.url().optional().describe('Set by `npm start`: address of the payment simulator'),
  DEMO_TEMPORAL_UI: z.url().optional().describe('Set by `npm start`: address of the Temporal UI'),
} as const

const environment = z.object(variables)
export type Config = Readonly<z.output<typeof environment>>

/** Reads and checks the environment. @throws ConfigError naming every variable that is missing or wrong, and what it should be. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(Object.keys(variables).map((name) => [name, env[name] === '' ? undefined : env[name]]))
  const read = environment.safeParse(given)
  if (read.success) {
    if (read.data.DEMO && !isLoopback(read.data.HOST)) throw new ConfigError('DEMO works on loopback only: set HOST to 127.0.0.1, or leave DEMO unset')
    return read.data
  }
  const wrong = read.error.issues.map((issue) => {
    const name = String(issue.path[0])
    return given[name] === undefined ? `${name} is not set: ${variables[name as keyof typeof variables].description}` : `${name} is wrong: ${issue.message}`
  })
  throw new ConfigError(wrong.join('; '))
}

export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * What no line of a log may hold, whoever quotes it: every secret of the environment, given or by default, and the password of the database.
 * Temporal's own variables are read by its library; what of them is secret is known here by its name.
 */
export function secretsOf(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const isSecret = (name: string): boolean => /(SECRET|_KEY|PASSWORD|TOKEN|_DATA)$/.test(name) && (name in variables || name.startsWith('TEMPORAL_') || name.startsWith('PG'))
  const given = Object.entries(env).flatMap(([name, value]) => (value !== undefined && isSecret(name) ? [value] : []))
  const addresses = Object.keys(variables).flatMap((name) => passwordIn(env[name] ?? ''))
  const byDefault = Object.entries(variables).flatMap(([name, schema]) => {
    const value = isSecret(name) ? schema.safeParse(undefined).data : undefined
    return typeof value === 'string' ? [value] : []
  })
  return [...given, ...addresses, ...addresses.map(decoded), ...byDefault]
}

/** One that is the user's own name keeps nobody out, and would be hidden wherever that name stands. */
function passwordIn(address: string): string[] {
  const [, user, password] = /^\w+:\/\/([^:/@]*):([^@]+)@/.exec(address) ?? []
  return password === undefined || password === user ? [] : [password]
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')
