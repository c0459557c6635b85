import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, watch, writeFileSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'
import type { Lab, LabHost } from './lab.ts'
import { run } from './process.ts'

/**
 * A stand-in for kubelet on one host of a lab. It does what this project relies on: it looks at every file of the
 * manifests folder whose name does not begin with a dot, starts a process with the pod's uid, gid and groups, with a root
 * directory that has the host paths which the pod mounts and no others, in a control group of the name that kubelet gives
 * it, with the links to its log, and starts it anew when the manifest's bytes change. It is not a kubelet: no image is pulled
 * (the programs of the host and the stand-in provider of the release run instead), no probe of the pod is made, and a
 * mount must have the same path inside as outside.
 */
export interface StandInKubelet extends AsyncDisposable {
  /** Every name that something happened to in the folder, in order, as inotify told it: `rename NAME` or `change NAME`. */
  readonly seen: readonly string[]
  /** What could not be started, and why. */
  readonly refused: readonly string[]
  /** How often the pod of a manifest was started. */
  starts(manifest: string): number
}

const Mounts = z.array(
  z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }),
)
const Manifest = z.object({
  kind: z.literal('Pod'),
  metadata: z.object({ name: z.string(), namespace: z.string().default('default') }),
  spec: z.object({
    securityContext: z
      .object({
        runAsUser: z.int().default(0),
        runAsGroup: z.int().default(0),
        supplementalGroups: z.array(z.int()).default([]),
      })
      .default({ runAsUser: 0, runAsGroup: 0, supplementalGroups: [] }),
    containers: z
      .array(
        z.object({
          name: z.string(),
          image: z.string(),
          command: z.array(z.string()).default([]),
          args: z.array(z.string()).default([]),
          volumeMounts: Mounts.default([]),
        }),
      )
      .length(1),
    volumes: z
      .array(
        z.object({
          name: z.string(),
          hostPath: z.object({ path: z.string(), type: z.enum(['File', 'Directory', 'DirectoryOrCreate']) }),
        }),
      )
      .default([]),
  }),
})

const folder = '/etc/kubernetes/manifests'
/** Where the stand-ins' images would be. */
const images = '/opt/stand-in'
const program = `${images}/bao-kms-provider`

/** What containerd leaves to a root that asks for nothing, in the words of `setpriv`. */
const usualCapabilities =
  ',+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap,+net_bind_service,+sys_chroot,+kill,+audit_write'

/** It needs what a real one needs: the encryption configuration that it is told to use. Its arguments stay its own. */
const apiServer = `#!/bin/sh
trap 'kill $!; exit' TERM
for word do
  case $word in
    --encryption-provider-config=*) [ -r "\${word#*=}" ] || exit 1 ;;
  esac
done
trap 'kill "$!"; exit 0' TERM
while :; do
  sleep 3600 &
  wait
done
`

/**
 * Goes into the control group of a container, and becomes it. systemd gives its units no names such as those of runtimes,
 * and keeps the process by its number.
 */
const enter = `#!/bin/sh
scope=$1
shift
rows=$(cat /proc/self/cgroup)
while IFS=: read -r number kind path; do
  case $kind in
    name=*) top=/sys/fs/cgroup/\${kind#name=} ;;
    '') top=/sys/fs/cgroup/unified; [ -d "$top" ] || top=/sys/fs/cgroup ;;
    *) continue ;;
  esac
  mkdir -p "$top\${path%/*}/$scope"
  echo $$ >"$top\${path%/*}/$scope/cgroup.procs"
done <<END
$rows
END
exec "$@"
`

/** Starts it; the manifests folder must exist. The program is taken from the lab's release. */
export async function startKubelet(lab: Lab, host: LabHost): Promise<StandInKubelet> {
  await installProgram(lab, host)
  const watched = join(lab.liveRoot(host), folder)
  const running = new Map<string, string>()
  const started = new Map<string, number>()
  const seen: string[] = []
  const refused: string[] = []
  let work = Promise.resolve()
  let closed = false

  const sync = async (): Promise<void> => {
    if (closed) return
    const manifests = new Map(
      readdirSync(watched)
        .filter((name) => !name.startsWith('.'))
        .flatMap((name): [string, string][] => {
          try {
            return [[name, readFileSync(join(watched, name), 'utf8')]]
          } catch {
            // Gone since: an editor's temporary file.
            return []
          }
        }),
    )
    for (const [name, text] of running) {
      if (manifests.get(name) === text) continue
      running.delete(name)
      await lab.exec(host, stopScript(name, text))
    }
    for (const [name, text] of manifests) {
      if (running.has(name)) continue
      running.set(name, text)
      started.set(name, (started.get(name) ?? 0) + 1)
      try {
        await lab.exec(host, startScript(name, text, host.name))
      } catch (error) {
        refused.push(`${name}: ${String(error)}`)
      }
    }
  }
  const wake = (): void => {
    work = work.then(sync, sync)
  }
  const watcher: FSWatcher = watch(watched, (event, name) => {
    seen.push(`${event} ${String(name)}`)
    wake()
  })
  wake()
  return {
    seen,
    refused,
    starts: (manifest) => started.get(manifest) ?? 0,
    async [Symbol.asyncDispose]() {
      closed = true
      watcher.close()
      await work.catch(() => undefined)
    },
  }
}

