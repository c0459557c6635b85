/** Errors in playbooks, roles and templates; all are found before anything is contacted. */
export const playbookCodes = {
  'document.syntax': 'A file is not valid YAML 1.2.',
  'document.invalid': 'A value in a file is not of the form that is asked for there.',
  'document.unknown-key': 'A key in a file is not one that is understood there.',
  'playbook.not-found': 'The playbook or role does not exist or cannot be read.',
  'document.unreadable': 'A file does not exist, cannot be read, or is too large.',
  'playbook.invalid': 'A play, role or task is not of the form that is asked for.',
  'playbook.not-ansible': 'A name that Ansible has and kmsfleet has not; the hint says what to write.',
  'playbook.unknown-module': 'A task names a module that does not exist.',
  'playbook.unknown-handler': 'A task notifies a handler that does not exist in its play.',
  'playbook.duplicate': 'A name that must be used once in a play is used twice.',
  'playbook.source': 'A file that a task names is missing, or lies outside its role or play.',
  'variable.name': 'A variable has a name that cannot be used or is reserved.',
  'variable.extra': 'A value of --extra-vars cannot be understood.',
  'secret.unreadable': 'A secret file does not exist or cannot be read.',
  'secret.exposed': 'A secret file can be read by accounts other than the operator.',
  'secret.empty': 'A secret file is empty; an empty secret is never written.',
} as const
