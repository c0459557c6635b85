import { KmsfleetError } from '../errors/error.ts'
import type { Problem } from '../model/problem.ts'

/**
 * One gate per cluster: disruptive work passes one host at a time, and once it went wrong on one, on no other
 * host of that cluster. Losing every API server that can decrypt is the worst outcome there is.
 */
export interface ClusterGates {
  /**
   * Waits for the cluster's turn (first come, first served), then does the work. Rejects with `run.rail`,
   * without having begun, where the cluster's gate is shut; if the work rejects, the gate shuts.
   */
  disrupt<T>(cluster: string, host: string, work: () => Promise<T>): Promise<T>
  /** Shuts a cluster's gate: `host` did not come back from its disruptive work. The first reason stays. */
  trip(cluster: string, host: string, problem: Problem): void
}

interface Gate {
  /** Settles when the work before is over; never rejects. */
  tail: Promise<void>
  shut?: { readonly host: string; readonly reason: string }
}

export function createClusterGates(): ClusterGates {
  const gates = new Map<string, Gate>()

  function gateOf(cluster: string): Gate {
    const found = gates.get(cluster)
    if (found !== undefined) return found
    const made: Gate = { tail: Promise.resolve() }
    gates.set(cluster, made)
    return made
  }

  async function disrupt<T>(cluster: string, host: string, work: () => Promise<T>): Promise<T> {
    const gate = gateOf(cluster)
    const turn = gate.tail.then(async () => {
      if (gate.shut !== undefined) throw shutError(cluster, gate.shut)
      try {
        return await work()
      } catch (error) {
        gate.shut ??= { host, reason: error instanceof Error ? error.message : String(error) }
        throw error
      }
    })
    gate.tail = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  return {
    disrupt,
    trip: (cluster, host, problem) => {
      gateOf(cluster).shut ??= { host, reason: problem.message }
    },
  }
}

function shutError(cluster: string, shut: { readonly host: string; readonly reason: string }): KmsfleetError {
  return new KmsfleetError(
    'run.rail',
    `expected no host of cluster ${cluster} to have failed before a disruptive change of another, found that ${shut.host} did: ${shut.reason}`,
    { hint: `mend ${shut.host} first: the cluster's other hosts were left alone` },
  )
}
