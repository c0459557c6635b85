import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLab, type Lab, type LabHost } from './lab.ts'
import { run } from './process.ts'
import { hostGroups, reapSlots, slotFolder, slotsInUse, type Slot } from './slot.ts'
import { variants } from './variant.ts'

/** What a real ssh client gets from a host. */
function ssh(lab: Lab, host: LabHost, command: string, stdin = ''): Promise<string> {
  const options = [`UserKnownHostsFile=${lab.knownHostsFile}`, 'StrictHostKeyChecking=yes', 'BatchMode=yes']
  const settings = options.flatMap((option) => ['-o', option])
  const to = ['-i', lab.keyFile, '-p', String(host.port), '--', `${host.user}@${host.address}`]
  return run(['ssh', '-F', '/dev/null', ...settings, ...to, command], { stdin })
}

/** All that would be left of a lab: processes, mounts, folders, control groups. */
function traces(slot: Slot): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const machine = `kmsfleet-lab-${String(slot)}-`
  return [
    ...mounts.filter((line) => line.includes(` ${slotFolder(slot)}/`)),
    ...readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(machine)),
    ...[slotFolder(slot), ...hostGroups(slot)].filter(existsSync),
    ...readdirSync('/run/systemd/nspawn', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes(machine),
    ),
  ]
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // The process ended.
  }
}

describe('a lab with a host of each variant', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await startLab({ hosts: variants.map((variant) => ({ variant })) })
  })
  afterAll(() => lab.down())

  const host = (variant: string): LabHost => {
    const found = lab.hosts.find((each) => each.variant === variant)
    if (found === undefined) throw new Error(`expected a host of the variant ${variant}, found none`)
    return found
  }

  test.each(variants.filter((variant) => variant !== 'busybox'))(
    '%s boots, answers ssh and is bare',
    async (variant) => {
      expect(await ssh(lab, host(variant), 'echo; hostname')).toContain(`\n${host(variant).name}\n`)
      const facts = await lab.exec(
        host(variant),
        `systemctl is-system-running --wait
       for tool in python python3 perl; do command -v $tool || echo no $tool; done
       getent passwd openbao-kms || echo no user
       ps -o user:20= -C kube-apiserver`,
      )
      expect(facts.trim().split('\n')).toEqual([
        'running',
        'no python',
        'no python3',
        'no perl',
        'no user',
        'kube-apiserver',
      ])
    },
  )

  test('busybox boots, answers ssh, and has busybox alone', async () => {
    expect(await ssh(lab, host('busybox'), 'echo; hostname')).toContain(`\n${host('busybox').name}\n`)
    const facts = await lab.exec(
      host('busybox'),
      `for tool in systemctl useradd groupadd getent setfacl bash python3 perl; do command -v $tool || echo no $tool; done
       for tool in sh stat sha256sum adduser; do readlink -f "$(command -v $tool)"; done
       grep openbao-kms /etc/passwd || echo no user
       id -un kube-apiserver`,
    )
    expect(facts.trim().split('\n')).toEqual([
      ...['systemctl', 'useradd', 'groupadd', 'getent', 'setfacl', 'bash', 'python3', 'perl'].map(
        (tool) => `no ${tool}`,
      ),
      ...['sh', 'stat', 'sha256sum', 'adduser'].map(() => '/bin/busybox'),
      'no user',
      'kube-apiserver',
    ])
  })

  test('a host keeps ACLs, and a file its device and inode when it is first written', async () => {
    const facts = await lab.exec(
      host('plain'),
      `stat -c %d:%i /etc/profile >/tmp/before; echo >>/etc/profile; stat -c %d:%i /etc/profile | cmp - /tmp/before
       touch /etc/probe /run/probe; for f in /etc/probe /run/probe; do
         setfacl -m u:kube-apiserver:r $f; getfacl -c $f | grep kube; done`,
    )
    expect(facts.trim().split('\n')).toEqual(['user:kube-apiserver:r--', 'user:kube-apiserver:r--'])
  })

  test('noisy prints, changes the environment and eats stdin before a command', async () => {
    const answer = await ssh(lab, host('noisy'), 'echo; echo $LC_ALL; type -t chown; cat', 'eaten\nleft\n')
    const [noise, locale, chown, ...rest] = answer.split('\n')
    expect([noise, locale, chown]).toEqual(['welcome, no newline here', 'tr_TR.UTF-8', 'function'])
    expect(rest.join('')).not.toContain('eaten')
  })

  test('sudo needs a password or not, as the variant says', async () => {
    expect(await ssh(lab, host('sudo'), 'sudo -n id -u')).toBe('0\n')
    const asked = host('sudo-password')
    await expect(ssh(lab, asked, 'sudo -n id -u')).rejects.toThrow('a password is required')
    expect(await ssh(lab, asked, 'sudo -S id -u', `${lab.secrets.password}\n`)).toBe('0\n')
  })

  test('bash is sh on bash-sh, and on no other', async () => {
    const shell = 'readlink -f /bin/sh'
    expect(await lab.exec(host('bash-sh'), shell)).toBe('/usr/bin/bash\n')
    expect(await lab.exec(host('plain'), shell)).toBe('/usr/bin/dash\n')
  })

  test('rousr cannot write to /usr', async () => {
    await expect(lab.exec(host('rousr'), 'touch /usr/probe')).rejects.toThrow('Read-only file system')
  })

  test('another user of this machine reads none of its secrets', () => {
    for (const file of [lab.secrets.jwtFile, lab.secrets.passwordFile, lab.keyFile]) {
      expect(statSync(file).mode & 0o777, file).toBe(0o600)
    }
    expect(statSync(lab.folder).mode & 0o777).toBe(0o700)
    expect(readFileSync(lab.secrets.jwtFile, 'utf8')).toContain(lab.secrets.canary)
  })

  test('a second lab lives and ends beside it without touching it', async () => {
    const pids = 'systemctl show -p MainPID ssh.service kube-apiserver.service'
    const before = await lab.exec(host('plain'), pids)
    const second = await startLab({ hosts: [{ variant: 'plain' }] })
    try {
      const [other] = second.hosts
      if (other === undefined) throw new Error('expected a host, found none')
      expect(other.address).not.toBe(host('plain').address)
      expect(other.hostKey).not.toBe(host('plain').hostKey)
      await second.exec(other, 'systemctl restart kube-apiserver.service')
      expect(await ssh(second, other, 'hostname')).toBe('h1\n')
    } finally {
      await second.down()
    }
    expect(traces(second.slot)).toEqual([])
    expect(await lab.exec(host('plain'), pids)).toBe(before)
  })
})

test('a lab whose process was killed is ended by the next one', async () => {
  const before = new Set(slotsInUse())
  let slot: Slot
  const program = `import('${join(import.meta.dirname, 'lab.ts')}')
    .then(({ startLab }) => startLab({ hosts: [{ variant: 'plain' }] }))
    .then((lab) => { console.log(lab.slot); setInterval(() => {}, 1000) })`
  const child = spawn(process.execPath, ['--import', 'tsx', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    slot = Number(line.toString())
    expect(before.has(slot)).toBe(false)
    expect(traces(slot).length).toBeGreaterThan(2)
  } finally {
    child.kill('SIGKILL')
    await ended
    await reapSlots()
  }
  expect(traces(slot)).toEqual([])
})
