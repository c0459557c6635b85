import * as z from 'zod'
import { errorCodes } from '../errors/codes.ts'
import type { RunDocument } from './json.ts'
import type { EventView } from './view.ts'

/*
 * The machine-readable outputs as schemas: for the reference, and for tests that read what was printed. The compiler
 * holds them against the types that the reports write.
 */

const Count = z.int().min(0)

const host = z.string()
const hosts = z.array(z.string())

const Origin = z
  .strictObject({
    after: z.string().describe('Resource whose change produces the value'),
    field: z.string().describe('Attribute of that resource'),
  })
  .meta({ id: 'Origin' })

const Value = z
  .union([
    z.strictObject({ known: z.literal(true), value: z.string() }),
    Origin.extend({ known: z.literal(false) }),
  ])
  .meta({ id: 'Value' })

const Difference = z
  .strictObject({
    attribute: z.string(),
    from: Value,
    to: Value,
    text: z.exactOptional(z.strictObject({ from: z.string(), to: z.string() })),
  })
  .meta({ id: 'Difference' })

const Place = z.strictObject({ file: z.string(), line: z.int(), column: z.int() }).meta({ id: 'Place' })

const Problem = z
  .strictObject({
    code: z.enum(Object.keys(errorCodes) as (keyof typeof errorCodes)[]),
    message: z.string(),
    hint: z.exactOptional(z.string()),
    place: z.exactOptional(Place),
    subject: z.exactOptional(z.string()),
  })
  .meta({ id: 'Problem' })

const Task = z.strictObject({ id: z.string(), name: z.string(), place: Place }).meta({ id: 'Task' })

const Resource = z.templateLiteral([z.string(), ':', z.string()]).describe('`kind:key`')

const item = { key: z.string().describe('`resource@task`, stable over replanning'), task: Task }

const Item = z
  .discriminatedUnion('item', [
    z.strictObject({
      item: z.literal('change'),
      action: z.enum(['create', 'change', 'remove']),
      ...item,
      resource: Resource,
      differences: z.array(Difference),
      disruptive: z.boolean().describe('Interrupts a running service'),
      provisional: z.boolean().describe('Its content or ids are not known yet'),
    }),
    z.strictObject({
      item: z.literal('check'),
      state: z.enum(['unmet', 'pending']),
      ...item,
      resource: Resource,
      differences: z.array(Difference),
    }),
    z.strictObject({
      item: z.literal('undecided'),
      what: z.enum(['condition', 'arguments', 'loop', 'state']),
      ...item,
      after: z.array(Origin),
    }),
    z.strictObject({
      item: z.literal('refused'),
      ...item,
      resource: z.exactOptional(Resource),
      problem: Problem,
    }),
  ])
  .meta({ id: 'Item' })

const Due = z
  .strictObject({
    ...item,
    resource: Resource,
    by: z.string().describe('The play, or the act of a person, that does it'),
    differences: z.array(Difference),
  })
  .meta({ id: 'Due' })

const Plan = z
  .strictObject({
    stages: z.array(
      z.strictObject({
        items: z.array(Item),
        needs: z.array(Origin).describe('Values that the next stage waits for'),
      }),
    ),
    due: z.array(Due).describe('What differs and is left to others on purpose'),
    unchanged: Count,
    notCompared: z.array(z.string()).describe('Paths whose content was not compared'),
    remarks: z
      .array(z.string())
      .describe(
        'What was not checked because the files say so, what was found and left alone, and what is owed to no handler of the playbook',
      ),
  })
  .meta({ id: 'Plan' })

const Cost = z
  .strictObject({
    milliseconds: z.number(),
    roundTrips: Count,
    bytesSent: Count,
    bytesReceived: Count,
  })
  .meta({ id: 'Cost' })

const Outcome = z
  .enum(['ok', 'changed', 'differs', 'failed', 'unreachable', 'stopped', 'not-run'])
  .meta({ id: 'Outcome' })

