/** `npm start`: brings everything up, says where it is, plays the story of an order, and stays until Ctrl-C, which stops all of it in order and loses nothing. */
import { bringUp, type Addresses } from './bring-up'
import { inOneLine } from './complaint'
import { helpText, readOptions, type StartOptions } from './options'
import { createScreen, type Screen } from './screen'
import { openSession, type Session } from './session'
import { playStory } from './story'

export function start(argv: readonly string[]): void {
  const screen = createScreen()
  let options: StartOptions
  try {
    options = readOptions(argv)
  } catch (error) {
    console.error(inOneLine(error))
    process.exit(1)
  }
  if (options.help) return screen.line(helpText)
  const session = openSession(screen)
  void run(options, session, screen).catch((error: unknown) => session.fail(error))
}

async function run(options: StartOptions, session: Session, screen: Screen): Promise<void> {
  const addresses = await bringUp(options, session, screen, process.env)
  tellAddresses(addresses, screen)
  if (!addresses.demo) screen.line('DATABASE_URL is set: there are no demo keys and no story with a database of your own.\n')
  else if (options.demo) await playStory(addresses, screen, session.leaving)
  if (!session.leaving.aborted) screen.line('Running. Ctrl-C stops everything; the data stays in .data/.')
}

function tellAddresses(addresses: Addresses, screen: Screen): void {
  const lines: [string, string | undefined][] = [
    ['API', addresses.api],
    ['documentation', `${addresses.api}/docs`],
    ['Temporal UI', addresses.temporalUi],
    ['Temporal', addresses.temporal],
    ['PostgreSQL', addresses.database],
    ['payments', addresses.payments && `${addresses.payments} (simulator)`],
    ['carriers', addresses.carriers && `${addresses.carriers} (simulator)`],
    ['fraud', addresses.fraud && `${addresses.fraud} (simulator)`],
    ['demo keys', addresses.demo ? 'demo-channel-web, demo-store-store-mitte, demo-support, demo-operations, demo-admin, …' : undefined],
  ]
  screen.line()
  for (const [what, where] of lines) if (where) screen.line(`  ${what.padEnd(14)} ${where}`)
  screen.line()
}
