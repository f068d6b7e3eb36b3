/** Reads what the documentation says, so that tests can hold it against the code: tables, code blocks, links. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(__dirname, '../..')
export const readText = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The part below a heading, up to the next one of the same or a higher level. @throws when there is no such heading. */
export function section(text: string, heading: string): string {
  const lines = text.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) throw new Error(`no heading ${heading}`)
  const level = /^#+/.exec(heading)![0].length
  const end = lines.findIndex((line, i) => i > start && (/^(#+) /.exec(line)?.[1]?.length ?? 99) <= level)
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n')
}

/** The rows of every table in a text, without heads and rules; backticks around a whole cell are taken off. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  const isRule = (line: string | undefined): boolean => line !== undefined && /^\|[\s|:-]+\|$/.test(line)
  return lines.filter((line, i) => !isRule(line) && !isRule(lines[i + 1])).map(cells)
}

const cells = (line: string): string[] =>
  line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'))

/** The bodies of the fenced blocks of one language, in order. */
export const codeBlocks = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter((block) => block[1] === language).map((block) => block[2]!)

/** Where a text links to inside the repository: paths without anchors. */
export const links = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((link) => link[1]!.replace(/#.*/, '')).filter((to) => to !== '' && !/^[a-z]+:/.test(to))
