import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLab, type Lab } from '../lab/lab.ts'
import { drive, openDesk, type Desk, type Drive, type Driven } from './drive.ts'

let lab: Lab
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: Array.from({ length: 3 }, () => ({ variant: 'plain' as const })) })
  await Promise.all(lab.hosts.map((host) => lab.exec(host, 'mkdir -p /srv/data')))
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

/** What a host says. */
async function on(index: number, script: string): Promise<string> {
  const host = lab.hosts[index - 1]
  if (host === undefined) throw new Error(`expected a host h${String(index)}, found none`)
  return lab.exec(host, script)
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(desk.folder, name)), { recursive: true })
    writeFileSync(join(desk.folder, name), text)
  }
}

const log = (word: string): string =>
  `command: {argv: [sh, -c, 'echo ${word} >>/srv/data/log'], always: true}`
const file = (name: string, content = name): string =>
  `copy: {dest: "/srv/data/${name}", content: "${content}", owner: root, group: root, mode: "0644"}`

const converge = (playbook: string, options: Drive = {}): Promise<Driven> =>
  drive(lab, 'converge', { playbook: join(desk.folder, playbook), ...options })
const resources = (run: Driven, host: string): readonly string[] =>
  run.done(host).map((key) => key.replace(/@.*/, ''))

test('blocks, imports, roles with parameters, sections, topics and flushes, in their order', async () => {
  write({
    'order.yml': `- hosts: h1
  vars: {level: play}
  pre_tasks:
    - ${file('pre')}
      notify: changed
  roles:
    - {role: part, vars: {word: one}}
  tasks:
    - import_role: {name: part}
      vars: {word: two}
    - when: [level == 'block', inventory_hostname == 'h1']
      vars: {level: block}
      notify: [changed]
      block:
        - ${file('block', '{{ level }}')}
        - ${file('never')}
          when: false
    - meta: flush_handlers
    - import_tasks: more/tasks.yml
      vars: {from: import}
  post_tasks:
    - ${file('post')}
      notify: tell
  handlers:
    - {name: tell, listen: changed, ${log('tell')}}
    - {name: say, listen: changed, ${log('say')}}
`,
    'more/tasks.yml': `- ${file('imported', '{{ from }}')}\n`,
    'roles/part/meta/main.yml': 'dependencies: [base]\n',
    'roles/part/tasks/main.yml': `- ${file('part-{{ word }}', '{{ word }} {{ size }}')}\n  notify: part\n`,
    'roles/part/defaults/main.yml': 'size: small\n',
    'roles/part/handlers/main.yml': `- {name: part, ${log('part-{{ word }}')}}\n`,
    'roles/base/tasks/main.yml': `- ${file('base')}\n`,
  })
  const run = await converge('order.yml')
  expect(run.of('failed')).toEqual([])
  expect(run.done('h1')).toEqual([
    'file:/srv/data/pre@play/pre/1',
    'command:play/handler/1~1@play/handler/1~1',
    'command:play/handler/2~1@play/handler/2~1',
    'file:/srv/data/base@base/1',
    'file:/srv/data/part-one@part/1',
    'file:/srv/data/part-two@part#2/1',
    'file:/srv/data/block@play/2/1',
    'command:part/handler/1~2@part/handler/1~2',
    'command:part.2/handler/1~2@part.2/handler/1~2',
    'command:play/handler/1~2@play/handler/1~2',
    'command:play/handler/2~2@play/handler/2~2',
    'file:/srv/data/imported@play/4/1',
    'file:/srv/data/post@play/post/1',
    'command:play/handler/1@play/handler/1',
  ])
  expect((await on(1, 'cat /srv/data/log')).trim().split('\n').join(' ')).toBe(
    'tell say part-one part-two tell say tell',
  )
  const made = ['base', 'block', 'imported', 'log', 'part-one', 'part-two', 'post', 'pre']
  expect((await on(1, 'ls /srv/data')).trim().split('\n')).toEqual(made)
  const texts = await on(1, 'cd /srv/data; for f in part-one part-two block imported; do cat $f; echo; done')
  expect(texts.trim().split('\n')).toEqual(['one small', 'two small', 'block', 'import'])
  expect(run.ended('h1').cost.roundTrips).toBe(2)
  const again = await converge('order.yml')
  expect(again.ended('h1')).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
})

test('a run that is cut before a flush still owes, and the next one pays at that flush', async () => {
  write({
    'cut.yml': `- hosts: h2
  tasks:
    - ${file('cut-one')}
      notify: told
    - command: {argv: [sh, -c, 'sleep 1; echo >/srv/data/slept'], creates: /srv/data/slept}
    - meta: flush_handlers
    - ${file('cut-two')}
  handlers:
    - {name: told, ${log('told')}}
`,
  })
  const dropped = new AbortController()
  const first = await converge('cut.yml', {
    abort: dropped.signal,
    onEvent: (event) => {
      if (event.type === 'acting' && event.change.startsWith('command:play/2')) dropped.abort()
    },
  })
  expect(first.ended('h2').outcome).toBe('stopped')
  await on(2, 'while pgrep -f "KMSFLEET 1 BEGIN" >/dev/null; do sleep 0.05; done')
  expect(await on(2, 'ls /run/kmsfleet/owed; ls /srv/data')).toBe('cut.h2.told\ncut-one\nslept\n')
  const second = await converge('cut.yml')
  expect(second.done('h2')).toEqual([
    'command:play/handler/1~1@play/handler/1~1',
    'file:/srv/data/cut-two@play/4',
  ])
  expect(await on(2, 'cat /srv/data/log; ls /run/kmsfleet/owed')).toBe('told\n')
})

