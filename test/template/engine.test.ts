import { describe, expect, test } from 'vitest'
import { KmsfleetError } from '../../src/errors/error.ts'
import type { Place } from '../../src/errors/place.ts'
import { HostText, verbatim } from '../../src/model/host-text.ts'
import { Secret } from '../../src/model/secret.ts'
import { UnknownText } from '../../src/model/text.ts'
import { known, unknown, type Value } from '../../src/model/value.ts'
import { createTemplateEngine } from '../../src/template/create.ts'
import type { Scope } from '../../src/template/engine.ts'

const engine = createTemplateEngine()
const place = { file: 'site.yml', line: 10, column: 5 }

const groups: Readonly<Record<string, Value<number>>> = {
  wheel: known(10),
  made: unknown({ after: 'group:made', field: 'gid' }),
}

function scope(variables: Readonly<Record<string, unknown>>): Scope {
  return {
    variables: new Map(Object.entries(variables)),
    host: {
      groupId: (name) => {
        const value = groups[name]
        if (value === undefined) {
          throw new KmsfleetError('template.failed', `expected a group that exists, found \`${name}\``)
        }
        return value
      },
      userId: () => unknown({ after: 'user:u', field: 'uid' }),
    },
  }
}

const token = new Secret('token', Buffer.from('hunter2-hunter2'))

const base = {
  name: 'openbao',
  port: 8200,
  on: true,
  ratio: 1.5,
  nothing: null,
  list: ['a', 'b'],
  users: [{ name: 'x' }, { name: 'y' }],
  config: { path: '/etc/{{ name }}', mode: '0640', deep: { 'key-with-dash': 7 } },
  path: '{{ config.path }}/x',
  twice: '{{ path }}-{{ port }}',
  typed: '{{ port + 1 }}',
  yes: '{{ port == 8200 }}',
  token,
  creds: { user: 'u', password: token },
  indirect: '{{ token }}',
  host_says: new HostText('{{ name }} {% boom'),
  result: verbatim({ stdout: '{{ name }}', rc: 0 }),
  gid: "{{ host.group('made').gid }}",
  broken: '{{ no_such_thing }}',
  map: new Map([['k', 'v {{ name }}']]),
}

function text(template: string): unknown {
  return engine.text(template, scope(base), place)
}

function errorOf(work: () => unknown): {
  code: string
  message: string
  at: string
  hint: string | undefined
} {
  try {
    work()
  } catch (error) {
    if (!(error instanceof KmsfleetError)) throw error
    const { code, message, hint } = error
    return { code, message, at: `${String(error.place?.line)}:${String(error.place?.column)}`, hint }
  }
  throw new Error('expected an error')
}

describe('text', () => {
  test.each([
    ['no template', 'no template'],
    ['brace { and } and }}', 'brace { and } and }}'],
    ['{{ name }}', 'openbao'],
    ['{{name}}/{{ port }}', 'openbao/8200'],
    ['{{ config.path }}', '/etc/openbao'],
    ["{{ config['deep']['key-with-dash'] }}", '7'],
    ['{{ list[1] }}{{ list.0 }}', 'ba'],
    ['{{ list[-1] }}', 'b'],
    ['{{ twice }}', '/etc/openbao/x-8200'],
    ['{{ name | upper }} {{ on }} {{ nothing }} {{ ratio }}', 'OPENBAO true none 1.5'],
    ['{% for u in users %}\n- {{ u.name }}\n{% endfor %}\nend\n', '- x\n- y\nend\n'],
    ['{%- if on -%} x {%- endif %}', 'x'],
    ['a{# {{ nope }} #}b', 'ab'],
    ['{% raw %}{{ nope }}{% endraw %}', '{{ nope }}'],
    ['{{ "}}" }}{{ {"a": {"b": 1}}.a.b }}', '}}1'],
    ['{{ nope | default("d") }}', 'd'],
    ['{{ config.nope | default("d") }}', 'd'],
    ['{{ config.nope.deeper | default("d") }}', 'd'],
    ['{{ "y" if nope is defined else "n" }}', 'n'],
    ['{{ "y" if on else nope }}', 'y'],
    ['{% set port = 1 %}{{ port }}', '1'],
    ['{% set p = port %}{{ p + 1 }}', '8201'],
    ['{% for name in list %}{{ name }}{% endfor %}', 'ab'],
    ['{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}', '12'],
    ['{% with a = name %}{{ a }}{% endwith %}', 'openbao'],
    ['{{ name.split("n")[0] }}', 'ope'],
    ['{% for k, v in config.deep.items() %}{{ k }}={{ v }}{% endfor %}', 'key-with-dash=7'],
    ['{{ config.deep | to_json }}', '{"key-with-dash": 7}'],
    ['{{ "äx" | b64encode }} {{ "/a/b.c" | basename }} {{ "/a/b.c" | dirname }}', 'w6R4 b.c /a'],
    ['{{ "no" | bool }}', 'false'],
    ["{{ host.group('wheel').gid }}", '10'],
    ['{{ host_says }}', '{{ name }} {% boom'],
    ['{{ host_says }}!{{ host_says | upper }}', '{{ name }} {% boom!{{ NAME }} {% BOOM'],
    ['{{ result.stdout }}{{ result.rc }}', '{{ name }}0'],
    ['{{ map.k }}', 'v openbao'],
    ['<&>"{{ name }}"\n', '<&>"openbao"\n'],
  ])('%s', (template, expected) => {
    expect(text(template)).toBe(expected)
  })
})

