import * as z from 'zod'
import { assertResource } from '../../resources/check/assert.ts'
import { defineModule } from '../define.ts'

const Expression = z.string('expected a Jinja2 expression').min(1, 'expected a Jinja2 expression')

export const assert = defineModule({
  name: 'assert',
  summary: 'Expressions that must hold',
  description: `Each element of \`that\` is a bare Jinja2 expression, as in \`when\`. Where one does not hold, nothing is
changed on the host; one that hangs on an earlier change is judged after it.`,
  args: z.strictObject({
    that: z.array(Expression).min(1),
    message: z.string().optional().describe('What to say where one does not hold'),
  }),
  examples: [
    `- name: Three hosts at least
  assert:
    that:
      - 2 + 1 >= 3
    message: the control plane needs three hosts`,
  ],
  mayBeUnknown: [],
  resources: ({ that, message }, context) => [
    assertResource(
      context.task.id,
      that.map((expression) => ({ expression, holds: context.condition(expression) })),
      message,
    ),
  ],
})
