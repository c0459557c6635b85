import { KmsfleetError } from '../../errors/error.ts'

/** How many fields follow each tag of a probe section. */
const arity = {
  host: 5,
  uid: 1,
  stat: 1,
  trouble: 1,
  acls: 2,
  sums: 1,
  slow: 2,
  text: 2,
  bytes: 2,
  public: 2,
  pair: 2,
  link: 2,
  target: 2,
  mounts: 1,
  attributes: 1,
  labels: 1,
  policy: 1,
  packages: 2,
  package: 2,
  owed: 1,
  nss: 3,
  shadow: 2,
  units: 2,
  folder: 2,
  texts: 2,
  exe: 2,
  gids: 2,
  exes: 1,
  test: 3,
  idmap: 1,
  found: 2,
  live: 6,
  again: 3,
  clock: 1,
  about: 4,
  trial: 8,
  entries: 3,
  held: 4,
  says: 4,
} as const

type Tag = keyof typeof arity

/** As many strings as `N` says. */
type Fields<N extends number, T extends string[] = []> = T['length'] extends N ? T : Fields<N, [...T, string]>

/** The entries of a probe section by their tag. */
export interface Section {
  all<K extends Tag>(tag: K): readonly Fields<(typeof arity)[K]>[]
  /** uid that the resident shell runs as. */
  uid(): number
}

const tags: ReadonlyMap<string, number> = new Map(Object.entries(arity))

function broken(expected: string, found: string): KmsfleetError {
  return new KmsfleetError(
    'host.protocol',
    `expected ${expected}, found ${JSON.stringify(found.slice(0, 80))}`,
    {
      hint: 'the host is hostile, or its tools print what no known version prints',
    },
  )
}

/** Groups the fields by tag; throws KmsfleetError `host.protocol` for a tag that is not known or is short of fields. */
export function sectionOf(fields: readonly string[]): Section {
  const entries = new Map<string, string[][]>()
  for (let index = 0; index < fields.length;) {
    const tag = fields[index] ?? ''
    const count = tags.get(tag)
    if (count === undefined) throw broken('a tag of the probe section', tag)
    const values = fields.slice(index + 1, index + 1 + count)
    if (values.length < count)
      throw broken(`${String(count)} fields after "${tag}"`, `${String(values.length)} fields`)
    const known = entries.get(tag)
    if (known === undefined) entries.set(tag, [values])
    else known.push(values)
    index += 1 + count
  }
  // The length of each entry was just checked against the table that the type is made from.
  const all: Section['all'] = (tag) => (entries.get(tag) ?? []) as Fields<(typeof arity)[typeof tag]>[]
  return {
    all,
    uid() {
      const found = all('uid')[0]?.[0]
      if (found === undefined || !/^[0-9]{1,10}$/.test(found))
        throw broken('the uid of the shell', found ?? '')
      return Number(found)
    },
  }
}

/** Lines of a field, empty ones left out. */
export function lines(field: string | undefined): readonly string[] {
  return (field ?? '').split('\n').filter((line) => line !== '')
}