describe('values keep their type', () => {
  test.each<[unknown, unknown]>([
    ['{{ port }}', 8200],
    ['{{ typed }}', 8201],
    ['{{ on }}', true],
    ['{{ nothing }}', null],
    ['{{ none }}', null],
    ['{{ list }}', ['a', 'b']],
    ['{{ users | map(attribute="name") | list }}', ['x', 'y']],
    ['x{{ port }}', 'x8200'],
    [{ a: ['{{ name }}', 5, null, false] }, { a: ['openbao', 5, null, false] }],
    ['{{ config }}', { path: '/etc/openbao', mode: '0640', deep: { 'key-with-dash': 7 } }],
    ['{{ result }}', { stdout: '{{ name }}', rc: 0 }],
    ['{{ "08" | int }}', 8],
  ])('%j', (tree, expected) => {
    const rendered = engine.value(tree, scope(base), place)
    expect(JSON.parse(JSON.stringify(rendered))).toEqual(expected)
  })

  test('dictionaries have no prototype', () => {
    expect(Object.getPrototypeOf(engine.value({ a: 1 }, scope({}), place))).toBe(null)
    expect(Object.getPrototypeOf(engine.value('{{ {"a": 1} }}', scope({}), place))).toBe(null)
  })

  test('a dictionary with a dangerous key is refused', () => {
    expect(errorOf(() => engine.value('{{ {"__proto__": 1} }}', scope({}), place)).message).toContain(
      '__proto__',
    )
  })
})

describe('conditions', () => {
  test.each([
    ['on', true],
    ['not on', false],
    ['port > 8000 and name == "openbao"', true],
    ['yes', true],
    ['nope is not defined', true],
    ['nope is defined and nope > 1', false],
    ['"a" in list', true],
    ['config.nope is undefined', true],
  ])('%s', (expression, expected) => {
    expect(engine.condition(expression, scope(base), place)).toBe(expected)
  })

  test.each([
    ['name', 'template.condition', 'the string "openbao"'],
    ['list', 'template.condition', 'a list'],
    ['{{ on }}', 'template.condition', 'bare expression'],
    ['not nope', 'template.undefined', '`nope`'],
    ['nope == 1', 'template.undefined', '`nope`'],
    ['not config.nope', 'template.undefined', '`config.nope`'],
    ['token == "x"', 'template.secret', '`token`'],
    ['token', 'template.secret', '`token`'],
    ['port >', 'template.syntax', 'expected'],
  ])('%s is refused', (expression, code, part) => {
    const error = errorOf(() => engine.condition(expression, scope(base), place))
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(part)
  })

  test('an unknown leaves it undecided', () => {
    const result = engine.condition("host.group('made').gid > 5", scope(base), place)
    expect(result).toEqual(new UnknownText([{ after: 'group:made', field: 'gid' }]))
  })
})

describe('unknown values', () => {
  test.each([
    ["{{ host.group('made').gid }}"],
    ["a {{ host.group('made').gid }} b {{ host.group('made').gid | int + 1 }}"],
    ['{{ gid }}'],
    ['{{ gid }}/{{ name }}'],
    ['{{ gid | upper | b64encode }}'],
    ['{% for x in gid %}{{ x }}{% endfor %}'],
  ])('%s', (template) => {
    expect(text(template)).toEqual(new UnknownText([{ after: 'group:made', field: 'gid' }]))
  })

  test('an undefined variable beside an unknown one is an error all the same', () => {
    expect(errorOf(() => text('{{ gid }}{{ nope }}')).code).toBe('template.undefined')
  })

  test('what the host lookups throw comes through', () => {
    expect(errorOf(() => text("{{ host.group('none').gid }}")).message).toContain('`none`')
  })
})

