import type { MountState } from '../../model/process.ts'

/** proc(5): blanks, newlines and backslashes of a path are three octal digits. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

/** `major:minor` as `st_dev`, in decimal (gnu_dev_makedev). */
function deviceOf(numbers: string): string {
  const [major = 0, minor = 0] = numbers.split(':').map(Number)
  return String((minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000)
}

/** One line of /proc/PID/mountinfo. */
export function parseMount(line: string): MountState {
  const [, , device = '', root = '', point = '', options = '', ...rest] = line.split(' ')
  const superOptions = rest[rest.indexOf('-') + 3] ?? ''
  return {
    device: deviceOf(device),
    root: unescapeOctal(root),
    point: unescapeOctal(point),
    readOnly: [options, superOptions].some((list) => list.split(',').includes('ro')),
  }
}
