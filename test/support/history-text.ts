/** Everything that stands in an order's history, as text with every payload decoded: what must not be in there is looked for in it. */
import { orderWorkflowId } from '../../domain/ids'
import type { System } from './system'

export async function historyText({ client }: Pick<System, 'client'>, channelOrderId: string): Promise<string> {
  const handle = client.workflow.getHandle(orderWorkflowId('web', channelOrderId))
  const texts: string[] = []
  const walk = (value: unknown): void => {
    if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'))
    else if (typeof value === 'string') texts.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
  }
  walk(await handle.fetchHistory())
  walk((await handle.describe()).raw)
  return texts.join('\n')
}
