import { Argument, Command, type Option } from 'commander'
import { shells, type Shell } from './completion.ts'
import type {
  ConvergeOptions,
  DocOptions,
  InventoryCommandOptions,
  PingOptions,
  RunOptions,
  TrustOptions,
  TrustProjectOptions,
  ValidateOptions,
  VerifyOptions,
  WhyOptions,
} from './options.ts'
import {
  digestOption,
  documentFormatOption,
  extraVarsOption,
  inventoryOption,
  limitOption,
  noVerifyOption,
  playbookDirOption,
  reachOptions,
  runOptions,
  tokenFileOption,
  showOptions,
  trustOptions,
  verifyOptions,
  whyOptions,
  yesOption,
} from './options.ts'

/** Command lines that `--help` and the reference print, by command. */
export const examples: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'kmsfleet',
    [
      'kmsfleet ping -i inventories/prod.yml',
      'kmsfleet plan playbooks/rollout.yml -i inventories/prod.yml',
      'kmsfleet converge playbooks/rollout.yml -i inventories/prod.yml --limit cp-01',
    ],
  ],
  ['validate', ['kmsfleet validate playbooks/rollout.yml -i inventories/prod.yml']],
  [
    'ping',
    ['kmsfleet ping -i inventories/prod.yml', 'kmsfleet ping -i inventories/prod.yml "control_plane:!cp-03"'],
  ],
  [
    'inventory',
    [
      'kmsfleet inventory graph -i inventories/prod.yml',
      'kmsfleet inventory host cp-01 -i inventories/prod.yml',
    ],
  ],
  [
    'list',
    [
      'kmsfleet inventory list -i inventories/prod.yml',
      'kmsfleet inventory list -i inventories/prod.yml "control_plane:!cp-03" --format json',
    ],
  ],
  ['graph', ['kmsfleet inventory graph -i inventories/prod.yml']],
  ['host', ['kmsfleet inventory host cp-01 -i inventories/prod.yml']],
  [
    'trust',
    [
      'kmsfleet trust -i inventories/prod.yml',
      'kmsfleet trust -i inventories/prod.yml --fingerprints fingerprints.txt',
      'kmsfleet trust -i inventories/prod.yml --replace cp-02',
    ],
  ],
  [
    'completion',
    [
      'kmsfleet completion fish > ~/.config/fish/completions/kmsfleet.fish',
      'source <(kmsfleet completion bash)',
    ],
  ],
  [
    'trust-project',
    [
      'kmsfleet trust-project',
      'kmsfleet trust-project ./fleet --digest 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    ],
  ],
  [
    'plan',
    [
      'kmsfleet plan playbooks/rollout.yml -i inventories/prod.yml --diff',
      'kmsfleet plan playbooks/rollout.yml -i inventories/prod.yml --format json > plan.json',
    ],
  ],
  [
    'converge',
    [
      'kmsfleet converge playbooks/rollout.yml -i inventories/prod.yml',
      'kmsfleet converge playbooks/rollout.yml -i inventories/prod.yml --yes --limit cp-01 -e provider_version=1.4.2',
    ],
  ],
  [
    'verify',
    [
      'kmsfleet verify playbooks/rollout.yml -i inventories/prod.yml',
      'kmsfleet verify playbooks/rollout.yml -i inventories/prod.yml --limit cp-01 --format junit > access.xml',
    ],
  ],
  [
    'why',
    [
      'kmsfleet why kube-apiserver read /var/lib/openbao-kms/identity.jwt -i inventories/prod.yml -l cp-01',
      'kmsfleet why provider create /run/openbao-kms -i inventories/prod.yml',
    ],
  ],
  [
    'doc',
    [
      'kmsfleet doc',
      'kmsfleet doc directory',
      'kmsfleet doc openbao_kms_systemd',
      'kmsfleet doc banner --playbook-dir ./fleet',
    ],
  ],
  [
    'schema',
    [
      'kmsfleet schema openbao_kms_systemd',
      'kmsfleet schema playbook --playbook-dir ./fleet > ./fleet/playbook.schema.json',
    ],
  ],
])

/**
 * The command line. What a command does is imported when it is called, so that `--version` and `--help` load no SSH
 * client and no template engine. `finish` takes the exit code of the command that ran.
 */
