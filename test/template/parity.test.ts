import { createRequire } from 'node:module'
import type { Environment } from 'minijinja-js'
import { expect, test } from 'vitest'
import { known } from '../../src/model/value.ts'
import { createTemplateEngine } from '../../src/template/create.ts'

/**
 * Uses of variables are cut out of a template before the engine sees it. Where no variable is unknown, secret or
 * undefined, nobody may notice: the bare engine gives the same text.
 */
const { Environment: Bare } = createRequire(import.meta.url)('minijinja-js') as {
  Environment: new () => Environment
}
const bare = new Bare()
bare.undefinedBehavior = 'strict'
bare.trimBlocks = true
bare.keepTrailingNewline = true
bare.enablePyCompat()

const variables = {
  a: 'A',
  b: false,
  n: 3,
  list: ['x', 'y', 'z'],
  d: { k: 'v', n: 2, in: [1, 2] },
  rows: [{ q: 1 }, { q: 2 }],
}
const engine = createTemplateEngine()

test.each([
  '{{ a if b else n }}|{{ a if not b }}',
  '{% for x in list if x != "y" %}{{ loop.index }}{{ x }}{{ a }}{% else %}none{% endfor %}',
  '{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}',
  '{% for row in rows %}{{ row.q + n }}{{ row["q"] }}{% endfor %}',
  '{{ list[1:] }}{{ list[:n] }}{{ list[-1] }}{{ list[n - 1] }}{{ list[0] }}',
  '{{ d["k"] }}{{ d.k }}{{ d[ "k" ] }}{{ d.in }}{{ d . k }}',
  '{{ n is odd }}{{ n is not even }}{{ n is divisibleby(n) }}{{ n is sameas n }}{{ not n is odd }}',
  '{{ a ~ n ~ "a.b{{ n }}" ~ \'}}\' }}',
  '{{ {"a": a, "n": {"a": n}}["n"]["a"] }}{{ [a, n]|join("-") }}',
  '{% set a2 = a %}{% set ns = namespace(c=0) %}{% for x in list %}{% set ns.c = ns.c + n %}{% endfor %}{{ ns.c }}{{ a2 }}',
  '{% set block %}{{ a }}!{% endset %}{{ block }}',
  '{% macro m(x, y=n) %}{{ x }}{{ y }}{{ a }}{% endmacro %}{{ m(1) }}{{ m(a, y=2) }}',
  '{% macro w() %}[{{ caller() }}]{% endmacro %}{% call w() %}{{ a }}{% endcall %}',
  '{% filter upper %}{{ d.k }}a{% endfilter %}',
  '{% with x = a, y = n %}{{ x }}{{ y }}{% endwith %}',
  ' {{- a -}} b {%- if n -%} c {%- endif -%} {{+ n +}}',
  '{% if b %}1{% elif n == 3 and a in ["A"] %}2{% else %}3{% endif %}',
  'x{# {{ a }} {% if %} #}y{% raw %}{{ a }}{% b %}{% endraw %}{{ a }}',
  '{%- raw -%} {{ a }} {%- endraw -%} {{ a }}',
  '{{ a.lower().upper() }}{{ d.items()|list|length }}{{ rows|map(attribute="q")|sum }}',
  '{{ rows|selectattr("q", "eq", 2)|list|length }}{{ list|default([])|length }}{{ (a)|lower }}',
  '{{ 1.5 * n }}{{ 2 ** n }}{{ 7 // n }}{{ 7 % n }}{{ -n }}{{ n == 3.0 }}{{ 1_000 + n }}',
  '{% block body %}{{ a }}{% endblock %}',
  '{{ dict(a=a, n=n).a }}{{ range(n)|list }}',
  '{{ \'\\\'\' ~ a ~ "\\"" }}',
  '{ {{ a }} } { % # }} %}',
  'a\r\n{% if n %}\r\n{{ a }}\r\n{% endif %}\r\n',
  '{{ list | length > 2 and d.k == "v" or nope }}',
])('%s', (template) => {
  const scope = {
    variables: new Map(Object.entries(variables)),
    host: { groupId: () => known(1), userId: () => known(1) },
  }
  const rendered = engine.text(template, scope, { file: 'f', line: 1, column: 1 })
  expect(rendered).toBe(bare.renderStr(template, variables))
})
