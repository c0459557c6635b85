import type { ActingIdentity, Evaluation } from '../../model/access.ts'
import { has } from './decide.ts'
import { showUser } from './words.ts'
import type { Names } from './words.ts'

/** The uids that `kill(2)` compares, of the process that would be signalled: its real and its saved one. */
export interface Signalled {
  readonly name: string
  readonly uid: number
  readonly savedUid: number
}

/**
 * `kill_ok_by_cred` of kernel/signal.c for a process of the same user namespace. The identity's one uid stands for its
 * real and its effective one.
 */
export function evaluateSignal(who: ActingIdentity, target: Signalled, names: Names): Evaluation {
  const subject = showUser(who.uid, names)
  const owners = [...new Set([target.uid, target.savedUid])].map((uid) => showUser(uid, names)).join(', ')
  const same = who.uid === target.uid || who.uid === target.savedUid
  const allowed = same || has(who, 'CAP_KILL')
  const step = {
    path: target.name,
    needs: 'the same user, or CAP_KILL',
    allowed,
    decidedBy: same
      ? `both run as ${subject}`
      : allowed
        ? 'the capability CAP_KILL overrides the user'
        : `${subject} is another user, without CAP_KILL`,
    row: `process of ${owners}`,
    otherwise: same
      ? 'they ran as two users'
      : allowed
        ? `${subject} had no CAP_KILL`
        : `it ran as ${subject}`,
  }
  return { is: allowed ? 'granted' : 'denied', steps: [step] }
}
