import { setTimeout as delay } from 'node:timers/promises'
import { KmsfleetError } from '../../errors/error.ts'
import type { Check, KmsSocket, Matrix, SocketProof } from '../../model/access.ts'
import type { Snapshot } from '../../model/facts.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { openBridge, type BridgeAs } from '../../shell/bridge.ts'
import { accountsOf } from '../actors/accounts.ts'
import { expectedOf } from '../actors/expected.ts'
import { openKms } from '../kms/client.ts'
import { proveKms, type KmsProof } from '../kms/prove.ts'
import type { Reader } from '../reader.ts'
import { inodeOf, lookAtoms, lookChecks, lookOf, stayedCheck, type Look } from './look.ts'
import { answersAs, judgeProbe, ownViewAtoms, ownViewChecks, probeAtom, trustedProgram } from './own-view.ts'
import { usersOf, type Users } from './users.ts'

/** Milliseconds that all calls may take together. */
const callsDeadlineMs = 15_000

/** Milliseconds that the bridge may take to end by itself, once nothing more is to come. */
const endDeadlineMs = 3_000

export interface SocketsFound {
  readonly checks: readonly Check[]
  readonly sockets: readonly SocketProof[]
}

/** What {@link proveSockets} looks at first: it can be asked with everything else. */
export function socketAtoms(matrix: Matrix): readonly ReadAtom[] {
  return matrix.kmsSockets.flatMap((socket): readonly ReadAtom[] => {
    const users = usersOf(socket, matrix)
    const { program } = socket
    return [
      ...lookAtoms(socket, users),
      ...(program === undefined ? [] : [{ atom: 'path', path: program } as const]),
    ]
  })
}

/**
 * Proves the sockets of one host from end to end. Where the matrix names none, nothing is asked.
 * @param first what the host said to {@link socketAtoms}
 */
export async function proveSockets(
  matrix: Matrix,
  first: Snapshot,
  reader: Reader,
  signal: AbortSignal,
): Promise<SocketsFound> {
  const found: SocketsFound[] = []
  for (const socket of matrix.kmsSockets) found.push(await proveSocket(socket, matrix, first, reader, signal))
  return {
    checks: found.flatMap(({ checks }) => checks),
    sockets: found.flatMap(({ sockets }) => sockets),
  }
}

async function proveSocket(
  socket: KmsSocket,
  matrix: Matrix,
  first: Snapshot,
  reader: Reader,
  signal: AbortSignal,
): Promise<SocketsFound> {
  const users = usersOf(socket, matrix)
  const { program, path, sameKeyIn } = socket
  const atoms = lookAtoms(socket, users)
  const before = lookOf(socket, first)
  const mayRun = program !== undefined && trustedProgram(program, before.snapshot)
  const asked = await askSocket(socket, users, before, reader, signal, atoms, mayRun)
  const own = mayRun && before.held.answer === 'yes' ? ownViewAtoms(socket) : []
  const process = atoms.filter(({ atom }) => atom === 'process')
  const view = own.length === 0 ? [] : ownViewChecks(socket, await reader.ask([...process, ...own]))
  return {
    checks: [...lookChecks(socket, before, users), ...asked.checks, ...view, ...notRun(socket, mayRun)],
    sockets: [{ path, calls: [], ...(sameKeyIn === undefined ? {} : { sameKeyIn }), ...asked.proof }],
  }
}

function notRun({ program, source }: KmsSocket, mayRun: boolean): readonly Check[] {
  if (program === undefined || mayRun) return []
  const finding = 'it is not there, or others than root could have put it there: it was not run'
  return [{ subject: program, expected: 'it says that all is well', verdict: 'unknown', finding, source }]
}

function answerCheck(socket: KmsSocket, verdict: Check['verdict'], finding: string): Check {
  const { path, usedBy, source } = socket
  return { subject: path, actor: usedBy, expected: answersAs(socket), verdict, finding, source }
}

interface Asked {
  readonly checks: readonly Check[]
  readonly proof: Partial<SocketProof>
}

