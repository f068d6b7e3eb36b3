/** Two ways in which results of local activities come in another grouping when a workflow is told again; with turns and without. What follows the one takes longer to think than what follows the other. */
import { condition, defineSignal, proxyLocalActivities, setHandler } from '@temporalio/workflow'
import { inTurn } from '../../workflows/support/turns'

export interface Steps {
  first(): Promise<void>
  second(): Promise<void>
  afterFirst(): Promise<void>
  afterSecond(): Promise<void>
  long(): Promise<void>
  heard(): Promise<void>
  afterLong(): Promise<void>
}

const called = proxyLocalActivities<Steps>({ startToCloseTimeout: '1 minute' })
const step = (name: keyof Steps, turns: boolean): Promise<void> => (turns ? inTurn(called[name]()) : called[name]())

async function think(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve()
}

/** Both are under way at once, and end one after the other. */
export async function sideBySide(turns: boolean): Promise<void> {
  const one = async (): Promise<void> => {
    await step('first', turns)
    await think()
    await step('afterFirst', turns)
  }
  const other = async (): Promise<void> => {
    await step('second', turns)
    await step('afterSecond', turns)
  }
  await Promise.all([one(), other()])
}

/** Something is heard while a step takes longer than a workflow task. */
export async function whileItTakesLong(turns: boolean): Promise<void> {
  let isHeard = false
  setHandler(defineSignal('hear'), async () => {
    await think()
    await step('heard', turns)
    isHeard = true
  })
  await step('long', turns)
  await step('afterLong', turns)
  await condition(() => isHeard)
}
