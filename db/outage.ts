/** Tells a database that is away for a while from a statement of ours that is wrong: the first is worth another try, the second is a bug. */

/** Connection refused, reset or timed out, as Node says it. */
const network = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']

/** SQLSTATE: connection exceptions, too many connections, shutting down, starting up, in recovery. */
const states = /^(08...|53300|57P0[123])$/

export function isOutage(error: unknown): boolean {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown }
  if (name === 'KnexTimeoutError' || /^Connection terminated/.test(String(message))) return true
  return typeof code === 'string' && (network.includes(code) || states.test(code))
}
