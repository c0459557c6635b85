import tseslint from 'typescript-eslint'

/** The house, top to bottom: a folder may import only from folders further down this list. */
const floors = [
  'cli',
  'campaign',
  'converge',
  'drift',
  'access',
  'fleet',
  'plan',
  'playbook',
  'inventory',
  'modules',
  'resources',
  'template',
  'shell',
  'transport',
  'sources',
  'project',
  'report',
  'runs',
  'document',
  'model',
  'errors',
]

/** Each third-party library is imported by one folder, or by one file. */
const libraries = {
  ssh2: 'src/transport/**',
  yaml: 'src/document/**',
  listr2: 'src/report/**',
  diff: 'src/report/**',
  picocolors: 'src/report/**',
  commander: 'src/cli/**',
  'minijinja-js': 'src/template/**',
  protobufjs: 'src/access/**',
  tsx: 'src/project/**',
  'node-vault': 'src/sources/openbao/client.ts',
}

/** What files of a floor may not import; `files` is a folder, or a file that is the home of a library. */
function houseRule(floor, index, files) {
  const patterns = [
    ...floors.slice(0, index).map((above) => ({
      group: [`../${above}/*`, `../../${above}/*`, `../${above}/**`, `../../${above}/**`],
      message: `Imports point down the house only: ${floor}/ may not import ${above}/.`,
    })),
    ...(floor === 'converge' || floor === 'shell'
      ? []
      : [
          {
            group: ['**/shell/write/**', '**/shell/write.ts'],
            message: 'Only converge/ imports shell/write.',
          },
        ]),
    ...Object.entries(libraries)
      .filter(([, home]) => home !== `src/${floor}/**` && home !== files)
      .map(([name, home]) => ({
        group: [name, `${name}/*`],
        message: `${name} is imported by ${home} only.`,
      })),
  ]
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

const houseRules = floors.flatMap((floor, index) => [
  houseRule(floor, index, `src/${floor}/**/*.ts`),
  ...Object.values(libraries)
    .filter((home) => home.startsWith(`src/${floor}/`) && home.endsWith('.ts'))
    .map((home) => houseRule(floor, index, home)),
])

export default tseslint.config(
  { ignores: ['dist/**', 'coverage/**', 'node_modules/**'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.test.json', './tsconfig.projects.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-assertions': [
        'error',
        { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: false, allow: [{ from: 'file', name: 'HostValue' }] },
      ],
    },
  },
  ...houseRules,
  {
    files: ['src/shell/read/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['../write/*', 'ssh2', 'yaml'] }] },
  },
  {
    files: ['scripts/**', 'test/**', 'bench/**', '*.config.{js,ts}', 'scripts/*.mjs'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.{js,mjs}'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
)