export function createProgram(version: string, finish: (exitCode: number) => void): Command {
  const program = new Command('kmsfleet')
    .description(
      'Makes a fleet of Kubernetes control-plane hosts match the OpenBao KMS identity model, over SSH, and proves it.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .exitOverride()
    // main.ts prints usage errors in the form that all errors have.
    .configureOutput({ outputError: () => undefined })

  const command = (
    usage: string,
    description: string,
    options: readonly Option[],
    parent: Command = program,
  ): Command => {
    const made = parent.command(usage).description(description)
    for (const option of [...options, ...showOptions()]) made.addOption(option)
    return withExamples(made)
  }

  command('validate <playbook>', 'check everything that can be checked without contacting a host', [
    inventoryOption(),
    extraVarsOption(),
    limitOption(),
  ]).action(async (playbook: string, options: ValidateOptions) => {
    const { validate } = await import('./commands/validate.ts')
    finish(await validate(playbook, options))
  })

  const inventory = withExamples(
    program
      .command('inventory')
      .description('show what an inventory says, from its files alone: no host is contacted'),
  )
  const inventoryOptions = (): readonly Option[] => [
    inventoryOption(),
    extraVarsOption(),
    documentFormatOption(),
  ]

  command(
    'list [pattern]',
    'list hosts with cluster, address and groups',
    inventoryOptions(),
    inventory,
  ).action(async (pattern: string | undefined, options: InventoryCommandOptions) => {
    const { inventoryList } = await import('./commands/inventory.ts')
    finish(inventoryList(pattern, options))
  })

  command('graph [group]', 'draw the groups and their hosts as a tree', inventoryOptions(), inventory).action(
    async (group: string | undefined, options: InventoryCommandOptions) => {
      const { inventoryGraph } = await import('./commands/inventory.ts')
      finish(inventoryGraph(group, options))
    },
  )

  command(
    'host <host>',
    'show every value of a host with its place and what it overrode',
    inventoryOptions(),
    inventory,
  ).action(async (host: string, options: InventoryCommandOptions) => {
    const { inventoryHost } = await import('./commands/inventory.ts')
    finish(inventoryHost(host, options))
  })

  command('ping [pattern]', 'connect to hosts and say what they are', [
    ...reachOptions(),
    documentFormatOption(),
  ]).action(async (pattern: string | undefined, options: PingOptions) => {
    const { ping } = await import('./commands/ping.ts')
    finish(await ping(pattern, options))
  })

  command('trust [pattern]', 'accept the host keys of hosts that are not known yet', [
    ...reachOptions(),
    ...trustOptions(),
  ]).action(async (pattern: string | undefined, options: TrustOptions) => {
    const { trust } = await import('./commands/trust.ts')
    finish(await trust(pattern, options))
  })

  command(
    'trust-project [folder]',
    'show the code that a project would run on this machine, and let it run',
    [digestOption()],
  ).action(async (folder: string | undefined, options: TrustProjectOptions) => {
    const { trustProject } = await import('./commands/trust-project.ts')
    finish(await trustProject(folder ?? '.', options))
  })

  command('plan <playbook>', 'show what would be changed, and change nothing', runOptions()).action(
    async (playbook: string, options: RunOptions) => {
      const { plan } = await import('./commands/plan.ts')
      finish(await plan(playbook, options))
    },
  )

  command('converge <playbook>', 'show the plan, ask once, make the changes and prove them', [
    ...runOptions(),
    tokenFileOption(),
    yesOption(),
    noVerifyOption(),
  ]).action(async (playbook: string, options: ConvergeOptions) => {
    const { converge } = await import('./commands/converge.ts')
    finish(await converge(playbook, options))
  })

  command(
    'verify <playbook>',
    'prove on every host who can do what and who cannot, by trying it',
    verifyOptions(),
  ).action(async (playbook: string, options: VerifyOptions) => {
    const { verify } = await import('./commands/verify.ts')
    finish(await verify(playbook, options))
  })

  command(
    'why <actor> <action> <object>',
    'explain one access: step by step what the kernel goes by, and what would change it',
    whyOptions(),
  ).action(async (actor: string, action: string, object: string, options: WhyOptions) => {
    const { why } = await import('./commands/why.ts')
    finish(await why(actor, action, object, options))
  })

  withExamples(program.command('completion'))
    .description('print a script that completes this command line in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action(async (shell: Shell) => {
      const { completion } = await import('./commands/completion.ts')
      finish(completion(shell, program))
    })

  command('doc [name]', 'list the modules, or explain a module or a role', [playbookDirOption()]).action(
    async (module: string | undefined, options: DocOptions) => {
      const { doc } = await import('./commands/doc.ts')
      finish(doc(module, options))
    },
  )

  command('schema <name>', 'print the JSON Schema of playbooks, tasks, inventories, a module or a role', [
    playbookDirOption(),
  ]).action(async (name: string, options: DocOptions) => {
    const { schema } = await import('./commands/schema.ts')
    finish(schema(name, options))
  })

  return withExamples(program)
}

function withExamples(command: Command): Command {
  const lines = examples.get(command.name()) ?? []
  return command.addHelpText('after', ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n'))
}
