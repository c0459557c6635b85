import { basename, extname } from 'node:path'
import { readText } from '../document/parse.ts'
import { KmsfleetError } from '../errors/error.ts'
import { quote } from '../shell/quote.ts'
import { vaultHint } from './values.ts'

/** Throws where a file is encrypted, whatever it is. */
export function refuseVault(file: string, text: string): void {
  if (!text.startsWith('$ANSIBLE_VAULT;')) return
  throw new KmsfleetError(
    'inventory.refused',
    'expected a file of plain values, found one of Ansible Vault',
    {
      place: { file, line: 1, column: 1 },
      hint: vaultHint,
    },
  )
}

/** Throws where a file is an inventory of Ansible that is not YAML data, with the command that makes data of it. */
export function refuseForeign(file: string, text: string): void {
  refuseVault(file, text)
  const found = foreignForm(file, text)
  if (found === undefined) return
  throw new KmsfleetError(
    'inventory.invalid',
    `expected a YAML inventory or what ansible-inventory --list prints, found ${found}`,
    {
      place: { file, line: 1, column: 1 },
      hint: `convert it: ansible-inventory -i ${quote(file)} --list --output hosts.json`,
    },
  )
}

function foreignForm(file: string, text: string): string | undefined {
  if (text.startsWith('#!')) return 'a program, which is never run here'
  if (/^plugin:\s*\S/m.test(text)) return 'the settings of an inventory plugin, which is never run here'
  if (extname(file) === '.toml') return 'a TOML inventory'
  return extname(file) === '.ini' || looksLikeIni(text) ? 'an INI inventory' : undefined
}

/** A section in brackets, or a first line that is a host: neither can begin a dictionary. */
function looksLikeIni(text: string): boolean {
  const [first = ''] = lines(text)
  return hasSection(text) || (/^[A-Za-z0-9_]/.test(first) && !isKey(first))
}

/**
 * In a folder, is a file without extension an inventory? `hosts` is; others may be lists for `--limit`, keys or notes,
 * and are where they have sections or begin with a key.
 */
export function isInventory(file: string): boolean {
  if (extname(file) !== '' || basename(file) === 'hosts') return true
  const text = readText(file, 'inventory.not-found')
  const [first = ''] = lines(text)
  return hasSection(text) || isKey(first) || /^\s*(\{|#!|\$ANSIBLE_VAULT)/.test(text)
}

function lines(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '' && !/^\s*[#;]|^---/.test(line))
}

function hasSection(text: string): boolean {
  return /^\[[A-Za-z0-9_.:-]+\][ \t]*([#;].*)?$/m.test(text)
}

function isKey(line: string): boolean {
  return /^[^\s].*:(\s|$)/.test(line)
}
