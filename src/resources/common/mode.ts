/** What a mode must look like: a string of three or four octal digits, a further leading zero allowed. */
export const modePattern = /^0?[0-7]{3,4}$/

/** Bits of a mode that lets the group or others write. */
export const groupWrite = 0o020
export const otherWrite = 0o002
export const sticky = 0o1000

/** `"0750"` to 0o750. The text must match {@link modePattern}. */
export function parseMode(text: string): number {
  return Number.parseInt(text, 8)
}

/** Four digits, as `0750`. */
export function showMode(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
