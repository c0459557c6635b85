import { defineTasks, expression, task, tasks } from 'kmsfleet'
import { banner } from './modules/banner/index.ts'

const { directory } = tasks

interface Variables {
  readonly cluster: string
}

export default defineTasks<Variables>((vars) => [
  ...['a', 'b'].map((name) =>
    directory(`Folder ${name}`, { path: `/srv/${name}`, owner: 'root', group: 'root', mode: '0755' }),
  ),
  task(banner)(
    'Which cluster it is',
    { text: `Cluster ${vars.cluster}`, file: '/etc/issue.net' },
    { when: expression`${vars.cluster} != 'production'` },
  ),
])