test('until runs a command again until what it says is right, or gives up', async () => {
  write({
    'until.yml': `- hosts: h1
  tasks:
    - name: counts
      command: {argv: [sh, -c, 'echo x >>/srv/data/tries; wc -l </srv/data/tries; exit 3'], always: true}
      register: count
      until: [count.rc == 3, count.stdout | trim | int >= wanted]
      retries: 2
      delay: 0.1
    - ${file('counted', '{{ count.stdout | trim }}')}
`,
  })
  const run = await converge('until.yml', { extraVars: { wanted: 3 } })
  expect(run.of('failed')).toEqual([])
  expect(resources(run, 'h1')).toEqual([
    ...Array.from({ length: 3 }, () => 'command:play/1'),
    'file:/srv/data/counted',
  ])
  expect(run.ended('h1')).toMatchObject({ outcome: 'changed', changed: 2, cost: { roundTrips: 5 } })
  expect(await on(1, 'cat /srv/data/counted')).toBe('3')

  const failed = await converge('until.yml', { extraVars: { wanted: 99 } })
  expect(failed.problem('h1').message).toMatch(/within 3 runs, found exit status 3; output: 6/)
  expect(await on(1, 'cat /srv/data/counted; wc -l </srv/data/tries')).toBe('36\n')
})

test('until and a guard: a run that did not do its part is repeated, one that did it wrongly is no success', async () => {
  const book = (name: string, script: string): void => {
    write({
      [`${name}.yml`]: `- hosts: h1
  tasks:
    - command: {argv: [sh, -c, '${script}'], creates: /srv/data/${name}}
      register: made
      until: made.rc == 0
      retries: 2
      delay: 0.1
    - ${file(`after-${name}`)}
`,
    })
  }
  book('second', 'cd /srv/data; mkdir begun && exit 3; touch second')
  const second = await converge('second.yml')
  expect(second.of('failed')).toEqual([])
  expect(resources(second, 'h1')).toEqual(['command:play/1', 'command:play/1', 'file:/srv/data/after-second'])
  expect(await on(1, 'ls /srv/data/second')).toBe('/srv/data/second\n')

  book('half', 'touch /srv/data/half; echo half of it; exit 3')
  const half = await converge('half.yml')
  expect(half.problem('h1').message).toMatch(/made.rc == 0.*exit status 3; output: half of it/)
  expect(await on(1, 'ls /srv/data/half /srv/data/after-half 2>/dev/null || :')).toBe('/srv/data/half\n')
})

test('run_once acts on the first host of each batch, before the others of it begin', async () => {
  write({
    'once.yml': `- hosts: all
  serial: [2, 1]
  tasks:
    - ${file('once')}
      run_once: true
    - ${file('each')}
`,
  })
  const run = await converge('once.yml')
  const made = run.events.flatMap((event) =>
    event.type === 'done' ? [`${event.host} ${event.change.replace(/@.*/, '')}`] : [],
  )
  expect(made).toEqual([
    'h1 file:/srv/data/once',
    'h1 file:/srv/data/each',
    'h2 file:/srv/data/each',
    'h3 file:/srv/data/once',
    'h3 file:/srv/data/each',
  ])

  await on(1, 'rm /srv/data/each; mkdir /srv/data/each')
  const failed = await converge('once.yml')
  expect(failed.ended('h1').outcome).toBe('failed')
  expect(failed.of('host-ended', 'h2').map(({ outcome }) => outcome)).toEqual(['not-run'])
})

test('throttle lets so many hosts at a task at once', async () => {
  write({
    'throttle.yml': `- hosts: all
  tasks:
    - {command: {argv: [sleep, '0.2'], always: true}, throttle: 1}
`,
  })
  let at = 0
  let most = 0
  const run = await converge('throttle.yml', {
    onEvent: (event) => {
      if (event.type === 'acting') most = Math.max(most, (at += 1))
      if (event.type === 'done') at -= 1
    },
  })
  expect(run.exitCode).toBe(0)
  expect(run.of('done')).toHaveLength(3)
  expect(run.of('waiting')).not.toEqual([])
  expect(most).toBe(1)
})

test('tags choose tasks, and handlers are run whatever their tags', async () => {
  write({
    'tags.yml': `- hosts: h3
  tasks:
    - {${file('tag-a')}, tags: a, notify: tagged}
    - {${file('tag-b')}, tags: b}
    - {${file('tag-always')}, tags: always}
    - {${file('tag-never')}, tags: [never, a]}
  handlers: [{name: tagged, ${log('tagged')}, tags: b}]
`,
  })
  const run = await converge('tags.yml', { tags: ['a'], skipTags: ['never'] })
  expect(resources(run, 'h3')).toEqual([
    'file:/srv/data/tag-a',
    'file:/srv/data/tag-always',
    'command:play/handler/1',
  ])
})