/** The program of the release, in place of an image. */
async function installProgram(lab: Lab, host: LabHost): Promise<void> {
  const to = join(lab.liveRoot(host), images)
  mkdirSync(to, { recursive: true })
  writeFileSync(join(to, 'kube-apiserver'), apiServer, { mode: 0o755 })
  writeFileSync(join(to, 'enter'), enter, { mode: 0o755 })
  const member = '*/bin/bao-kms-provider'
  await run([
    ...['tar', '--extract', '--gzip', '--strip-components=2', '--wildcards'],
    ...[`--file=${lab.bundle.tarball}`, `--directory=${to}`, member],
  ])
}

function unitOf(manifest: string): string {
  return `stand-in-pod-${manifest.replace(/\.ya?ml$/, '')}.service`
}

/** Of a static pod the uid is a hash of the manifest. */
const uidOf = (text: string): string => createHash('md5').update(text).digest('hex')

function stopScript(name: string, text: string): string {
  return [
    `systemctl stop ${unitOf(name)} 2>/dev/null || :`,
    `find /var/log/containers -lname '/var/log/pods/*_${uidOf(text)}/*' -delete`,
    `rm -rf /var/log/pods/*_${uidOf(text)}`,
  ].join('\n')
}

/** As kubelet: host paths must exist and be of their type, else the pod does not start. */
function startScript(name: string, text: string, node: string): string {
  const { metadata, spec } = Manifest.parse(parse(text))
  const [container] = spec.containers
  if (container === undefined) throw new Error('expected a container')
  const paths = new Map(spec.volumes.map((volume) => [volume.name, volume.hostPath]))
  const mounts = container.volumeMounts.map((mount) => {
    const source = paths.get(mount.name)
    if (source?.path !== mount.mountPath)
      throw new Error(`expected ${mount.mountPath} to be its own host path`)
    return {
      ...mount,
      test: source.type === 'File' ? '-f' : '-d',
      create: source.type === 'DirectoryOrCreate',
    }
  })
  const { runAsUser, runAsGroup, supplementalGroups } = spec.securityContext
  // systemd starts nothing as a number that no account has.
  const groups =
    supplementalGroups.length === 0 ? '--clear-groups' : `--groups=${supplementalGroups.join(',')}`
  const less = `--inh-caps=-all --bounding-set=-all${runAsUser === 0 ? usualCapabilities : ''}`
  const identity = `setpriv --reuid=${String(runAsUser)} --regid=${String(runAsGroup)} ${groups} ${less}`
  const words = [...container.command, ...container.args]
  const argv =
    container.command.length === 0
      ? [program, ...words]
      : words.map((word, at) => (at === 0 ? `${images}/${word}` : word))
  const uid = uidOf(text)
  const id = randomBytes(32).toString('hex')
  const pod = `${metadata.name}-${node}`
  const log = `/var/log/pods/${metadata.namespace}_${pod}_${uid}/${container.name}`
  const seen = (writable: boolean): readonly string[] =>
    mounts.filter(({ readOnly }) => readOnly !== writable).map(({ mountPath }) => mountPath)
  const properties = [
    // The root directory of an image, with the programs of the host in it.
    'TemporaryFileSystem=/:ro',
    `BindReadOnlyPaths=${['/usr', '/usr/bin/dash:/bin/sh', '/usr/lib:/lib', '/usr/lib64:/lib64', images, ...seen(false)].join(' ')}`,
    `BindPaths=${['/proc', '/sys', '/dev', ...seen(true)].join(' ')}`,
    'NoNewPrivileges=yes',
    'Restart=always',
    'RestartSec=1',
    'UMask=0027',
  ]
  return [
    `install -d -m 0755 /var/log/containers ${log}`,
    `ln -s ${log}/0.log /var/log/containers/${pod}_${metadata.namespace}_${container.name}-${id}.log`,
    ...mounts.filter(({ create }) => create).map(({ mountPath }) => `mkdir -p ${mountPath}`),
    ...mounts.map(
      ({ test, mountPath }) => `[ ${test} ${mountPath} ] || { echo "no ${mountPath}" >&2; exit 1; }`,
    ),
    `systemd-run --quiet --collect --unit=${unitOf(name)} --slice=kubepods-burstable-pod${uid}.slice ${properties.map((one) => `-p '${one}'`).join(' ')} -- ${images}/enter ${unitOf(name).replace('.service', '')}-${id}.scope ${identity} ${argv.join(' ')}`,
  ].join('\n')
}
