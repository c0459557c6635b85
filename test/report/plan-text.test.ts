import { describe, expect, test } from 'vitest'
import type { Plan } from '../../src/model/plan.ts'
import { known } from '../../src/model/value.ts'
import { fleetPlanLines, planRecap, type PlanTextOptions } from '../../src/report/plan-text.ts'
import { viewOfPlan } from '../../src/report/view.ts'
import { change, check, differs, planOf, refused, socketGid, text, textOf, undecided } from './fixtures.ts'

function shown(plans: readonly Plan[], options: Partial<PlanTextOptions> = {}): string {
  const views = plans.map((plan) => ({ host: plan.host, plan: viewOfPlan(plan) }))
  return textOf(fleetPlanLines(views, { diff: false, verbose: false, ...options }))
}

const group = change('group:kms', [differs('state', 'absent', 'group'), differs('gid', 'absent', '990')])
const directory = change('directory:/run/kms', [
  differs('mode', '0755', '2750'),
  differs('owner', 'root', 'kms'),
])

describe('a plan as text', () => {
  test('a change is a line, each difference is one below it, in columns', () => {
    expect(shown([planOf('h1', [[group, directory]], { unchanged: 3 })])).toBe(text`
      h1: 2 changes; 3 unchanged
        + group:kms  A task
            state  absent → group
            gid    absent → 990
        ~ directory:/run/kms  A task
            mode   0755 → 2750
            owner  root → kms

    `)
  })

  test('hosts with the same items stand together, those without any first', () => {
    const hosts = Array.from({ length: 58 }, (_, index) => `h${String(index + 1)}`)
    const plans = [
      ...hosts.map((host) => planOf(host, [[directory]], { unchanged: 26 })),
      planOf('h59', [], { unchanged: 27 }),
      planOf('h60', [[change('directory:/run/kms', [differs('mode', '0700', '2750')])]], { unchanged: 26 }),
    ]
    expect(shown(plans)).toBe(text`
      h59: nothing to change, 27 unchanged

      h1–h58 (58 hosts): the same 1 change; 26 unchanged
        ~ directory:/run/kms  A task
            mode   0755 → 2750
            owner  root → kms

      h60: 1 change; 26 unchanged
        ~ directory:/run/kms  A task
            mode  0700 → 2750

    `)
  })

  test('hosts that differ only in the digests of contents stand together, and it says so', () => {
    const own = (host: string, digest: string): Plan =>
      planOf(host, [
        [
          change('file:/etc/kms', [
            differs('content', 'absent', `sha256:${digest}`),
            differs('mode', 'absent', '0640'),
          ]),
        ],
      ])
    expect(shown([own('h1', 'aa'), own('h2', 'bb'), own('h3', 'cc')])).toBe(text`
      h1–h3 (3 hosts): the same 1 change; 0 unchanged
        + file:/etc/kms  A task
            content  absent → sha256:… (each host its own)
            mode     absent → 0640

    `)
    expect(shown([own('h1', 'aa'), own('h2', 'aa')])).toContain('absent → sha256:aa')
  })

  test('what is not known yet says what it waits for, and so does a stage', () => {
    const unit = change('unit:kms.service', [differs('state', 'inactive', 'started')], { disruptive: true })
    const made = change('group:openbao-kms-socket', [differs('gid', 'absent', socketGid)])
    const config = change('file:/etc/kms', [differs('content', 'absent', socketGid)], { provisional: true })
    expect(shown([planOf('h1', [[made], [config, unit]])])).toBe(text`
      h1: 3 changes; 0 unchanged
        + group:openbao-kms-socket  A task
            gid  absent → (known once it is made)
        ── after the gid of group:openbao-kms-socket is known:
        + file:/etc/kms  A task
            content  absent → (known after group:openbao-kms-socket gives its gid)
        ~ unit:kms.service  A task  (interrupts a service)
            state  inactive → started

    `)
  })

  test('removals, checks, undecided and refused items', () => {
    const plan = planOf('h1', [
      [
        change('absent:/etc/old', [differs('state', 'file', 'absent')]),
        check('reach:/run/kms/kms.sock', 'unmet', [differs('answer', 'no', 'yes')]),
        check('http:http://127.0.0.1:1/ready', 'pending'),
        undecided('condition', [socketGid, socketGid]),
        refused('file:/usr/bin/x', 'expected a file, found a directory', 'Move it away.'),
      ],
    ])
    expect(shown([plan])).toBe(text`
      h1: 1 change, 2 checks, 1 undecided, 1 refused; 0 unchanged
        - absent:/etc/old  A task
            state  file → absent
        ! reach:/run/kms/kms.sock  Wait  (not met now)
            answer  no → yes
        ? http:http://127.0.0.1:1/ready  Wait  (checked after the changes before it)
        ? it is not known yet whether this task applies  Maybe
            decided when the gid of group:openbao-kms-socket is known
        x file:/usr/bin/x  Cannot  (refused)
            error[module.conflict]: expected a file, found a directory
              at roles/x/tasks/main.yml:4:3
              hint: Move it away.

    `)
  })

  test('text of a file is shown under --diff only', () => {
    const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].join('\n')
    const difference = {
      ...differs('content', 'sha256:1', 'sha256:2'),
      text: { from: `${before}\n`, to: `${before.replace('d', 'D')}\n` },
    }
    const plan = planOf('h1', [[change('file:/etc/x', [difference, differs('mode', '0600', '0644')])]])
    expect(shown([plan])).not.toContain('@@')
    expect(shown([plan], { diff: true })).toBe(text`
      h1: 1 change; 0 unchanged
        ~ file:/etc/x  A task
            content  sha256:1 → sha256:2
              @@ -1,7 +1,7 @@
               a
               b
               c
              -d
              +D
               e
               f
               g
            mode     0600 → 0644

    `)
  })

  test.each([
    ['a new file', '', 'a\nb\n', '@@ -0,0 +1,2 @@'],
    ['a file that goes', 'a\n', '', '@@ -1 +0,0 @@'],
    ['one line', 'a\n', 'b\n', '@@ -1 +1 @@'],
  ])('the range of %s reads as that of diff', (_name, from, to, header) => {
    const difference = { ...differs('content', '1', '2'), text: { from, to } }
    expect(shown([planOf('h1', [[change('file:/x', [difference])]])], { diff: true })).toContain(
      `        ${header}\n`,
    )
  })

  test('a file that ends without a newline says so, and a huge diff is cut', () => {
    const lines = Array.from({ length: 900 }, (_, index) => `line ${String(index)}\n`).join('')
    const difference = { ...differs('content', '1', '2'), text: { from: 'x', to: lines } }
    const shownDiff = shown([planOf('h1', [[change('file:/x', [difference])]])], { diff: true })
    expect(shownDiff).toContain('\\ No newline at end of file')
    expect(shownDiff).toContain('… 503 more lines of this diff')
    expect(shownDiff.split('\n').length).toBeLessThan(420)
  })

  test('content that was not compared is said', () => {
    expect(shown([planOf('h1', [], { unchanged: 2, notCompared: ['/etc/kms/identity.jwt'] })])).toBe(text`
      h1: nothing to change, 2 unchanged
        /etc/kms/identity.jwt: content not compared, since no secret source was opened

    `)
  })

  test('places are shown under -v', () => {
    expect(shown([planOf('h1', [[directory]])], { verbose: true })).toContain(
      '  ~ directory:/run/kms  A task\n      roles/x/tasks/main.yml:1:3\n',
    )
  })

  test('text of hosts is escaped, shortened and never a command', () => {
    const hostile = change('file:/x', [
      differs('target', '\u001b[2J::error::', 'ok'),
      differs('owner', 'x'.repeat(1000), ''),
    ])
    const out = shown([planOf('h1', [[hostile]])])
    expect(out).toContain('target  \\x1b[2J::error:: → ok')
    expect(out).toContain(`owner   ${'x'.repeat(300)}… (700 more characters) → ""`)
    expect(out).not.toContain('\u001b')
  })
})

test('the recap adds up hosts and items', () => {
  const plans = [
    planOf('h1', [[group, directory]], { unchanged: 1 }),
    planOf('h2', [[group, check('x:y', 'pending')], [refused('a:b', 'm', 'h')]], { unchanged: 2 }),
    planOf('h3', [[undecided('loop', [socketGid])]]),
  ]
  const views = plans.map((plan) => ({ host: plan.host, plan: viewOfPlan(plan) }))
  expect(textOf([planRecap(views)])).toBe(
    '3 hosts: 3 to change, 3 unchanged, 1 to check, 1 undecided, 1 refused\n',
  )
})

test('a view of a plan holds no operation, and so no payload byte', () => {
  const difference = { attribute: 'content', from: known('absent'), to: known('sha256:[sealed]') }
  const write = change('file:/x', [difference], { ops: [{ op: 'daemon-reload' }], effects: [] })
  expect(JSON.stringify(viewOfPlan(planOf('h1', [[write]])))).not.toMatch(/daemon-reload|ops|effects/)
})
