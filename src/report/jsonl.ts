import type { Output } from './output.ts'
import type { Report } from './report.ts'
import { eventView } from './view.ts'

/** The event stream itself, one JSON object a line. */
export function createJsonl(output: Output): Report {
  return {
    take(event) {
      output.data(eventView(event))
    },
    // Every event was printed when it came.
    close: () => undefined,
  }
}
