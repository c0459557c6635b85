import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callKms } from '../lab/kms.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { kmsfleet } from './cli.ts'
import { drive, openDesk, type Driven } from './drive.ts'
import { listing, touched, type Listing } from './listing.ts'
import { accountsModel, accountsOn, identityModel, modelOn, strangers } from './model.ts'

const variants = ['plain', 'noisy', 'sudo', 'sudo-password', 'bash-sh', 'rousr'] as const
/** All but the one whose /usr is read-only. */
const writable = variants.slice(0, 5)

let lab: Lab
beforeAll(async () => {
  lab = await startLab({ hosts: variants.map((variant) => ({ variant })) })
  // A login writes /run/motd.dynamic; without it nothing but kmsfleet writes there.
  await onAll((host) => lab.exec(host, "sed -i '/pam_motd/d' /etc/pam.d/sshd"))
})
afterAll(() => lab.down())

const named = (variant: string): LabHost => {
  const found = lab.hosts.find((host) => host.variant === variant)
  if (found === undefined) throw new Error(`expected a host of the variant ${variant}, found none`)
  return found
}

async function onAll<T>(work: (host: LabHost) => Promise<T>): Promise<ReadonlyMap<string, T>> {
  return new Map(
    await Promise.all(lab.hosts.map(async (host): Promise<[string, T]> => [host.variant, await work(host)])),
  )
}

const listings = (): Promise<ReadonlyMap<string, Listing>> => onAll((host) => listing(lab, host))

const touchedOn = (
  variant: string,
  before: ReadonlyMap<string, Listing>,
  after: ReadonlyMap<string, Listing>,
): readonly string[] => touched(before.get(variant) ?? new Map(), after.get(variant) ?? new Map())

describe('from bare hosts to the identity model and back to it', () => {
  let plan: Driven
  let made: Driven
  let again: Driven
  const seen: ReadonlyMap<string, Listing>[] = []
  const at = (index: number): ReadonlyMap<string, Listing> => seen[index] ?? new Map()
  beforeAll(async () => {
    // h6 is refused in both; the rollout's own budget of no failure would then stop nothing but what is not yet begun.
    const options = { limit: 'all:!h6', becomePassword: lab.secrets.password }
    seen.push(await listings())
    plan = await drive(lab, 'plan', options)
    seen.push(await listings())
    made = await drive(lab, 'converge', options)
    seen.push(await listings())
    again = await drive(lab, 'converge', options)
    seen.push(await listings())
  })

  test.each(writable)('%s: the plan on a bare host is complete, and nothing is written for it', (variant) => {
    expect(plan.exitCode).toBe(2)
    expect(touchedOn(variant, at(0), at(1))).toEqual([])
    const lines = plan.planned(named(variant).name)
    for (const [path, wanted] of Object.entries(identityModel)) {
      const [type = '', owner = '', group = '', mode = ''] = wanted.split(' ')
      expect(lines).toContain(`${type}:${path} owner absent -> ${owner}`)
      expect(lines).toContain(`${type}:${path} group absent -> ${group}`)
      expect(lines).toContain(`${type}:${path} mode absent -> ${mode}`)
    }
    expect(lines.filter((line) => line.startsWith('membership:'))).toEqual([
      'membership:openbao-kms-socket members none -> kube-apiserver, openbao-kms',
    ])
    expect(lines).toContain('unit:bao-kms-provider.service active inactive -> active')
    expect(lines).toContain('reach:/run/openbao-kms/kms.sock as kube-apiserver pending')
    // Hosts differ in the addresses that stand in the configuration.
    const alike = (line: string): boolean => !line.startsWith('file:/etc/openbao-kms/config.yaml content ')
    expect(lines.filter(alike)).toEqual(plan.planned('h1').filter(alike))
  })

  test.each(writable)('%s: converge does what was planned, all of it and in order', async (variant) => {
    const host = named(variant)
    expect(made.exitCode).toBe(0)
    expect(made.keys(host.name)).toEqual(plan.keys(host.name))
    expect(made.done(host.name)).toEqual(plan.keys(host.name))
    expect(made.of('widened', host.name)).toEqual([])
    expect(made.ended(host.name)).toMatchObject({ outcome: 'changed', differing: 0 })
    expect(await modelOn(lab, host)).toEqual(identityModel)
    expect(await accountsOn(lab, host)).toEqual(accountsModel)
    expect(strangers(touchedOn(variant, at(1), at(2)))).toEqual([])
  })

  test.each(writable)(
    '%s: a second converge changes nothing, and moves no inode, ctime or mtime',
    (variant) => {
      expect(again.exitCode).toBe(0)
      expect(again.ended(named(variant).name)).toMatchObject({
        outcome: 'ok',
        changed: 0,
        cost: { roundTrips: 1 },
      })
      expect(again.done(named(variant).name)).toEqual([])
      expect(touchedOn(variant, at(2), at(3))).toEqual([])
    },
  )

  test.each(writable)('%s: the API server gets KMS v2 over the socket', async (variant) => {
    const status = await callKms(lab, named(variant), 'Status', {})
    expect(status).toMatchObject({ version: 'v2', healthz: 'ok' })
    const plaintext = Buffer.from('a secret of the cluster')
    const sealed = await callKms(lab, named(variant), 'Encrypt', { plaintext, uid: '1' })
    expect(sealed['key_id']).toBe(status['key_id'])
    expect(await callKms(lab, named(variant), 'Decrypt', { ...sealed, uid: '2' })).toEqual({ plaintext })
    const probe = 'setpriv --reuid=kube-apiserver --regid=kube-apiserver --init-groups bao-kms-provider probe'
    const answer = await lab.exec(named(variant), `${probe} --socket /run/openbao-kms/kms.sock`)
    expect(answer).not.toContain('"status":"fail"')
  })

  test('noisy: nothing that its login files planted was run', async () => {
    expect(await lab.exec(named('noisy'), '[ ! -e /root/hijacked ] && echo untouched')).toBe('untouched\n')
  })
})

