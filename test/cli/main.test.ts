import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { kmsfleet, project } from './kmsfleet.ts'

const inventory = `all:
  vars: { cluster: c1 }
  hosts: { h1: { ansible_host: 127.0.0.1, ansible_port: 1 }, h2: { ansible_host: 127.0.0.1, ansible_port: 1 } }
`

const playbook = `- name: Files
  hosts: all
  tasks:
    - name: A folder
      directory: { path: /srv/x, owner: root, group: root, mode: "0750" }
`

const files = project({
  'hosts.yml': inventory,
  'play.yml': playbook,
  'bare-mode.yml': playbook.replace('"0750"', '0750'),
  'typo.yml': playbook.replace('directory:', 'directoy:'),
  'nowhere.yml': playbook.replace('hosts: all', 'hosts: hq'),
})
const state = { KMSFLEET_STATE_DIR: files('state') }

test('--version prints the version of the package', async () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const ended = await kmsfleet(['--version'])
  expect(ended).toEqual({ code: 0, stderr: '', stdout: expect.any(String) as string })
  expect(manifest).toMatchObject({ version: ended.stdout.trim() })
})

describe('help', () => {
  test.each([
    'kmsfleet',
    'validate',
    'ping',
    'trust',
    'trust-project',
    'plan',
    'converge',
    'completion',
    'doc',
    'schema',
  ])('of %s has examples', async (command) => {
    const ended = await kmsfleet(command === 'kmsfleet' ? ['--help'] : [command, '--help'])
    expect(ended.code).toBe(0)
    expect(ended.stderr).toBe('')
    expect(ended.stdout).toMatch(/^Usage: kmsfleet/)
    expect(ended.stdout).toMatch(/\nExamples:\n {2}kmsfleet /)
  })

  test('without a command it is printed too, and is no success', async () => {
    const ended = await kmsfleet([])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^Usage: kmsfleet/)
  })
})

describe('a command line that is not understood exits 1, says why on standard error, and prints no result', () => {
  const inv = ['-i', files('hosts.yml')]
  test.each([
    ['an unknown command', ['plon'], /unknown command 'plon'.*\n.*plan/],
    ['an unknown option', ['plan', 'p.yml', ...inv, '--limt', 'x'], /unknown option '--limt'\n.*--limit/],
    ['no inventory', ['plan', 'p.yml'], /required option '-i, --inventory <file>' not specified/],
    ['no playbook', ['plan', ...inv], /missing required argument 'playbook'/],
    [
      'a format that there is not',
      ['plan', 'p.yml', ...inv, '--format', 'xml'],
      /Allowed choices are text, json, jsonl/,
    ],
    [
      'no hosts at once',
      ['plan', 'p.yml', ...inv, '--forks', '0'],
      /expected a whole number from 1 to 1000, found "0"/,
    ],
    [
      'two ways to the same password',
      ['ping', ...inv, '-K', '--become-password-file', 'x'],
      /cannot be used with/,
    ],
    ['a module that there is not', ['doc', 'directry'], /found "directry"\n.*directory/],
    ['an inventory that there is not', ['ping', '-i', files('nothing.yml')], /error\[inventory\.not-found\]/],
    ['a pattern that matches nothing', ['ping', 'h3', ...inv], /error\[inventory\.pattern\]/],
    [
      'a host to replace that is not chosen',
      ['trust', 'h1', ...inv, '--replace', 'h2'],
      /--replace to name one of the hosts, found h2/,
    ],
    [
      'a question without a terminal',
      ['converge', files('play.yml'), ...inv],
      /expected a terminal to ask on, or --yes/,
    ],
    ['a password without a terminal', ['ping', ...inv, '-K'], /error\[run\.no-terminal\]/],
    [
      'a password file that there is not',
      ['ping', ...inv, '--become-password-file', files('none')],
      /error\[run\.password-file\]/,
    ],
    [
      'a password file open to others',
      ['ping', ...inv, '--become-password-file', files('play.yml')],
      /of mode 06?[46]4|chmod 600/,
    ],
    [
      'a bare mode',
      ['validate', files('bare-mode.yml'), ...inv],
      /quoted octal mode(.|\n)*bare-mode\.yml:5:\d+/,
    ],
    ['a misspelt module', ['validate', files('typo.yml'), ...inv], /typo\.yml:5:\d+(.|\n)*directory/],
    ['hosts that match nothing', ['validate', files('nowhere.yml'), ...inv], /error\[inventory\.pattern\]/],
    ['an unknown tag', ['plan', files('play.yml'), ...inv, '--tags', 'nope'], /nope/],
  ])('%s', async (_name, argv, says) => {
    const ended = await kmsfleet(argv, state)
    expect(ended.stderr).toMatch(says)
    expect(ended.stderr).toMatch(/^error\[/)
    expect(ended.stderr, 'a known error never shows a stack').not.toMatch(/\n +at .*\.ts:\d+/)
    expect(ended).toMatchObject({ code: 1, stdout: '' })
  })
})

test('validate contacts nothing and says what is valid', async () => {
  const ended = await kmsfleet(['validate', files('play.yml'), '-i', files('hosts.yml')])
  expect(ended).toEqual({ code: 0, stderr: '', stdout: 'valid play Files: 1 task on 2 hosts\n' })
})

test('doc lists the modules and explains one from its schema', async () => {
  const list = await kmsfleet(['doc'])
  expect(list.code).toBe(0)
  expect(list.stdout).toMatch(/^directory +\S/m)
  const one = await kmsfleet(['doc', 'directory'])
  expect(one.code).toBe(0)
  expect(one.stdout).toMatch(/^directory: /)
  expect(one.stdout).toMatch(/^ {2}mode {2}text, required\n {6}\S/m)
  expect(one.stdout).toMatch(/^Example\n\n- name: /m)
})

test('hosts that nobody listens on are unreachable: exit 8, one document', async () => {
  const ended = await kmsfleet(
    ['plan', files('play.yml'), '-i', files('hosts.yml'), '--format', 'json', '--connection-timeout', '1'],
    state,
  )
  expect(ended.code).toBe(8)
  expect(JSON.parse(ended.stdout)).toMatchObject({
    format: 'kmsfleet-run/1',
    exitCode: 8,
    hosts: [
      { host: 'h1', outcome: 'unreachable' },
      { host: 'h2', outcome: 'unreachable' },
    ],
  })
})
