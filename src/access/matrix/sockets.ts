import type { KmsfleetError } from '../../errors/error.ts'
import type { KmsSocket } from '../../model/access.ts'
import { type KnownNames, refuseUnknown } from './names.ts'
import { holds, pathAt, textAt, type Part } from './part.ts'

/** The sockets of one document that must answer. Who holds and who uses them may be said by another document. */
export function kmsSocketsOf(
  part: Part,
  { actors }: KnownNames,
  errors: KmsfleetError[],
): readonly KmsSocket[] {
  return part.document.value.kms_sockets.flatMap((written, index): readonly KmsSocket[] => {
    const at = (key: string): readonly PropertyKey[] => ['kms_sockets', index, key]
    if (!holds(part, written.when, at('when'))) return []
    refuseUnknown('an actor', written.held_by, actors, part.document.place(at('held_by')), errors)
    refuseUnknown('an actor', written.used_by, actors, part.document.place(at('used_by')), errors)
    const { same_key_in: cluster, program, configuration, because, source } = written
    return [
      {
        path: pathAt(part, written.path, at('path')),
        heldBy: written.held_by,
        usedBy: written.used_by,
        group: textAt(part, written.group, at('group')),
        mode: Number.parseInt(written.mode, 8),
        ...(cluster === undefined ? {} : { sameKeyIn: textAt(part, cluster, at('same_key_in')) }),
        ...(program === undefined ? {} : { program: pathAt(part, program, at('program')) }),
        ...(configuration === undefined
          ? {}
          : { configuration: pathAt(part, configuration, at('configuration')) }),
        doctor: written.doctor.flatMap(({ id, when }, element) =>
          holds(part, when, ['kms_sockets', index, 'doctor', element, 'when']) ? [id] : [],
        ),
        because,
        source,
        place: part.document.place(['kms_sockets', index]),
      },
    ]
  })
}
