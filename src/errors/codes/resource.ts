/** Reasons why a host's state forbids a change; found while planning, before anything is touched. */
export const resourceCodes = {
  'resource.unreadable': 'The state of something on the host could not be read.',
  'resource.parent-missing': 'The directory that something shall be made in does not exist.',
  'resource.ancestor': 'A directory on the way to a path is a link or not a directory at all.',
  'resource.wrong-type':
    'Something of another type stands where a resource shall be; nothing is deleted to make room.',
  'resource.read-only': 'The path lies on a file system that is mounted read-only.',
  'resource.immutable': 'The immutable or append-only attribute forbids a change.',
  'resource.package-owned': 'A package of the host owns the destination.',
  'resource.old-writer':
    'A file that an account may still hold open for writing cannot be made trustworthy in place.',
  'resource.hard-linked': 'A file has further names, so that its owner and mode are not its alone.',
  'resource.not-empty': 'A directory that shall be absent has entries; nothing is removed recursively.',
  'resource.id': 'A uid or gid is taken, shared, or not the one that is asked for; ids are never renumbered.',
  'resource.unknown-account': 'A user or group that is needed does not exist and no earlier task makes it.',
  'resource.account-other':
    'An account that shall be removed is another one than was made, or somebody needs it.',
  'resource.account-remote': 'An account is known to the name service only, and local files must decide.',
  'resource.member': 'A member cannot be removed from a group because it is the primary group of that user.',
  'resource.label': 'A host where SELinux enforces does not tell which label its policy gives a path.',
  'resource.tool-missing': 'A program that the change needs is not on the host.',
  'resource.assertion': 'An expression of an `assert` task does not hold; nothing is changed on the host.',
  'resource.encryption':
    'The encryption configuration of an API server cannot be changed as asked without losing what reads old data.',
  'resource.identity':
    'The provider would get another identity: what was encrypted under the old one could not be read any more.',
  'resource.program': 'A program that something else installed is not the one that is asked for.',
  'resource.machine': 'Nothing was given for the architecture of the host.',
  'resource.shape': 'The host runs the provider or the API server in another way than was declared.',
  'resource.vendor': "A file of /etc would drop a line of the package's file whose place it takes.",
  'resource.split': 'The groups that keep credentials from the API server would not keep them from it.',
  'resource.newer-credential': 'The host has a credential that outlasts the one that would take its place.',
  'resource.seed': 'A new host has no peer that gives it the state of a provider.',
  'resource.half-pair': "Of the provider's state and its checkpoint one is there without the other.",
  'resource.running': 'A provider runs whose state is yet to be put there.',
  'resource.unit': 'A systemd unit does not exist, is masked or cannot be loaded.',
} as const
