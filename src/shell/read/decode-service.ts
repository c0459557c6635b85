import type { HeldState, SaidState } from '../../model/process.ts'
import type { Questions } from './atoms.ts'
import type { Section } from './section.ts'

/** Who listens, as the prelude's `kf_held_at` found it; what the host left out is unknown. */
export function decodeHeld(questions: Questions, section: Section): ReadonlyMap<string, HeldState> {
  const answers = new Map(section.all('held').map(([key, ...rest]) => [key, rest]))
  return new Map(
    questions.held.map(({ key }): [string, HeldState] => {
      const [answer, detail = 'the host did not answer', inodes = ''] = answers.get(key) ?? []
      const known = answer === 'yes' || answer === 'no' ? answer : 'unknown'
      return [key, { answer: known, detail, connections: inodes.split(' ').filter((each) => each !== '') }]
    }),
  )
}

/** What programs printed, as the prelude's `kf_says` found it. */
export function decodeSaid(questions: Questions, section: Section): ReadonlyMap<string, SaidState> {
  const answers = new Map(section.all('says').map(([key, ...rest]) => [key, rest]))
  return new Map(
    questions.says.map(({ key }): [string, SaidState] => {
      const [detail = 'the host did not answer', status = '', output = ''] = answers.get(key) ?? []
      if (detail !== '') return [key, { is: 'not-run', detail }]
      if (!/^[0-9]{1,3}$/.test(status)) return [key, { is: 'not-run', detail: 'it did not come to its end' }]
      return [key, { is: 'said', status: Number(status), output }]
    }),
  )
}
