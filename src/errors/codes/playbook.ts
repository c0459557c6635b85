/** Errors in playbooks, roles and templates; all are found before anything is contacted. */
export const playbookCodes = {
  'document.syntax': 'A file is not valid YAML 1.2.',
  'document.invalid': 'A value in a file is not of the form that is asked for there.',
  'document.unknown-key': 'A key in a file is not one that is understood there.',
  'playbook.not-found': 'The playbook or role does not exist or cannot be read.',
} as const
