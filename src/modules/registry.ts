import { absent } from './absent/index.ts'
import { apiserverPod } from './apiserver_pod/index.ts'
import { assert } from './assert/index.ts'
import { bundle } from './bundle/index.ts'
import { command } from './command/index.ts'
import { copy } from './copy/index.ts'
import { credential } from './credential/index.ts'
import type { Module } from './define.ts'
import { directory } from './directory/index.ts'
import { encryptionConfig } from './encryption_config/index.ts'
import { file } from './file/index.ts'
import { group } from './group/index.ts'
import { hostShape } from './host_shape/index.ts'
import { link } from './link/index.ts'
import { nextBoot } from './next_boot/index.ts'
import { program } from './program/index.ts'
import { providerConfig } from './provider_config/index.ts'
import { providerState } from './provider_state/index.ts'
import { privilegeSplit } from './privilege_split/index.ts'
import { staticPod } from './static_pod/index.ts'
import { sysusers } from './sysusers/index.ts'
import { template } from './template/index.ts'
import { tmpfiles } from './tmpfiles/index.ts'
import { unit } from './unit/index.ts'
import { user } from './user/index.ts'
import { waitFor } from './wait_for/index.ts'

/** The modules that come with kmsfleet, under the names that tasks use. */
export const shipped = {
  absent,
  apiserver_pod: apiserverPod,
  assert,
  bundle,
  command,
  copy,
  credential,
  directory,
  encryption_config: encryptionConfig,
  file,
  group,
  host_shape: hostShape,
  link,
  next_boot: nextBoot,
  privilege_split: privilegeSplit,
  program,
  provider_config: providerConfig,
  provider_state: providerState,
  static_pod: staticPod,
  sysusers,
  template,
  tmpfiles,
  unit,
  user,
  wait_for: waitFor,
} satisfies Readonly<Record<string, Module>>

/** Every shipped module by its name, sorted by it. */
export const modules: ReadonlyMap<string, Module> = new Map(
  Object.values<Module>(shipped).map((module) => [module.name, module]),
)
