import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { readLab, startLab, type LabDescription } from './lab.ts'
import { releaseSlot, slotOwner, slotsInUse, type Slot } from './slot.ts'
import { variants, type Variant } from './variant.ts'

const usage = `npm run lab -- COMMAND
  up N [--variant V]...    boot N bare hosts; several --variant are given to the hosts in turn
                           (${variants.join(', ')})
  status                   the labs that are up, and their hosts
  ssh I [COMMAND]          log in to host I of the lab, or run a command there
  down                     end the lab
  down --all               end all labs, those of running tests too
Where several labs are up, --lab L says which one ssh, down or status is about.`

const given = process.argv.slice(2)
/** `ssh I` ends the lab's own arguments; the rest is the command for the host, with options of its own. */
const ours = given.includes('ssh') ? given.indexOf('ssh') + 2 : given.length
const parseStrictly = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      variant: { type: 'string', multiple: true, default: ['plain'] },
      lab: { type: 'string' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })

const { values, positionals } = parse(given.slice(0, ours))
const [command, ...rest] = positionals

function parse(args: string[]): ReturnType<typeof parseStrictly> {
  try {
    return parseStrictly(args)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function fail(problem: string): never {
  process.stderr.write(`lab: ${problem}\n\n${usage}\n`)
  process.exit(1)
}

function isVariant(name: string): name is Variant {
  return variants.some((variant) => variant === name)
}

/** The lab that `ssh` and `down` are about: the one that is named, or the only one that no running test holds. */
function chosenSlot(): Slot {
  const slots = slotsInUse()
  if (values.lab !== undefined) {
    const slot = Number(values.lab)
    return slots.includes(slot) ? slot : fail(`expected the number of a lab, found ${values.lab}`)
  }
  const [only, ...others] = slots.filter((slot) => slotOwner(slot) !== 'alive')
  if (only === undefined) return fail('expected a lab that is up, found none: npm run lab -- up 3')
  if (others.length > 0) return fail(`expected --lab L, found several labs: ${[only, ...others].join(', ')}`)
  return only
}

function describe(lab: LabDescription): string {
  const hosts = lab.hosts.map(
    (host) => `  ${host.name.padEnd(4)} ${host.user}@${host.address}:${String(host.port)}  ${host.variant}`,
  )
  return [`lab ${String(lab.slot)}  inventory: ${lab.inventoryFile}`, ...hosts].join('\n')
}

async function up(): Promise<void> {
  const count = Number(rest[0])
  if (!Number.isInteger(count) || count < 1 || count > 250)
    fail(`expected up N with N from 1 to 250, found ${rest[0] ?? 'nothing'}`)
  const chosen = values.variant.map((name) =>
    isVariant(name) ? name : fail(`expected a variant (${variants.join(', ')}), found ${name}`),
  )
  const hosts = Array.from({ length: count }, (_, index) => ({
    variant: chosen[index % chosen.length] ?? 'plain',
  }))
  const lab = await startLab({ hosts, detached: true })
  console.log(describe(lab))
}

function status(): void {
  const slots = values.lab === undefined ? slotsInUse() : [chosenSlot()]
  if (slots.length === 0) console.log('no lab is up')
  for (const slot of slots) {
    try {
      console.log(describe(readLab(slot)))
    } catch {
      console.log(
        `lab ${String(slot)}  is starting, or was left half made: npm run lab -- down --lab ${String(slot)}`,
      )
    }
  }
}

function ssh(): number {
  const lab = readLab(chosenSlot())
  const [which = ''] = rest
  const host = lab.hosts.find(({ name }) => name === which || name === `h${which}`)
  if (host === undefined)
    return fail(`expected ssh I with I from 1 to ${String(lab.hosts.length)}, found ${which}`)
  const options = [
    ['-F', '/dev/null'],
    ['-i', lab.keyFile],
    ['-o', `UserKnownHostsFile=${lab.knownHostsFile}`],
    ['-o', 'StrictHostKeyChecking=yes'],
    ['-o', 'IdentitiesOnly=yes'],
    ['-p', String(host.port)],
  ].flat()
  const { status: code } = spawnSync(
    'ssh',
    [...options, '--', `${host.user}@${host.address}`, ...given.slice(ours)],
    {
      stdio: 'inherit',
    },
  )
  return code ?? 1
}

switch (command) {
  case 'up':
    await up()
    break
  case 'down':
    for (const slot of values.all ? slotsInUse() : [chosenSlot()]) {
      await releaseSlot(slot)
      console.log(`lab ${String(slot)} is down`)
    }
    break
  case 'status':
    status()
    break
  case 'ssh':
    process.exitCode = ssh()
    break
  case undefined:
  default:
    if (values.help) console.log(usage)
    else fail(`expected a command, found ${command ?? 'none'}`)
}
