/** What to write here instead of a name that Ansible has; each value is a hint as printed. */
type Hints = ReadonlyMap<string, string>

const becomeHint = 'how to become root belongs to the connection: set ansible_become in the inventory'
const userHint = 'the login belongs to the connection: set ansible_user in the inventory'
const strategyHint = 'remove it: every host proceeds on its own, and `serial` makes batches'
const factsHint = 'remove it: nothing is gathered; `{{ host.group("name").gid }}` asks for what is needed'
const errorsHint = 'remove it: a host that fails stops at that change and says what was done'
const changedHint = 'remove it: what changed is found by comparing, not by a condition'
const importHint = 'use `import_tasks` or `import_role`, which are read before any host is known'
const secretHint = 'remove it: secrets are never shown'
const delegateHint = 'remove it: a task acts on its own host; make a play for the other one'
const backgroundHint = 'remove it: a command may take `within` seconds; a long one belongs into a unit'

/** Keys of plays and tasks alike. */
const common: Hints = new Map([
  ...['become', 'become_user', 'become_method', 'become_flags', 'become_exe'].map(
    (key) => [key, becomeHint] as const,
  ),
  ['remote_user', userHint],
  ['connection', 'set it with --connection on the command line'],
  ['port', 'set ansible_port in the inventory'],
  ['environment', 'remove it: programs on a host start with a fixed environment'],
  ['no_log', secretHint],
  ['ignore_errors', errorsHint],
  ['ignore_unreachable', 'use `max_fail_percentage` of the play'],
  ['check_mode', 'use `kmsfleet plan`'],
  ['diff', 'use --diff on the command line'],
  ['module_defaults', 'write the arguments in the task, or in a variable'],
  ['collections', 'remove it: all modules are built in'],
  ['debugger', 'remove it, and look at `kmsfleet plan --diff`'],
  ['timeout', 'remove it: every step has a deadline of its own'],
])

const playKeys: Hints = new Map([
  ...common,
  ...['gather_subset', 'gather_timeout', 'fact_path'].map((key) => [key, factsHint] as const),
  ['vars_prompt', 'use --extra-vars'],
  ['strategy', strategyHint],
  ['force_handlers', 'remove it: an owed handler survives a failed run and is made up for by the next one'],
  ['validate_argspec', 'remove it: `meta/arguments.yml` of a role is always checked'],
  ['import_playbook', 'name the other playbook on the command line'],
  ['include', importHint],
  ['user', userHint],
  ['sudo', becomeHint],
  ['when', 'write it in the tasks, or in a block around them'],
  ['notify', 'write it in the tasks, or in a block around them'],
  ...['run_once', 'throttle'].map(
    (key) => [key, 'write it in the tasks, or in a block around them'] as const,
  ),
])

const taskKeys: Hints = new Map([
  ...common,
  ['rescue', 'remove it: a host that fails stops there, and the next run goes on from what is on it'],
  ['always', 'use a handler: once it is owed it runs, if need be in the next run'],
  ...['delegate_to', 'delegate_facts', 'local_action'].map((key) => [key, delegateHint] as const),
  ...['async', 'poll'].map((key) => [key, backgroundHint] as const),
  ['failed_when', errorsHint],
  ['changed_when', changedHint],
  ['action', 'write the name of the module as the key'],
  ['args', 'write the arguments below the module'],
  ['listen', 'only a handler listens; a task notifies'],
  ['loop_control', 'remove it: the element is `item`'],
  ['any_errors_fatal', 'set it for the play'],
  ['sudo', becomeHint],
  ['first_available_file', 'use `when`'],
  ['hosts', 'a play has hosts; this file is a list of tasks'],
  ['roles', 'a play has roles; use `import_role` among tasks'],
])

const unitHint = 'use the module `unit`'
const fileHint = 'use `template` or `copy`: whole files are written, never edited in place'
const packageHint = 'packages are not installed here; `bundle` installs a release tarball'
const inventoryHint = 'remove it: hosts, groups and variables stand in the inventory; hosts are not rebooted'
const noneNeeded = 'remove it: what stands on a host is probed anyway'

/** Modules of Ansible that have another name here, or no place. */
const modules: Hints = new Map([
  ...['reboot', 'add_host', 'group_by', 'set_stats'].map((name) => [name, inventoryHint] as const),
  ...['service', 'systemd', 'systemd_service', 'sysvinit'].map((name) => [name, unitHint] as const),
  ...['lineinfile', 'blockinfile', 'replace', 'ini_file', 'assemble'].map(
    (name) => [name, fileHint] as const,
  ),
  ...['apt', 'yum', 'dnf', 'package', 'apk', 'zypper', 'pip', 'rpm_key'].map(
    (name) => [name, packageHint] as const,
  ),
  ...['unarchive', 'get_url'].map((name) => [name, 'use the module `bundle`'] as const),
  ...['setup', 'gather_facts', 'service_facts', 'package_facts'].map((name) => [name, factsHint] as const),
  ...['stat', 'slurp', 'find', 'getent'].map((name) => [name, noneNeeded] as const),
  ...['include_tasks', 'include_role', 'include'].map((name) => [name, importHint] as const),
  ...['shell', 'raw', 'script', 'expect'].map(
    (name) => [name, 'use the module `command` with an argv list'] as const,
  ),
  ...['set_fact', 'include_vars'].map((name) => [name, 'put the variables into `vars`'] as const),
  ...['uri', 'pause', 'wait_for_connection'].map((name) => [name, 'use the module `wait_for`'] as const),
  ['debug', 'remove it, and look at `kmsfleet plan --diff`'],
  ['fail', 'use the module `assert`'],
  ['acl', 'remove it: extra ACL entries are cleared by `file` and `directory`'],
  ['tempfile', 'remove it: files are staged by kmsfleet'],
  ['synchronize', 'use the module `copy`'],
  ['fetch', 'remove it: nothing is copied from a host'],
])

export function hintForPlayKey(key: string): string | undefined {
  return playKeys.get(key)
}

export function hintForTaskKey(key: string): string | undefined {
  return taskKeys.get(key) ?? (key.startsWith('with_') ? 'use `loop`' : undefined)
}

/** Keys of tasks that `ansible.builtin.` may stand before. */
const taskWords: ReadonlySet<string> = new Set(['import_tasks', 'import_role', 'meta'])

/** Also for a full name such as `ansible.builtin.copy`. */
export function hintForModule(name: string, known: ReadonlySet<string>): string | undefined {
  const short = /^[a-z0-9_]+\.[a-z0-9_]+\.([a-z0-9_]+)$/.exec(name)?.[1]
  if (short === undefined) return modules.get(name)
  return known.has(short) || taskWords.has(short) ? `write \`${short}\`` : modules.get(short)
}
