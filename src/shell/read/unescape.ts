/** `\040`, `\\`, `\n`, `\ ` as getfacl and ls escape names. */
export function unescapeName(text: string): string {
  const letters: ReadonlyMap<string, number> = new Map([
    ['a', 7],
    ['b', 8],
    ['t', 9],
    ['n', 10],
    ['v', 11],
    ['f', 12],
    ['r', 13],
  ])
  const bytes: Buffer[] = []
  let last = 0
  for (const match of text.matchAll(/\\([0-7]{3}|[^])/g)) {
    const code = match[1] ?? ''
    bytes.push(Buffer.from(text.slice(last, match.index)))
    const byte = code.length === 3 ? Number.parseInt(code, 8) & 0xff : letters.get(code)
    bytes.push(byte === undefined ? Buffer.from(code) : Buffer.of(byte))
    last = match.index + match[0].length
  }
  return Buffer.concat([...bytes, Buffer.from(text.slice(last))]).toString('utf8')
}