async function askSocket(
  socket: KmsSocket,
  users: Users,
  before: Look,
  reader: Reader,
  signal: AbortSignal,
  atoms: readonly ReadAtom[],
  mayRun: boolean,
): Promise<Asked> {
  const only = (verdict: Check['verdict'], finding: string): Asked => ({
    checks: [answerCheck(socket, verdict, finding)],
    proof: {},
  })
  const inode = inodeOf(before)
  if (inode === undefined || before.held.answer === 'no') {
    return only('violated', `it was not asked: ${before.held.detail || 'no socket is there'}`)
  }
  const as = bridgeAs(socket, users, before.snapshot)
  if (as === undefined) return only('unknown', `it is not known who ${socket.usedBy} is`)
  try {
    const request = { socket: socket.path, inode, as }
    await using channel = await reader.openChannel()
    const bridge = await openBridge(channel, request, signal)
    switch (bridge.is) {
      case 'refused':
        return only('unknown', `it could not be asked: ${bridge.detail}`)
      case 'no-program':
        return mayRun ? await askProbe(socket, before, reader, atoms) : only('unknown', nothingToAskWith)
      case 'open': {
        let proof: KmsProof
        let during: Look
        {
          using client = openKms(bridge.stream, callsDeadlineMs)
          proof = await proveKms(client)
          during = lookOf(socket, await reader.ask(atoms))
        }
        await endOf(channel.exited)
        const finding = proof.is === 'failed' ? `${proof.finding}${complaint(channel.stderrTail())}` : ''
        return {
          checks: [
            proof.is === 'rotating'
              ? answerCheck(socket, 'unknown', 'the key is just being rotated: run again')
              : answerCheck(socket, proof.is === 'proved' ? 'pass' : 'violated', finding),
            stayedCheck(socket, before, during, proof.is !== 'failed'),
          ],
          proof: {
            through: bridge.through,
            calls: proof.calls,
            ...(proof.is === 'proved' ? { keyIdHash: proof.keyIdHash } : {}),
          },
        }
      }
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof KmsfleetError)) throw error
    return only('unknown', `it could not be asked: ${error.message}`)
  }
}

const nothingToAskWith =
  'this host has no program that leads a connection to a socket: install socat or ncat on it'

/** Without a bridge the provider's own program asks, as the one whom the socket is for. */
async function askProbe(
  socket: KmsSocket,
  before: Look,
  reader: Reader,
  atoms: readonly ReadAtom[],
): Promise<Asked> {
  const { program, usedBy } = socket
  if (program === undefined || before.snapshot.processes.get(usedBy)?.is !== 'present') {
    return { checks: [answerCheck(socket, 'unknown', nothingToAskWith)], proof: {} }
  }
  const process = atoms.filter(({ atom }) => atom === 'process')
  const said = await reader.ask([...process, probeAtom(socket, program)])
  const { check, proof } = judgeProbe(socket, said.said.get('probe'))
  const after = lookOf(socket, await reader.ask(atoms))
  // the program's connection is gone again: who took it is not seen
  return { checks: [check, stayedCheck(socket, before, after, false)], proof }
}

/** The process that uses it; the account where nothing runs. */
function bridgeAs({ usedBy }: KmsSocket, { user }: Users, snapshot: Snapshot): BridgeAs | undefined {
  const fact = snapshot.processes.get(usedBy)
  const [process] = fact?.is === 'present' ? fact.state : []
  if (process !== undefined) return { by: 'process', pid: process.pid, started: process.started }
  const expected = expectedOf(user, accountsOf(snapshot))
  return expected.is === 'found' ? { by: 'number', ...expected.credentials } : undefined
}

/** It is given some time to take its leave of the provider; then it goes with the channel. */
async function endOf(exited: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = delay(endDeadlineMs, undefined, { signal: timer.signal }).catch(() => undefined)
  await Promise.race([exited.catch(() => undefined), late])
  timer.abort()
}

function complaint(stderr: string): string {
  const text = stderr.trim().split('\n').at(-1) ?? ''
  // socat's own head has the time and its process in it.
  const plain = text.replace(/^[0-9/]+ [0-9:]+ socat\[[0-9]+\] [A-Z] /, '')
  return plain === '' ? '' : `; the host says: ${plain.slice(0, 200)}`
}
