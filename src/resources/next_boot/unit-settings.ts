/** A setting of a unit as it was written last, and where. */
export interface Setting {
  readonly value: string
  /** `path:line`. */
  readonly place: string
}

interface UnitFile {
  readonly path: string
  readonly text: string
}

/**
 * Settings of the `[Service]` section over a unit file and its drop-ins in their order: each key with the values that
 * hold at the end. An empty value takes back all before it, as systemd has it for lists; of a key that holds one value
 * the last counts.
 */
export function serviceSettings(files: readonly UnitFile[]): ReadonlyMap<string, readonly Setting[]> {
  const settings = new Map<string, readonly Setting[]>()
  for (const { path, text } of files) {
    let section = ''
    for (const { line, number } of logicalLines(text)) {
      const header = /^\[(.+)\]$/.exec(line)
      if (header !== null) section = header[1] ?? ''
      const [, key, value = ''] = /^([A-Za-z0-9-]+)\s*=\s*(.*)$/s.exec(line) ?? []
      if (key === undefined || section !== 'Service') continue
      const place = `${path}:${String(number)}`
      settings.set(key, value === '' ? [] : [...(settings.get(key) ?? []), { value, place }])
    }
  }
  return settings
}

/** Lines without comments; one that ends in a backslash goes on in the next. */
function logicalLines(text: string): readonly { readonly line: string; readonly number: number }[] {
  const found: { readonly line: string; readonly number: number }[] = []
  let held: { readonly line: string; readonly number: number } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line.startsWith('#') || line.startsWith(';')) continue
    const joined: string = held === undefined ? line : `${held.line} ${line}`
    const number = held?.number ?? index + 1
    held = joined.endsWith('\\') ? { line: joined.slice(0, -1).trimEnd(), number } : undefined
    if (held === undefined && joined !== '') found.push({ line: joined, number })
  }
  return held === undefined ? found : [...found, held]
}

/** Folders that systemd reads units from and that outlive a reboot, the first before the last. */
export const unitFolders = [
  '/etc/systemd/system.control',
  '/etc/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
] as const

/**
 * A unit's drop-in folders in the order in which systemd goes through them; of files with one name the first counts.
 * What lies in `/etc` goes before what lies in `/usr`, however specific it is; in one place `a-b.service.d` before
 * `a-.service.d`, and for an instance its own before those of its template. `service.d` comes last of all.
 */
export function dropInFolders(unit: string): readonly string[] {
  const [, stem = unit, type = ''] = /^(.*)\.([a-z]+)$/.exec(unit) ?? []
  const [, prefix = stem, instance] = /^([^@]*)@(.*)$/.exec(stem) ?? []
  const names = dropInNames(prefix, instance, type)
  return [[...new Set(names)], [type]].flatMap((some) =>
    unitFolders.flatMap((folder) => some.map((name) => `${folder}/${name}.d`)),
  )
}

/** @param instance undefined for a plain unit, empty for a template */
function dropInNames(prefix: string, instance: string | undefined, type: string): readonly string[] {
  const at = instance === undefined ? '' : `@${instance}`
  // `a-b-c` and `a-b-` go on with `a-b-` and `a-`
  const whole = prefix.replace(/-$/, '')
  const dash = whole.lastIndexOf('-')
  return [
    `${prefix}${at}.${type}`,
    ...(instance === undefined || instance === '' ? [] : dropInNames(prefix, '', type)),
    ...(dash <= 0 ? [] : dropInNames(whole.slice(0, dash + 1), instance, type)),
  ]
}
