import { defineTasks, expression, tasks, type HostValue, type VariablesOf, type WrittenTask } from 'kmsfleet'

const { absent, assert, command, group, unit, user, wait_for: waitFor } = tasks

/** See defaults/main.yml. */
interface Variables {
  readonly cluster: string
  readonly openbao_kms_config_dir: string
  readonly openbao_kms_state_dir: string
  readonly openbao_kms_run_dir: string
  readonly openbao_kms_binary: string
  readonly openbao_kms_doc_dir: string
  readonly openbao_kms_unit_dir: string
  readonly openbao_kms_manifest_dir: string
  readonly openbao_kms_pod_name: string
  readonly openbao_kms_encryption_config_dirs: readonly string[]
  readonly openbao_kms_stop_within: number
  readonly openbao_kms_purge: string
  readonly openbao_kms_purge_accounts: string
  readonly openbao_kms_user: string
  /** Ids are null where none was pinned; modules take that for none. */
  readonly openbao_kms_uid: number
  readonly openbao_kms_group: string
  readonly openbao_kms_gid: number
  readonly openbao_kms_socket_group: string
  readonly openbao_kms_socket_gid: number
}

const service = 'bao-kms-provider.service'
/** Where the runtime directory was made by the step of the installation. */
const directoryService = 'openbao-kms-run-directory.service'

export default defineTasks<Variables>((vars) => {
  const phrase = expression<string>`'REMOVE EVERYTHING ON ' ~ ${vars.cluster}`
  const purge = expression<boolean>`${vars.openbao_kms_purge} == ${phrase}`
  const accountsPhrase = expression<string>`'REMOVE ACCOUNTS ON ' ~ ${vars.cluster}`
  const purgeAccounts = expression<boolean>`${vars.openbao_kms_purge_accounts} == ${accountsPhrase}`
  const socket = `${vars.openbao_kms_run_dir}/kms.sock`
  return [
    assert('A purge names the cluster that it is meant for', {
      that: [expression`${vars.openbao_kms_purge} == '' or ${purge}`.expression],
      message: `openbao_kms_purge must be: REMOVE EVERYTHING ON ${vars.cluster}`,
    }),
    assert('A purge of the accounts names the cluster too, and goes with one of their files', {
      that: [
        expression`${vars.openbao_kms_purge_accounts} == '' or (${purgeAccounts} and ${purge})`.expression,
      ],
      message: `openbao_kms_purge_accounts must be: REMOVE ACCOUNTS ON ${vars.cluster}, and openbao_kms_purge must be given`,
    }),
    ...refuseWhileUsed(vars, socket),
    ...refuseWhileMounted(vars, purge),

    // The manifest goes first: kubelet would start the pod again.
    absent('No static pod', { path: `${vars.openbao_kms_manifest_dir}/${vars.openbao_kms_pod_name}.yaml` }),
    unit('The service is stopped', {
      name: service,
      state: 'stopped',
      enabled: false,
      within: vars.openbao_kms_stop_within,
    }),
    waitFor('The socket is gone', {
      gone: socket,
      within: vars.openbao_kms_stop_within,
    }),
    absent(
      'No unit',
      { path: `${vars.openbao_kms_unit_dir}/${service}` },
      { notify: 'systemd forgets the unit' },
    ),
    unit('No boot makes the runtime directory', { name: directoryService, state: 'stopped', enabled: false }),
    absent(
      'No unit for the runtime directory',
      { path: `${vars.openbao_kms_unit_dir}/${directoryService}` },
      { notify: 'systemd forgets the unit' },
    ),
    absent('No binary', { path: vars.openbao_kms_binary }),

    ...keptFiles(vars).map((path) => absent(`Purge ${path}`, { path }, { when: purge })),
    // Last: what they own would belong to whoever gets their numbers next.
    user(
      'Purge the account of the provider',
      {
        name: vars.openbao_kms_user,
        uid: vars.openbao_kms_uid,
        group: vars.openbao_kms_group,
        gecos: 'OpenBao KMS provider',
        home: vars.openbao_kms_state_dir,
        state: 'absent',
      },
      { when: purgeAccounts },
    ),
    group(
      'Purge the group of the provider',
      { name: vars.openbao_kms_group, gid: vars.openbao_kms_gid, state: 'absent' },
      { when: purgeAccounts },
    ),
    group(
      'Purge the group of the socket',
      { name: vars.openbao_kms_socket_group, gid: vars.openbao_kms_socket_gid, state: 'absent' },
      { when: purgeAccounts },
    ),
  ]
})