describe('what was broken by hand', () => {
  const invocation = (): Promise<string> =>
    lab.exec(named('plain'), 'systemctl show -p InvocationID --value bao-kms-provider')

  test('the command line plans exactly that, mends only that, and restarts nothing', async () => {
    using desk = openDesk()
    const host = named('plain')
    const reach = ['-i', lab.inventoryFile, '--limit', host.name, 'playbooks/rollout.yml']
    expect(await kmsfleet(desk.folder, 'plan', ...reach)).toMatchObject({ code: 0 })
    const running = await invocation()
    await lab.exec(host, 'chmod 2770 /run/openbao-kms')
    const before = await listing(lab, host)

    const plan = await kmsfleet(desk.folder, 'plan', ...reach)
    expect(plan.code).toBe(2)
    expect(plan.stdout).toContain('/run/openbao-kms')
    expect(plan.stdout).toMatch(/mode.*2770.*2750/)
    const [differs = '', due = ''] = plan.stdout.split(/^ +\* /m)
    expect(differs.match(/->|→/g)).toHaveLength(1)
    expect(due).toContain('unit:kube-apiserver.service')
    expect(touched(before, await listing(lab, host))).toEqual([])

    expect(await kmsfleet(desk.folder, 'converge', '--yes', ...reach)).toMatchObject({ code: 0 })
    expect(await invocation()).toBe(running)
    expect(await modelOn(lab, host)).toEqual(identityModel)
    // Of the stage nothing is left, but its folder had an entry for a moment.
    const changed = touched(before, await listing(lab, host))
    expect(changed.filter((path) => path !== '/run' && !path.startsWith('/run/kmsfleet'))).toEqual([
      '/run/openbao-kms',
    ])
    expect(await kmsfleet(desk.folder, 'plan', ...reach)).toMatchObject({ code: 0 })
  })

  test('without a terminal converge needs --yes, and contacts nobody before it is said', async () => {
    using desk = openDesk()
    const end = await kmsfleet(desk.folder, 'converge', '-i', lab.inventoryFile, 'playbooks/rollout.yml')
    expect(end.code).toBe(1)
    expect(end.stderr).toContain('--yes')
  })
})

describe('a wrong password for sudo', () => {
  test.each([
    ['wrong', { becomePassword: 'not the password' }],
    ['missing', {}],
  ])('%s: says so, counts as a failed host, and touches nothing', async (_, password) => {
    const host = named('sudo-password')
    const before = await listing(lab, host)
    const run = await drive(lab, 'converge', { limit: host.name, ...password })
    expect(run.exitCode & 4).toBe(4)
    expect(run.problem(host.name)).toMatchObject({ code: 'transport.sudo-password' })
    expect(run.problem(host.name).message).toMatch(/^h4: expected .*, found /)
    expect(touched(before, await listing(lab, host))).toEqual([])
  })
})

describe('a read-only /usr', () => {
  test('is refused before any change, with the path and what is in the way', async () => {
    const host = named('rousr')
    const before = await listing(lab, host)
    const plan = await drive(lab, 'plan', { limit: host.name })
    const run = await drive(lab, 'converge', { limit: host.name })
    for (const each of [plan, run]) {
      expect(each.exitCode & 4).toBe(4)
      expect(each.problem(host.name).code).toBe('resource.read-only')
      expect(each.problem(host.name).message).toMatch(/expected \/usr\/\S+ to be writable, found .*read-only/)
      expect(each.done(host.name)).toEqual([])
    }
    expect(touched(before, await listing(lab, host))).toEqual([])
  })

  test('is no trouble with other destinations', async () => {
    const host = named('rousr')
    const extraVars = {
      openbao_kms_binary: '/opt/openbao-kms/bao-kms-provider',
      openbao_kms_doc_dir: '/opt/openbao-kms/doc',
    }
    await lab.exec(host, 'mkdir -p -m 0755 /opt/openbao-kms')
    const made = await drive(lab, 'converge', { limit: host.name, extraVars })
    expect(made.of('failed')).toEqual([])
    expect(made.exitCode).toBe(0)
    expect(await callKms(lab, host, 'Status', {})).toMatchObject({ healthz: 'ok' })
    expect((await drive(lab, 'plan', { limit: host.name, extraVars })).exitCode).toBe(0)
  })
})
