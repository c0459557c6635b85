import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMemory } from '../../src/converge/memory.ts'
import { openSecrets, playSecrets } from '../../src/converge/secrets.ts'
import { hostsOfPlay } from '../../src/converge/selection.ts'
import type { RunRequest } from '../../src/converge/request.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { folderWith } from '../document/problems.ts'
import { KmsfleetError, KmsfleetErrors } from '../../src/errors/error.ts'

/** Reads the secrets of a play on three hosts of two clusters; gives their texts by host and name. */
async function open(
  secrets: string,
  files: Readonly<Record<string, string>> = {},
  command: RunRequest['command'] = 'converge',
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const folder = folderWith({
    'hosts.yml': `all: {hosts: {a1: {cluster: a, own: mine}, a2: {cluster: a}, b1: {cluster: b}}, vars: {own: '', word: w}}`,
    'play.yml': `- hosts: all\n  secrets:\n    ${secrets.trim().replaceAll('\n', '\n    ')}\n  tasks: []\n`,
  })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  const request: RunRequest = {
    command,
    playbook: loadPlaybook(join(folder, 'play.yml'), { modules: new Set() }),
    inventory: loadInventory(join(folder, 'hosts.yml')),
    tags: [],
    extraVars: new Map(),
    concurrency: 1,
    diff: false,
    connect: () => Promise.reject(new Error('no host is contacted')),
    emit: () => undefined,
    stop: new AbortController().signal,
    abort: new AbortController().signal,
    operator: 'test',
    run: 'test',
    sources: { environment: { PATH: process.env['PATH'] }, requireTrust: () => undefined },
  }
  const memory = createMemory()
  await openSecrets(request, memory)
  const [play] = request.playbook.plays
  if (play === undefined) throw new Error('no play')
  const read = playSecrets(request, play, hostsOfPlay(request, play), memory)
  return Object.fromEntries(
    [...read].map(([host, own]) => [
      host,
      Object.fromEntries([...own].map(([name, secret]) => [name, Buffer.from(secret.reveal()).toString()])),
    ]),
  )
}

async function refusal(secrets: string): Promise<string> {
  try {
    await open(secrets)
  } catch (error) {
    const [first] = error instanceof KmsfleetErrors ? error.errors : [error]
    if (!(first instanceof KmsfleetError)) throw error
    return `${String(first.place?.line)} ${first.code} ${first.message}`
  }
  return ''
}

describe('a secret of a play', () => {
  test('is read once for the hosts that share it, and for each whose name is in it', async () => {
    const secrets = await open(
      `shared: {exec: {argv: [/bin/sh, -c, 'echo run >> log; wc -l < log']}}
per_cluster: {exec: {argv: [/bin/sh, -c, 'echo run >> "log-$1"; echo "$1 $(wc -l < "log-$1")"', sh, '{{ cluster }}']}}
own: {file: '{{ inventory_hostname }}.key'}`,
      { 'a1.key': 'one', 'a2.key': 'two', 'b1.key': 'three' },
    )
    expect(secrets).toEqual({
      a1: { shared: '1', per_cluster: 'a 1', own: 'one' },
      a2: { shared: '1', per_cluster: 'a 1', own: 'two' },
      b1: { shared: '1', per_cluster: 'b 1', own: 'three' },
    })
  })

  test('is not there for a host where its path is empty', async () => {
    const secrets = await open("x: {file: '{{ own }}'}", { mine: 'mine' })
    expect(secrets).toEqual({ a1: { x: 'mine' }, a2: {}, b1: {} })
  })

  test('is not opened by a run that only plans', async () => {
    expect(await open("x: {file: 'not there'}", {}, 'plan')).toEqual({
      a1: { x: '' },
      a2: { x: '' },
      b1: { x: '' },
    })
  })

  test.each([
    [
      "x: {openbao: {mount: kv, path: '../sys', field: f}}",
      '3 playbook.invalid expected a path of plain parts',
    ],
    [
      "x: {openbao: {mount: kv, path: 'a//b', field: f}}",
      '3 playbook.invalid expected a path of plain parts',
    ],
    ["x: {openbao: {mount: '/kv', path: a, field: f}}", '3 playbook.invalid expected a mount of plain parts'],
    [
      "x: {openbao: {mount: kv, path: a, field: f, version: '{{ word }}'}}",
      '3 playbook.invalid expected a version number for the secret, found "w"',
    ],
    [
      'x: {file: "{{ host.group(\'g\').gid }}"}',
      "playbook.source expected text made of the operator's own variables",
    ],
    [
      "x: {exec: {argv: ['/bin/echo', \"{{ host.user('u').uid }}\"]}}",
      "playbook.source expected text made of the operator's own variables",
    ],
    [
      "x: {openbao: {mount: kv, path: a, field: f, address: 'https://{{ word }}'}}",
      '3 playbook.invalid expected plain text',
    ],
    ["x: {openbao: {mount: kv, path: a, field: f, ca_file: '{{ word }}'}}", 'expected plain text'],
    ["x: {openbao: {mount: kv, path: a, field: f, server_name: '{{ word }}'}}", 'expected plain text'],
    ["x: {exec: {argv: ['{{ word }}']}}", '3 playbook.invalid expected a plain program first'],
  ])('%s is refused', async (secrets, expected) => {
    expect(await refusal(secrets)).toContain(expected)
  })
})
