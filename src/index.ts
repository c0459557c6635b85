/**
 * The public API: what a project needs to bring modules of its own, and to load and run playbooks from a program.
 * Everything else may change from release to release.
 */
export { runPlaybook } from './converge/run.ts'
export type { RunRequest, RunResult } from './converge/request.ts'
export { KmsfleetError, KmsfleetErrors } from './errors/error.ts'
export type { Place } from './errors/place.ts'
export { loadInventory } from './inventory/load.ts'
export { selectHosts } from './inventory/select.ts'
export type { Host, Inventory } from './inventory/types.ts'
export type { EventSink, RunEvent, RunEventBody } from './model/event.ts'
export { exitCode, type HostOutcome } from './model/outcome.ts'
export type { Plan } from './model/plan.ts'
export type { Problem } from './model/problem.ts'
export type { Difference, Resource } from './model/resource.ts'
export { Secret } from './model/secret.ts'
export { createEventStream, type EventStream, type RunSink } from './model/stream.ts'
export { defineModule, type Module, type ModuleContext } from './modules/define.ts'
export { modules } from './modules/registry.ts'
export { defineTasks, type TaskCode, type VariablesOf } from './playbook/code/define.ts'
export { expression, host, HostValue, item, registered, type Written } from './playbook/code/host-value.ts'
export { loadPlaybookAndCode } from './playbook/code/load.ts'
export { task, tasks, type Keywords, type TaskWriter, type WrittenTask } from './playbook/code/write.ts'
export type { SourceOptions } from './sources/types.ts'
export { loadPlaybook, type PlaybookOptions } from './playbook/load.ts'
export type { Play, Playbook } from './playbook/types.ts'
export type { Connect, Connection } from './transport/channel.ts'
export { createConnector, type Connector } from './transport/connect.ts'

/* What a module of a project's own is made of; see docs/modules-of-your-own.md. */
export { z } from 'zod'
export * from './modules/arguments.ts'
export { absentResource } from './resources/absent/absent.ts'
export { commandResource } from './resources/command/command.ts'
export { directoryResource } from './resources/directory/directory.ts'
export { contentOf } from './resources/file/content.ts'
export { fileResource } from './resources/file/file.ts'
export { groupResource } from './resources/group/group.ts'
export { membershipResource } from './resources/group/membership.ts'
export { linkResource } from './resources/link/link.ts'
export { unitResource } from './resources/unit/unit.ts'
export { userResource } from './resources/user/user.ts'

/* What a resource kind of a project's own is made of. */
export type {
  Fact,
  GroupState,
  HostState,
  PathState,
  TestState,
  UnitState,
  UserState,
} from './model/facts.ts'
export type { Effect, Planned, ResourceId, Subject, TaskRef, World } from './model/resource.ts'
export type { Text, UnknownText } from './model/text.ts'
export { known, unknown, type Origin, type Value } from './model/value.ts'
export type { Expect, Ownership, Parent, ReadAtom, WriteOp } from './model/wire.ts'
export { cannotChange, expectOf } from './resources/common/guard.ts'
export { findParent } from './resources/common/parent.ts'
export { directoryOf, nameOf } from './resources/common/paths.ts'
export { problem, refused } from './resources/common/result.ts'
export { difference, differencesOfNew } from './resources/common/show.ts'