/** Fails before anything was removed: an API server that cannot decrypt any more is the worst that can happen. */
function refuseWhileUsed(
  { openbao_kms_encryption_config_dirs: folders }: VariablesOf<Variables>,
  socket: string,
): readonly WrittenTask[] {
  // By its path alone, since `/var/run` is `/run` too. What could not be read is not called unused.
  // With -R, since a configuration is often a link to where it lies.
  const unused = '[ ! -e "$2" ] || { grep -RqsF -- "$1" "$2"; [ "$?" = 1 ]; }'
  return [
    command(
      'No API server is configured to use the provider',
      {
        argv: [
          'sh',
          '-c',
          'echo "the encryption configuration in $2 names $1, or cannot be read" >&2; exit 1',
          'sh',
          socket,
          item,
        ],
        unless: ['sh', '-c', unused, 'sh', socket, item],
      },
      { loop: folders },
    ),
  ]
}

/** Without a host path that its manifest mounts kubelet refuses the API server at its next start. */
function refuseWhileMounted(
  { openbao_kms_run_dir: run, openbao_kms_manifest_dir: folder }: VariablesOf<Variables>,
  purge: ReturnType<typeof expression<boolean>>,
): readonly WrittenTask[] {
  const unmounted = '[ ! -e "$2" ] || { grep -qsF -- "$1" "$2"; [ "$?" = 1 ]; }'
  return [
    command(
      'No API server mounts the runtime directory that a purge removes',
      {
        argv: [
          'sh',
          '-c',
          'echo "the manifest $2 mounts $1, or cannot be read: take the mount out of it first" >&2; exit 1',
          'sh',
          run,
          item,
        ],
        unless: ['sh', '-c', unmounted, 'sh', run, item],
      },
      {
        loop: [
          `${folder}/kube-apiserver.yaml`,
          '/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml',
        ],
        when: purge,
      },
    ),
  ]
}

const item = '{{ item }}'

/**
 * What a removal keeps, each file and folder by its name: below folders of the provider's account nothing is ever
 * removed recursively, so that one with something else in it stays and the host says so.
 */
function keptFiles(vars: VariablesOf<Variables>): readonly string[] {
  const [config, state, run, docs] = [
    vars.openbao_kms_config_dir,
    vars.openbao_kms_state_dir,
    vars.openbao_kms_run_dir,
    vars.openbao_kms_doc_dir,
  ]
  const within = (folder: HostValue<string>, ...names: readonly string[]): readonly string[] => [
    ...names.map((name) => `${folder}/${name}`),
    String(folder),
  ]
  return [
    ...within(
      state,
      'state/key-registry.json',
      'state/key-registry.json.checkpoint',
      'state/key-registry.json.lock',
      'state',
      'credentials/identity.jwt',
      'credentials',
      'identity.jwt',
    ),
    ...within(
      config,
      'credentials/client-secret',
      'credentials',
      'client/client-chain.pem',
      'client',
      'pkcs11/pin',
      'pkcs11',
      'issuer/ca.pem',
      'issuer',
      'tls/ca.crt',
      'tls',
      'config.yaml',
    ),
    ...within(docs, 'README.md', 'LICENSE', 'encryption-config.yaml'),
    // So named whatever the accounts are called.
    '/etc/tmpfiles.d/openbao-kms.conf',
    '/etc/tmpfiles.d/openbao-kms-static-pod.conf',
    '/etc/sysusers.d/openbao-kms.conf',
    ...within(run),
  ]
}
