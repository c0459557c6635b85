/** A position in one of the operator's files; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** `file:line:column`, as editors and terminals understand it. */
export function showPlace(place: Place): string {
  return `${place.file}:${String(place.line)}:${String(place.column)}`
}
