import { lstatSync, watch } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Connect } from '../../src/transport/channel.ts'
import { createConnector } from '../../src/transport/connect.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { cutAfter, type CutPoint } from '../transport/cut.ts'
import { drive, openDesk, type Desk, type Driven } from './drive.ts'
import { connectInside, proxyTo } from './inside.ts'

const overLocal = 45
const overSsh = 5

let lab: Lab
let playbook: string
let whole: Driven
const desk: Desk = openDesk()
/** Bytes of output that had come each time that some came: the ends of what the host said in one go. */
const heard: number[] = []
/** How far hosts were when the connection broke. */
const reached = new Set<string>()

beforeAll(async () => {
  lab = await startLab({ hosts: Array.from({ length: 3 }, () => ({ variant: 'plain' as const })) })
  await Promise.all(lab.hosts.map((host) => lab.exec(host, prepare)))
  playbook = writePlaybook()
  const [first] = lab.hosts
  if (first === undefined) throw new Error('expected a host, found none')
  await lab.exec(first, reset)
  // No cluster: what is heard is of this host alone, and not of peers that are asked how they are.
  whole = await drive(lab, 'converge', {
    limit: first.name,
    playbook,
    apart: true,
    connect: listening(connectInside(lab)),
  })
  expect(whole.exitCode).toBe(0)
  expect(whole.ended(first.name)).toMatchObject({ outcome: 'changed', cost: { roundTrips: 3 } })
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

/** Notes in `heard` when output comes. */
function listening(connect: Connect): Connect {
  return async (host, settings, signal) => {
    const connection = await connect(host, settings, signal)
    return {
      execRoot: async (command, start) => {
        const channel = await connection.execRoot(command, start)
        const read = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
          for await (const chunk of channel.stdout) {
            heard.push((heard.at(-1) ?? 0) + chunk.length)
            yield chunk
          }
        }
        return {
          stdout: read(),
          exited: channel.exited,
          get bytesSent() {
            return channel.bytesSent
          },
          get bytesReceived() {
            return channel.bytesReceived
          },
          stderrTail: () => channel.stderrTail(),
          write: (bytes) => channel.write(bytes),
          end: () => {
            channel.end()
          },
          [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
        }
      },
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    }
  }
}

const prepare = `
  cat >/etc/systemd/system/counted.service <<'END'
[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'echo started >>/root/starts'
ExecStart=/usr/bin/sleep infinity
END
  systemctl daemon-reload
  systemctl start counted
  mkdir -p /srv/top/own`

/** Before a run: an old file to replace, another to mend, and nothing of what the run makes. */
const reset = `
  find /srv/top -mindepth 1 ! -path /srv/top/own -delete
  chown daemon:daemon /srv/top/own
  chmod 0750 /srv/top/own
  echo old >/srv/top/config; chmod 0640 /srv/top/config
  groupdel cut 2>/dev/null || :
  rm -rf /run/kmsfleet /srv/nap-*
  : >/root/starts`

/** Final path to mode and size, once it is there. */
const final: Readonly<Record<string, readonly [number, number?]>> = {
  dir: [0o2750],
  big: [0o644, 60_000],
  config: [0o600, 4000],
  'own/token': [0o640, 5000],
  current: [0o777],
  gid: [0o644],
}
const oldConfig = [0o640, 4] as const

/** The news of a cut needs a moment to reach the host: without naps it would be through before. */
const nap = (index: number): object => ({
  command: {
    argv: ['/bin/sh', '-c', `sleep 0.1; : >/srv/nap-${String(index)}`],
    creates: `/srv/nap-${String(index)}`,
  },
})

function writePlaybook(): string {
  desk.file('big', 'b'.repeat(60_000))
  const token = desk.file('token', 't'.repeat(5000))
  desk.file('gid.j2', "gid={{ host.group('cut').gid }}\n")
  return desk.playbook({
    secrets: { token: { file: token } },
    tasks: [
      { group: { name: 'cut' } },
      nap(1),
      { directory: { path: '/srv/top/dir', owner: 'root', group: 'cut', mode: '2750' } },
      { copy: { src: 'big', dest: '/srv/top/big', owner: 'root', group: 'root', mode: '0644' } },
      nap(2),
      {
        copy: {
          content: 'c'.repeat(4000),
          dest: '/srv/top/config',
          owner: 'root',
          group: 'root',
          mode: '0600',
        },
        notify: 'restart',
      },
      nap(3),
      {
        copy: {
          content: '{{ token }}',
          dest: '/srv/top/own/token',
          owner: 'root',
          group: 'cut',
          mode: '0640',
        },
      },
      nap(4),
      { link: { path: '/srv/top/current', target: 'dir' } },
      { template: { src: 'gid.j2', dest: '/srv/top/gid', owner: 'root', group: 'root', mode: '0644' } },
    ],
    handlers: [{ name: 'restart', unit: { name: 'counted.service', state: 'restarted' } }],
  })
}

/**
 * Watches the folders of the final paths with inotify, so that no moment is missed: each path may only ever appear by
 * one rename, as what it finally is. A write to it, or a change of its owner or mode, is told as a fault.
 */
function watchFinal(host: LabHost): { end(): Promise<readonly string[]> } {
  const faults: string[] = []
  const top = join(lab.liveRoot(host), 'srv/top')
  const watchers = ['', 'own/'].map((folder) =>
    watch(join(top, folder), (event, name) => {
      const path = `${folder}${name ?? ''}`
      const wanted = final[path]
      if (wanted === undefined) return
      if (event === 'change') faults.push(`${path} was changed in place`)
      const found = stateOf(join(top, path))
      if (found !== undefined && !isFinal(path, found)) faults.push(`${path} was seen as ${found.join(' ')}`)
    }),
  )
  return {
    end: async () => {
      // Events are delivered in order: once that of a last file is here, all are.
      const seen = watchers.map(
        (watcher, index) =>
          new Promise<void>((resolve) => {
            watcher.on('change', (_, name) => {
              if (name === `end-${String(index)}`) resolve()
            })
          }),
      )
      await lab.exec(host, 'touch /srv/top/end-0 /srv/top/own/end-1; rm /srv/top/end-0 /srv/top/own/end-1')
      await Promise.all(seen)
      for (const watcher of watchers) watcher.close()
      return faults
    },
  }
}

function stateOf(path: string): readonly [number, number] | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat === undefined ? undefined : [stat.mode & 0o7777, stat.size]
}

function isFinal(path: string, [mode, size]: readonly [number, number]): boolean {
  const [wantedMode, wantedSize] = final[path] ?? []
  return mode === wantedMode && (wantedSize === undefined || size === wantedSize)
}

/** Stages and debts, of which nothing may be left in the end. */
const leftovers =
  'ls -d /srv/.kmsfleet.* /srv/top/.kmsfleet.* /srv/top/own/.kmsfleet.* /run/.kmsfleet.* /run/kmsfleet/owed/* 2>/dev/null || :'

/** Waits until no shell of ours runs on a host any more. */
const settle = 'while pgrep -f "KMSFLEET 1 BEGIN" >/dev/null; do sleep 0.02; done'

async function cutAndFinish(host: LabHost, cut: Connect, next: Connect): Promise<void> {
  // No cluster: the others are broken at the same time.
  const options = { limit: host.name, playbook, apart: true } as const
  await lab.exec(host, reset)
  const watched = watchFinal(host)
  const broken = await drive(lab, 'converge', { ...options, connect: cut })
  if (broken.exitCode !== 0) {
    expect(broken.exitCode & 12).not.toBe(0)
    expect(broken.problem(host.name).code).toMatch(/^(transport\.|host\.shell-ended)/)
  }
  // What is there is whole: the old, or the new.
  const top = join(lab.liveRoot(host), 'srv/top')
  for (const path of Object.keys(final)) {
    const found = stateOf(join(top, path))
    if (found === undefined || isFinal(path, found)) continue
    expect([path, ...found]).toEqual(['config', ...oldConfig])
  }
  const made = Object.keys(final).filter((path) => isFinal(path, stateOf(join(top, path)) ?? [0, 0]))
  const configured = made.includes('config')
  const started = (await lab.exec(host, `${settle}; cat /root/starts`)) !== ''
  reached.add(`${made.join(' ')} ${String(started)}`)

  const finished = await drive(lab, 'converge', { ...options, connect: next })
  expect(finished.of('failed')).toEqual([])
  expect(finished.exitCode).toBe(0)
  if (configured && !started) {
    expect(finished.planned(host.name)).toContain('unit-restarted:counted.service restart not done -> done')
  }
  expect(await watched.end()).toEqual([])
  for (const path of Object.keys(final)) {
    const found = stateOf(join(top, path))
    expect(found !== undefined && isFinal(path, found)).toBe(true)
  }
  const [starts = '', left] = (await lab.exec(host, `cat /root/starts; echo --; ${leftovers}`)).split('--\n')
  expect(left).toBe('')
  // Once; twice only where the first was made and its debt not yet struck out.
  expect(starts.split('\n').length - 1).toBeLessThanOrEqual(started ? 2 : 1)
  expect(starts).not.toBe('')
  const last = await drive(lab, 'plan', { ...options, connect: next })
  expect(last.exitCode).toBe(0)
}

/** Does the cases on all hosts of the lab at once, each host one at a time. */
async function onHosts<T>(
  cases: readonly T[],
  work: (host: LabHost, each: T) => Promise<void>,
): Promise<void> {
  const queue = cases.values()
  await Promise.all(
    lab.hosts.map(async (host) => {
      for (const each of queue) {
        try {
          await work(host, each)
        } catch (error) {
          throw new Error(`cut at ${JSON.stringify(each)}`, { cause: error })
        }
      }
    }),
  )
}

test('the watch tells of a file that is written, or changed, where it stands', async () => {
  const [host] = lab.hosts
  if (host === undefined) throw new Error('expected a host, found none')
  await lab.exec(host, reset)
  const watched = watchFinal(host)
  await lab.exec(
    host,
    'echo x >/srv/top/big; : >/srv/top/own/x; mv /srv/top/own/x /srv/top/own/token; chmod 0600 /srv/top/config',
  )
  const faults = await watched.end()
  for (const path of ['big', 'own/token', 'config']) {
    expect(faults.some((fault) => fault.startsWith(`${path} was `))).toBe(true)
  }
})

describe('the connection breaks: the next run finishes, and nothing half made was ever to be seen', () => {
  test(`at ${String(overLocal)} points of a local session`, { timeout: 240_000 }, async () => {
    const { bytesSent } = whole.ended('h1').cost
    const sent = Array.from({ length: 20 }, (_, index) => 1 + Math.floor((bytesSent * (index + 0.5)) / 20))
    // After what the host says of a change it goes on to the next: these are the moments to cut it off at.
    const count = overLocal - sent.length
    const received = Array.from(
      { length: count },
      (_, index) => heard[Math.floor((heard.length * (index + 0.5)) / count)] ?? 1,
    )
    const points: readonly CutPoint[] = [
      ...sent.map((at) => ({ bytesSent: at })),
      ...received.map((at) => ({ bytesReceived: at })),
    ]
    const inside = connectInside(lab)
    await onHosts(points, (host, point) => cutAndFinish(host, cutAfter(inside, point), inside))
    // The points were such that hosts were left at many of their steps.
    expect(reached.size).toBeGreaterThan(4)
  })

  test(`at ${String(overSsh)} points of ssh`, { timeout: 120_000 }, async () => {
    await using connector = createConnector()
    const through =
      (host: LabHost, port: number): Connect =>
      (name, settings, signal) =>
        connector.connect(name, { ...settings, address: '127.0.0.1', port, hostKeys: [host.hostKey] }, signal)
    const [first] = lab.hosts
    if (first === undefined) throw new Error('expected a host, found none')
    await lab.exec(first, reset)
    await using counting = await proxyTo(first)
    const connect = through(first, counting.port)
    await drive(lab, 'converge', { limit: first.name, playbook, apart: true, connect })
    const total = counting.sent()

    await onHosts([0.2, 0.4, 0.6, 0.8, 0.95], async (host, share) => {
      await using proxy = await proxyTo(host, Math.floor(total * share))
      await cutAndFinish(host, through(host, proxy.port), connector.connect)
    })
  })
})
