import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { ProcessAbout, ProcessState } from '../../src/model/process.ts'
import type { Planned } from '../../src/model/resource.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { known } from '../../src/model/value.ts'
import { encryptionConfig } from '../../src/modules/encryption_config/index.ts'
import { process as running } from '../access/snapshot.ts'
import { file, planAll, unit, type Paths, type Units, type WorldSpec } from '../resources/world.ts'
import { context } from './context.ts'

const path = '/etc/encryption.yaml'
const config = '/etc/provider.yaml'
const unitName = 'kube-apiserver.service'

const text = (content: string, state: object = {}): ReturnType<typeof file> => {
  const bytes = Buffer.from(content)
  return file({
    size: bytes.length,
    content: known(Digest.of(bytes)),
    bytes: new Secret('x', bytes),
    ...state,
  })
}

const provider = (name = 'kms-a', socket = '/run/openbao-kms/kms.sock'): ReturnType<typeof file> =>
  text(`server: {socketPath: ${socket}}\ntransit: {keyIdScope: {providerName: ${name}}}\n`)

interface Case {
  readonly processes?: WorldSpec['processes']
  readonly stage?: 'readers' | 'writers'
  readonly old?: string
  readonly args?: object
  readonly paths?: Paths
  readonly units?: Units
}

const asked = {
  provider: 'kms-a',
  socket: '/run/openbao-kms/kms.sock',
  provider_config: config,
  dest: path,
  owner: 'root',
  group: 'root',
  mode: '0640',
}

function plan({
  stage = 'readers',
  old,
  args = {},
  paths = {},
  units = {},
  processes = {},
}: Case): readonly Planned[] {
  const said = stage === 'writers' ? { readers_loaded: true } : {}
  const resources = encryptionConfig.resources(
    encryptionConfig.args.parse({ ...asked, stage, ...said, ...args }),
    context(),
  )
  const there = old === undefined ? {} : { [path]: text(old, { mode: 0o640 }) }
  return planAll({ paths: { [config]: provider(), ...there, ...paths }, units, processes }, ...resources)
}

interface Written {
  readonly resources: readonly {
    readonly resources: readonly string[]
    readonly providers: readonly Readonly<Record<string, { readonly name?: string }>>[]
  }[]
}

/** Providers in their order, of each entry: `secrets: kms-a identity`. Or the refusal. */
function entries(planned: Planned | undefined): readonly string[] {
  if (planned?.is === 'same') return ['same']
  if (planned?.is === 'refused') return [planned.problem.message]
  const op = planned?.is === 'change' ? planned.ops[0] : undefined
  if (op?.op !== 'file-put') throw new Error(`not expected: ${String(planned?.is)}`)
  const { resources } = parse(Buffer.from(op.payload.bytes).toString()) as Written
  return resources.map((entry) => {
    const names = entry.providers.flatMap((one) =>
      Object.entries(one).map(([key, value]) => (key === 'kms' ? value.name : key)),
    )
    return `${entry.resources.join(',')}: ${names.join(' ')}`
  })
}

const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n'
const entry = (resources: string, ...providers: readonly string[]): string =>
  `  - resources: [${resources}]\n    providers:\n${providers.map((one) => `      - ${one}\n`).join('')}`
const ours = 'kms: {apiVersion: v2, name: kms-a, endpoint: "unix:///run/openbao-kms/kms.sock", timeout: 3s}'
const theirs = 'kms: {apiVersion: v2, name: cloud, endpoint: "unix:///run/cloud.sock"}'
const aes = 'aescbc: {keys: [{name: k, secret: c2VjcmV0}]}'
const none = 'identity: {}'

