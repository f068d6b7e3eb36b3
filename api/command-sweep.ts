/** Commands that were recorded and not answered, because a process died or the order could not be reached in time, are sent again here under the same id until they have an answer. */
import { leaseUnanswered, type CommandRow } from '../db/commands'
import { Refusal } from '../domain/refusals'
import { carryOut, commandLeaseMs, isOrderRoute, type OrderRoute } from './command'
import type { RouteDeps } from './deps'
import type { Route } from './route'

export interface Sweep {
  /** Stops, and waits for what is under way. */
  stop(): Promise<void>
}

const batch = 20

/** @param routes where the way to read each command's answer is found. */
export function startCommandSweep(deps: Pick<RouteDeps, 'db' | 'threads' | 'config' | 'log'>, routes: readonly Route[], options: { everyMs?: number } = {}): Sweep {
  const known = routes.filter(isOrderRoute).map((route) => ({ route, matches: matcher(route) }))
  let stopped = false
  let timer: NodeJS.Timeout
  let working: Promise<unknown> = Promise.resolve()
  const turn = (): void => {
    working = sweep(deps, known)
      .catch((err: unknown) => deps.log.error({ err }, 'the command sweep could not read its queue'))
      .finally(() => {
        if (!stopped) timer = setTimeout(turn, options.everyMs ?? 2_000)
      })
  }
  timer = setTimeout(turn, options.everyMs ?? 2_000)
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await working
    },
  }
}

interface Known {
  route: OrderRoute
  matches: (named: string) => Record<string, string> | undefined
}

async function sweep(deps: Pick<RouteDeps, 'db' | 'threads' | 'config' | 'log'>, known: readonly Known[]): Promise<void> {
  const unanswered = await leaseUnanswered(deps.db, batch, commandLeaseMs)
  await Promise.all(unanswered.map((row) => sendAgain(deps, row, known)))
}

/** One command that cannot be answered stops no other. */
async function sendAgain(deps: Pick<RouteDeps, 'db' | 'threads' | 'config' | 'log'>, row: CommandRow, known: readonly Known[]): Promise<void> {
  try {
    for (const { route, matches } of known) {
      const params = matches(row.route)
      if (params) return void (await carryOut(deps, { row, params, requestId: row.commandId, readAnswer: route.readAnswer }))
    }
    deps.log.error({ route: row.route, commandId: row.commandId }, 'a command waits for an answer that no route can read')
  } catch (err) {
    if (err instanceof Refusal) deps.log.info({ commandId: row.commandId, orderId: row.orderId, code: err.code }, 'a command still has no answer')
    else deps.log.error({ err, commandId: row.commandId, orderId: row.orderId }, 'a command could not be sent again')
  }
}

/** Finds the ids in `POST /v1/orders/<id>/cancel` again. */
function matcher(route: Route): Known['matches'] {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
  const pattern = new RegExp(`^${route.method.toUpperCase()} ${route.path.replace(/\{\w+\}/g, '([^/]+)')}$`)
  return (named) => {
    const match = pattern.exec(named)
    return match ? Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(match[i + 1]!)])) : undefined
  }
}
