import type { Secret } from './secret.ts'

/** Removes known secrets from a text, in every form that they are commonly written in. */
export type Redactor = (text: string) => string

/** Shorter values are not searched for: they would be found everywhere. */
const shortest = 4

/**
 * Makes a redactor by value. It is the last line of defence, for sinks of free text: secrets have no way into
 * events and differences to begin with.
 */
export function createRedactor(secrets: readonly Secret[]): Redactor {
  const forms = new Map<string, string>()
  for (const secret of secrets) {
    const bytes = Buffer.from(secret.reveal())
    for (const form of [...formsOf(bytes), ...formsOf(trimmed(bytes))]) {
      if (form.length >= shortest && !forms.has(form)) forms.set(form, secret.toString())
    }
  }
  if (forms.size === 0) return (text) => text
  // The longest first, so that no form is cut by a shorter one within it.
  const ordered = [...forms.keys()].sort((a, b) => b.length - a.length)
  const pattern = new RegExp(ordered.map(escapeRegExp).join('|'), 'g')
  return (text) => text.replace(pattern, (found) => forms.get(found) ?? '[secret]')
}

/** A file's last newline is rarely printed with its content. */
function trimmed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').trim(), 'latin1')
}

function formsOf(bytes: Buffer): readonly string[] {
  if (bytes.length < shortest) return []
  const raw = bytes.toString('utf8')
  const hex = bytes.toString('hex')
  const forms = [
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    hex,
    hex.toUpperCase(),
  ]
  // Bytes that are no text have no raw form, only encoded ones.
  if (!Buffer.from(raw, 'utf8').equals(bytes)) return forms
  const percent = encodeURIComponent(raw)
  return [
    ...forms,
    raw,
    JSON.stringify(raw).slice(1, -1),
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll('%20', '+'),
    raw.replaceAll("'", "'\\''"),
    raw.replaceAll("'", `'"'"'`),
  ]
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
