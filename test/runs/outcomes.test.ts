import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { failedHosts } from '../../src/runs/outcomes.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const head = (...hosts: readonly string[]): object => ({ type: 'journal', v: 1, hosts })
const ended = (host: string, outcome: string): object => ({ type: 'host-ended', host, outcome })
const journal = (...lines: readonly object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('')

const folder = folderWith({
  'runs/20260101T000000Z-aaaaaa.jsonl': journal(
    head('h1', 'h2', 'h3', 'h4', 'h5', 'h6'),
    { type: 'failed', host: 'h1', problem: { message: '"type":"host-ended"' } },
    ended('h2', 'failed'),
    ended('h1', 'ok'),
    ended('h3', 'unreachable'),
    ended('h4', 'changed'),
    ended('h5', 'stopped'),
    // The second play.
    ended('h4', 'not-run'),
    ended('h2', 'ok'),
  ),
  'runs/20260102T000000Z-bbbbbb.jsonl': journal(head('h1'), ended('h1', 'differs')),
  // Killed while it wrote a line.
  'runs/20260103T000000Z-cccccc.jsonl': `${journal(head('h1', 'h2'), ended('h1', 'changed'))}{"type":"host-ended","ho`,
  'runs/notes.txt': '',
})

describe('hosts that a run left failed, unreachable, stopped or never reached', () => {
  test('of a run by its id', () => {
    expect(failedHosts(folder, '20260101T000000Z-aaaaaa')).toEqual(['h2', 'h3', 'h4', 'h5', 'h6'])
  })
  test('of the last one, which was killed', () => {
    expect(failedHosts(folder, 'last')).toEqual(['h2'])
  })
  test.each([
    [
      '20260102T000000Z-bbbbbb',
      'inventory.pattern expected hosts that failed in run 20260102T000000Z-bbbbbb, found none',
    ],
    ['20260102T000000Z-bbbbbc', 'found no 20260102T000000Z-bbbbbc | did you mean `20260102T000000Z-bbbbbb`?'],
    ['../runs/20260102T000000Z-bbbbbb', 'found no ../runs'],
  ])('%s is refused', (run, expected) => {
    expect(problemsOf(() => failedHosts(folder, run)).join()).toContain(expected)
  })
  test('where nothing was journaled', () => {
    expect(problemsOf(() => failedHosts(join(folder, 'none'), 'last')).join()).toContain('found none')
  })
})