const Access = z
  .union([
    z.strictObject({
      is: z.literal('verified'),
      counts: z.strictObject({ pass: Count, violated: Count, unknown: Count, 'not-enforceable': Count }),
      findings: z
        .array(
          z.strictObject({
            text: z.string(),
            due: z.boolean().describe('What is due for this actor may mend it: it does not count'),
          }),
        )
        .describe('What is violated or unknown'),
    }),
    z.strictObject({ is: z.literal('not-verified'), because: z.string() }),
  ])
  .describe('Who can do what on the host, and cannot, proved after its changes')
  .meta({ id: 'Access' })

const Host = z
  .strictObject({
    host: z.string(),
    outcome: Outcome,
    changed: Count,
    differing: Count,
    due: z.array(Due).describe('What is left to others on purpose'),
    unchanged: Count,
    plans: z.array(z.strictObject({ play: z.string(), plan: Plan })),
    done: z.array(z.string()).describe('Keys of changes that were made, in order'),
    inHand: z
      .array(z.string())
      .describe('Keys of changes that had begun when everything was dropped: they may be half done'),
    stopped: z.array(z.string()).describe('Keys of changes that an interruption kept from being made'),
    widened: z.array(z.string()).describe('Keys of changes that were not in the plan shown'),
    problems: z.array(z.strictObject({ change: z.exactOptional(z.string()), problem: Problem })),
    cost: z.exactOptional(Cost),
    access: z.exactOptional(Access),
  })
  .meta({ id: 'Host' })

/** `--format json`. */
export const RunDocumentSchema: z.ZodType<RunDocument> = z
  .strictObject({
    format: z.literal('kmsfleet-run/1'),
    run: z.string(),
    command: z.string(),
    playbook: z.exactOptional(z.string()),
    version: z.string().describe('Of kmsfleet'),
    started: z.iso.datetime(),
    milliseconds: z.number(),
    exitCode: z.int().nullable().describe('Null where the run broke off'),
    hosts: z.array(Host),
    problems: z.array(Problem).describe('What stopped the run as a whole'),
    notReached: hosts.describe('Hosts that were not run: a rail or an interruption came before them'),
  })
  .describe('The one document of a run. Within kmsfleet-run/1 keys are only ever added.')

const event = <Name extends string, Shape extends z.ZodRawShape>(
  names: readonly [Name, ...Name[]],
  shape: Shape,
): z.ZodObject<
  {
    v: z.ZodLiteral<1>
    seq: z.ZodInt
    at: z.ZodISODateTime
    type: z.ZodEnum<{ [K in Name]: K }>
  } & Shape,
  z.core.$strict
> => z.strictObject({ v: z.literal(1), seq: z.int(), at: z.iso.datetime(), type: z.enum(names), ...shape })

/** A line of `--format jsonl`. */
export const EventSchema: z.ZodType<EventView> = z
  .union([
    event(['run-started'], {
      run: z.string(),
      command: z.enum(['plan', 'converge']),
      playbook: z.exactOptional(z.string()),
      hosts,
      version: z.string(),
    }),
    event(['play-started'], { play: z.string(), hosts }),
    event(['batch-started'], { hosts }),
    event(['paused'], { seconds: z.number().describe('Between two batches') }),
    event(['connecting', 'connected'], { host }),
    event(['planned'], { host, plan: Plan }),
    event(['waiting'], { host, for: z.string() }),
    event(['acting', 'done', 'stopped'], { host, change: z.string() }),
    event(['conflict', 'failed'], { host, change: z.exactOptional(z.string()), problem: Problem }),
    event(['proved'], { host, stage: Count, left: z.array(Difference) }),
    event(['widened'], { host, changes: z.array(z.string()) }),
    event(['host-ended'], {
      host,
      outcome: Outcome,
      changed: Count,
      differing: Count,
      due: z.array(Due),
      unchanged: Count,
      problem: z.exactOptional(Problem),
      cost: Cost,
    }),
    event(['access'], { host, access: Access }),
    event(['rail'], { problem: Problem }),
    event(['run-ended'], { exitCode: z.int(), milliseconds: z.number() }),
  ])
  .describe('One event of a run. Within v 1 keys and types are only ever added.')