describe('secrets', () => {
  test.each([['{{ token }}'], ['  {{token}}\n'], ['{{ indirect }}'], ['{{ creds.password }}']])(
    '%s',
    (template) => {
      expect(text(template)).toBe(token)
      expect(engine.value(template, scope(base), place)).toBe(token)
    },
  )

  test.each([
    ['a{{ token }}'],
    ['{{ token | upper }}'],
    ['{{ token ~ "" }}'],
    ['{{ indirect }}x'],
    ['{% if token %}{% endif %}'],
    ['{{ creds | to_json }}'],
    ['{% for k in creds %}{% endfor %}'],
    ['{{ token.x }}'],
    ['{% set token = token %}{{ token }}'],
    ['{{ [token] }}'],
    ['{{ token | default("") }}'],
  ])('%s is refused', (template) => {
    const error = errorOf(() => text(template))
    expect(error.code).toBe('template.secret')
    expect(error.message).not.toContain('hunter2')
  })

  test('a branch that is not taken does not touch it', () => {
    expect(text('{% if not on %}{{ token }}{% endif %}{{ creds.user }}')).toBe('u')
  })
})

describe('errors', () => {
  test.each([
    ['{{ nme }}', 'template.undefined', '10:8', 'did you mean `name`?'],
    ['a\n  {{ port }} {{ nme }}', 'template.undefined', '11:17', 'did you mean `name`?'],
    ['{{ config.pth }}', 'template.undefined', '10:8', 'did you mean `path`?'],
    ['{{ broken }}', 'template.undefined', '10:5', undefined],
    ['{{ lookup("file", "x") }}', 'template.undefined', '10:8', 'functions are'],
    ['a\nb {{ 1 | }}', 'template.syntax', '11:1', undefined],
    ['{{ name', 'template.syntax', '10:5', undefined],
    ['{{ name | combine(1) }}', 'template.failed', '10:5', 'whole dictionary'],
    [
      '{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}',
      'template.limit',
      '10:5',
      undefined,
    ],
    ['{{ "x" * 2000000 }}', 'template.limit', '10:5', undefined],
    ['{{ "maybe" | bool }}', 'template.failed', '10:5', undefined],
    ['{% include "/etc/passwd" %}', 'template.failed', '10:5', undefined],
  ])('%s', (template, code, at, hint) => {
    const error = errorOf(() => text(template))
    expect(error).toMatchObject({ code, at })
    if (hint !== undefined) expect(error.hint).toContain(hint)
    expect(error.message).not.toContain('__kmsfleet')
  })

  test('the variable that leads to an undefined one is named', () => {
    expect(errorOf(() => text('{{ broken }}')).message).toContain('`no_such_thing` in the variable `broken`')
  })

  test.each([
    [{ a: '{{ b }}', b: '{{ a }}' }, 'a → b → a'],
    [{ a: '{{ b.x | upper }}', b: { x: '{{ a ~ 1 }}' } }, 'a → b.x → a'],
    [{ a: '{{ a }}' }, 'a → a'],
  ])('a cycle is named: %j', (variables, chain) => {
    const error = errorOf(() => engine.text('{{ a }}', scope(variables), place))
    expect(error).toMatchObject({ code: 'template.cycle' })
    expect(error.message).toContain(chain)
  })

  test('parts of one dictionary may use each other', () => {
    expect(engine.text('{{ a.x }}', scope({ a: { x: '{{ a.y }}', y: 'z' } }), place)).toBe('z')
  })

  test('a long chain ends in an error', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`v${String(i)}`, `{{ v${String(i + 1)} ~ "" }}`]),
    )
    expect(errorOf(() => engine.text('{{ v0 }}', scope({ ...chain, v30: 'x' }), place)).code).toBe(
      'template.cycle',
    )
    expect(engine.text('{{ v15 }}', scope({ ...chain, v30: 'x' }), place)).toBe('x')
  })

  test('a text that doubles itself ends before it takes the memory of the machine', () => {
    const doubling = '{% set ns.s = ns.s ~ ns.s %}'.repeat(40)
    const before = process.memoryUsage().rss
    expect(errorOf(() => text(`{% set ns = namespace(s="x" * 1000000) %}${doubling}`)).code).toBe(
      'template.limit',
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1024 * 1024)
    expect(text('{{ name | upper }}')).toBe('OPENBAO')
  })

  test.each([
    [{ a: 'x', b: '{{ nope }}' }, 'b'],
    [{ a: { 'b.c': ['x', 'y {{ 1 + nope }}'] } }, 'a b.c 1'],
    ['{{ nope }}', ''],
  ])('the place is that of the string itself: %j', (tree, path) => {
    const lines = new Map([
      ['b', 3],
      ['a b.c 1', 7],
      ['', 1],
    ])
    const placeOf = (at: readonly PropertyKey[]): Place => ({
      file: 'f',
      line: lines.get(at.map(String).join(' ')) ?? 99,
      column: 1,
    })
    expect(errorOf(() => engine.value(tree, scope({}), placeOf)).at).toMatch(
      new RegExp(`^${String(lines.get(path))}:`),
    )
  })

  test('the engine goes on after it broke', () => {
    expect(errorOf(() => text('{{ "x" * 4294967295 }}')).code).toBe('template.limit')
    expect(text('{{ name | upper }}')).toBe('OPENBAO')
  })
})
