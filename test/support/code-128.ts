/** Reads Code 128 as a scanner does: from the widths of bars and spaces, by the tables of ISO/IEC 15417, with its checksum. */

/** Widths of bar, space, bar, space, bar, space for the symbols 0–105; the stop symbol has seven. */
const symbols = `
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131
311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114
122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
114311 411113 411311 113141 114131 311141 411131 211412 211214 211232`.trim().split(/\s+/)
const stop = '2331112'
const [codeC, codeB, codeA, startA, startB, startC] = [99, 100, 101, 103, 104, 105]

export interface Bar {
  x: number
  width: number
}

/** @param bars from left to right. @throws when they are no Code 128 with a right checksum. */
export function readCode128(bars: readonly Bar[]): string {
  const values = valuesOf(modulesOf(bars))
  const [start, ...rest] = values
  const check = rest.pop()
  const sum = rest.reduce((total, value, i) => total + value * (i + 1), start!)
  if (sum % 103 !== check) throw new Error(`the checksum is ${sum % 103}, not ${check}`)
  let set = start === startA ? 'A' : start === startB ? 'B' : start === startC ? 'C' : fail(`${start} is no start symbol`)
  let text = ''
  for (const value of rest) {
    if (set !== 'C' && value === codeC) set = 'C'
    else if (set !== 'B' && value === codeB) set = 'B'
    else if (set !== 'A' && value === codeA) set = 'A'
    else text += set === 'C' ? String(value).padStart(2, '0') : String.fromCharCode(set === 'A' && value > 63 ? value - 64 : value + 32)
  }
  return text
}

/** Bars and spaces in whole modules. */
function modulesOf(bars: readonly Bar[]): number[] {
  const widths = bars.flatMap((bar, i) => (i === 0 ? [bar.width] : [bar.x - (bars[i - 1]!.x + bars[i - 1]!.width), bar.width]))
  const unit = Math.min(...widths)
  return widths.map((width) => {
    const modules = Math.round(width / unit)
    if (Math.abs(width / unit - modules) > 0.05) fail(`${width} is not a whole number of modules of ${unit}`)
    return modules
  })
}

function valuesOf(modules: readonly number[]): number[] {
  const pattern = modules.join('')
  if (!pattern.endsWith(stop)) fail('it has no stop symbol')
  const values: number[] = []
  for (let i = 0; i < pattern.length - stop.length; i += 6) {
    const value = symbols.indexOf(pattern.slice(i, i + 6))
    if (value < 0) fail(`${pattern.slice(i, i + 6)} is no symbol`)
    values.push(value)
  }
  return values
}

function fail(why: string): never {
  throw new Error(why)
}
