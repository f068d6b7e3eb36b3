/** What somebody typed into the Temporal UI: read like any other outside word, because nothing has checked it before. */
import type { RequestReplacement, RequestReplacementSignal } from '../messages'

const ways: readonly RequestReplacement['collectOld'][] = ['at_door', 'mail', 'store', 'none']

/** @returns undefined where it is no request for a replacement. Without a `messageId` the same words twice are one request. */
export function readReplacement(typed: unknown): Required<Omit<RequestReplacementSignal, 'lines'>> & Pick<RequestReplacementSignal, 'lines'> | undefined {
  if (!isRecord(typed) || !Array.isArray(typed.lines) || typed.lines.length === 0 || !typed.lines.every(isLine)) return undefined
  const { lines, collectOld = 'mail', reason = 'asked for in the Temporal UI', actor = 'support', messageId = JSON.stringify([lines, collectOld]) } = typed
  if (!ways.includes(collectOld as RequestReplacement['collectOld']) || ![reason, actor, messageId].every((text) => typeof text === 'string')) return undefined
  if (new Set(lines.map((l) => l.lineId)).size < lines.length) return undefined
  return { lines, collectOld: collectOld as RequestReplacement['collectOld'], reason: reason as string, actor: actor as string, messageId: messageId as string }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const isLine = (line: unknown): line is RequestReplacementSignal['lines'][number] =>
  isRecord(line) && typeof line.lineId === 'string' && Number.isInteger(line.quantity) && (line.quantity as number) > 0 && (line.quantity as number) <= 1_000_000 && (line.sku === undefined || typeof line.sku === 'string')