describe('what is made of what is there', () => {
  test.each<[what: string, given: Case, expected: readonly string[]]>([
    ['readers on a bare host', {}, ['secrets: identity kms-a']],
    [
      'writers after readers',
      { stage: 'writers', old: head + entry('secrets', none, ours) },
      ['secrets: kms-a identity'],
    ],
    ['readers again', { old: `# mine\n${head}${entry('secrets', none, ours)}` }, ['same']],
    ['writers again', { stage: 'writers', old: head + entry('secrets', ours, none) }, ['same']],
    [
      'keys and another provider are kept',
      { old: head + entry('secrets', aes, theirs, none) },
      ['secrets: aescbc cloud identity kms-a'],
    ],
    [
      '... and by writers',
      { stage: 'writers', old: head + entry('secrets', aes, none, ours) },
      ['secrets: kms-a aescbc identity'],
    ],
    [
      'other resources are kept, and what is new stands before a wildcard that would fit it',
      { old: head + entry('configmaps', theirs) + entry("'*.*'", none) },
      ['configmaps: cloud', 'secrets: identity kms-a', '*.*: identity'],
    ],
    [
      'what a wildcard lets it read it can still read',
      { old: head + entry("'*.apps'", theirs) + entry("'*.'", aes, none) },
      ['*.apps: cloud', 'secrets: aescbc identity kms-a', '*.: aescbc identity'],
    ],
    [
      'a wildcard before the name is what counts',
      { old: head + entry("'*.*'", aes, none) + entry('secrets', none) },
      ['secrets: aescbc identity kms-a', '*.*: aescbc identity', 'secrets: identity kms-a'],
    ],
    [
      'a wildcard of ours takes nothing from what has a name',
      { old: head + entry('secrets', aes, none), args: { resources: ['*.*'] } },
      ['secrets: aescbc identity kms-a', '*.*: identity kms-a'],
    ],
  ])('%s', (_, given, expected) => {
    expect(entries(plan(given)[0])).toEqual(expected)
  })

  test.each<[what: string, given: Case, expected: string]>([
    ['writers on a bare host', { stage: 'writers' }, 'is no reader of secrets yet'],
    [
      'writers over readers of others',
      { stage: 'writers', old: head + entry('secrets', none) },
      'is no reader of secrets yet',
    ],
    ['the way back', { old: head + entry('secrets', ours, none) }, 'writes already'],
    [
      'our name at another socket',
      { old: head + entry('secrets', none, ours.replace('/run/openbao-kms/', '/run/old/')) },
      'would take a reader away',
    ],
    ['no such configuration', { old: 'a: c2VjcmV0\n' }, 'it is no EncryptionConfiguration (see line 1)'],
    [
      'keys that others may read',
      { old: head + entry('secrets', aes), args: { mode: '0644' } },
      'since keys stand in it',
    ],
    [
      'a provider of another name',
      { paths: { [config]: provider('kms-b') } },
      'expected providerName kms-a in /etc/provider.yaml, found kms-b',
    ],
    [
      'a provider at another socket',
      { paths: { [config]: provider('kms-a', '/run/openbao-kms/x') } },
      'expected socketPath',
    ],
    ['no provider', { paths: { [config]: null } }, 'expected the provider to be configured'],
    [
      'what others could write',
      { paths: { [path]: file({ uid: known(5), size: 3 }) } },
      'that root alone can write',
    ],
  ])('is refused: %s', (_, given, expected) => {
    const [refusal = ''] = entries(plan(given)[0])
    expect(refusal).toContain(expected)
    expect(refusal).not.toContain('c2VjcmV0')
  })

  test('keys are never shown, and make the file a secret', () => {
    const planned = plan({ old: head + entry('secrets', aes, none) })
    const shown = planned[0]?.is === 'change' ? planned[0].differences : []
    expect(JSON.stringify(shown)).not.toContain('c2VjcmV0')
    expect(shown).toMatchObject([{ attribute: 'content', to: { value: 'changed (secret)' } }])
    expect(planned[0]).toMatchObject({ ops: [{ payload: { secret: true } }] })
  })
})

describe('writers need readers that are loaded', () => {
  const old = head + entry('secrets', none, ours)
  const writers = (since: number, active = 'active'): Planned | undefined =>
    plan({
      stage: 'writers',
      old,
      args: { apiserver_unit: unitName, readers_loaded: undefined },
      units: { [unitName]: unit({ active, since }) },
    })[0]

  test('a unit shows it by its start', () => {
    expect(writers(1001)).toMatchObject({ is: 'change', disruptive: true })
    expect(entries(writers(1000))[0]).toContain(`${unitName} was started before ${path} was written`)
    expect(entries(writers(2000, 'failed'))[0]).toContain('is not active')
  })

  const flag = `--encryption-provider-config=${path}`
  const reload = '--encryption-provider-config-automatic-reload'
  interface Told extends ProcessAbout {
    readonly userNamespace?: ProcessState['userNamespace']
  }
  const process: Told = { since: 1002, argv: ['kube-apiserver', flag], sees: `1:i${path}` }
  const late = { ...process, since: 1001 }
  test.each<[string, readonly Told[], string | undefined]>([
    ['started after it', [process, { ...process, argv: ['/pause'] }], undefined],
    ['started in the second after it', [late], 'was started before'],
    ['that reloads by itself', [{ ...late, argv: [flag, reload] }], 'by itself cannot be shown'],
    ['that reloads by itself, but was started after it', [{ ...process, argv: [flag, reload] }], undefined],
    ['that does not reload', [{ ...late, argv: [flag, reload, `${reload}=false`] }], 'was started before'],
    ['of which there are two', [process, process], 'several processes'],
    ['that is none', [{ ...process, argv: ['/pause'] }], 'no process of a container kube-apiserver'],
    ['with another file', [{ ...process, argv: [`${flag}x`] }], `runs with ${path}x`],
    ['that sees another file', [{ ...process, sees: '1:2' }], 'sees another file'],
    ['in users of its own', [{ ...process, userNamespace: 'other' }], 'user namespace'],
  ])('a process of a static pod %s', (_, told, why) => {
    const args = { apiserver_container: 'kube-apiserver', readers_loaded: undefined }
    const states = told.map(({ userNamespace = 'initial', ...about }) =>
      running(0, 0, [], { userNamespace, about }),
    )
    const processes = { [`kube-apiserver with ${path}`]: states }
    const [planned] = plan({ stage: 'writers', old, args, processes })
    if (why === undefined) expect(planned).toMatchObject({ is: 'change', disruptive: true })
    else expect(entries(planned)[0]).toContain(why)
  })

  test('where it is none somebody must say so', () => {
    const parsed = encryptionConfig.args.safeParse({ ...asked, stage: 'writers' })
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
      'expected `apiserver_unit`, `apiserver_container` or `readers_loaded: true` with `stage: writers`',
    ])
  })

  test('a play over all API servers checks it before', () => {
    const check = (since: number, there?: string): Planned | undefined =>
      plan({
        ...(there === undefined ? {} : { old: there }),
        args: { apiserver_unit: unitName, loaded: true },
        units: { [unitName]: unit({ since }) },
      })[1]
    expect(check(1001, old)).toEqual({ is: 'same' })
    expect(check(999, old)).toMatchObject({ is: 'unmet', ops: [] })
    // Written only in this run: no API server has read it.
    expect(check(9999)).toMatchObject({ is: 'unmet' })
  })
})
