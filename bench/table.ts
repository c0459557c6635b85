import { median, type Sample } from './meter.ts'
import type { RunTotals } from './workload.ts'

/** One kind of run: each sample stands beside one of `true` that was taken right before it. */
export interface Series {
  readonly name: string
  readonly pairs: readonly { readonly base: Sample; readonly own: Sample }[]
  readonly totals: RunTotals
}

const head = [
  'median of the rounds',
  'wall ms',
  'x true',
  'lowest-highest',
  'client CPU',
  'host CPU',
  'processes',
  'round trips',
  'bytes out',
  'bytes in',
]

/** Lines of the table; all but the first three columns are for one host. */
export function tableLines(all: readonly Series[], hosts: number): readonly string[] {
  const base = all.flatMap(({ pairs }) => pairs.map((pair) => pair.base))
  const rows = [
    head,
    ['true', ...costs(base, hosts, []), '', '', ''],
    ...all.map((series) => rowOf(series, hosts)),
  ]
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)))
  return rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

function rowOf({ name, pairs, totals }: Series, hosts: number): readonly string[] {
  const ratios = pairs.map(({ base, own }) => own.wallMs / base.wallMs)
  return [
    name,
    ...costs(
      pairs.map(({ own }) => own),
      hosts,
      ratios,
    ),
    (totals.roundTrips / hosts).toFixed(2),
    (totals.bytesSent / hosts).toFixed(0),
    (totals.bytesReceived / hosts).toFixed(0),
  ]
}

function costs(samples: readonly Sample[], hosts: number, ratios: readonly number[]): readonly string[] {
  const of = (field: keyof Sample): number => median(samples.map((sample) => sample[field]))
  return [
    of('wallMs').toFixed(0),
    ratios.length === 0 ? '1' : median(ratios).toFixed(2),
    ratios.length === 0 ? '' : `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
    `${(of('clientCpuMs') / hosts).toFixed(1)} ms`,
    `${(of('hostCpuMs') / hosts).toFixed(1)} ms`,
    of('processes').toFixed(0),
  ]
}
