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
export { loadPlaybook, type PlaybookOptions } from './playbook/load.ts'
export type { Play, Playbook } from './playbook/types.ts'
export type { Connect, Connection } from './transport/channel.ts'
export { createConnector, type Connector } from './transport/connect.ts'
