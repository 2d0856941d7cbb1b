import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Of code: blank lines and comments are free. */
const shape = {
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', { max: 4 }],
  'max-depth': ['error', { max: 3 }],
};

export default defineConfig(
  globalIgnores(['node_modules/', 'dist/', 'coverage/', '.parts/', '.hindsight/', 'services/browser/built/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...shape,
      'max-params': 'off',
      '@typescript-eslint/max-params': shape['max-params'],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
        { selector: 'ExportAllDeclaration', message: 'Name what is exported, where it is made.' },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // `() => stop()` as a callback is plain enough.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // What decides is told everything (invariant 5): the same input must give the same bytes in a replay.
    files: ['services/*/decide/**/*.ts', 'services/rules/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'performance', 'console', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
          name,
          message: 'A decider is told the time and everything else; it asks nobody.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'A decider draws no random number.' },
        { object: 'Date', property: 'now', message: 'A decider reads no clock.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
        { selector: 'ExportAllDeclaration', message: 'Name what is exported, where it is made.' },
        {
          selector:
            "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
          message: 'A decider reads no clock.',
        },
        { selector: 'AwaitExpression', message: 'A decider never waits.' },
        { selector: 'ForOfStatement[await=true]', message: 'A decider never waits.' },
        { selector: 'ImportExpression', message: 'A decider loads nothing.' },
      ],
    },
  },
  {
    // They talk to the person at the terminal.
    files: ['scripts/**/*.ts', 'bench/**/*.ts', 'infra/local/{launcher,hold-parts}.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // Made from schemas/avro.
    files: ['schemas/records.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    // A suite is one function that holds many, and its data are long.
    files: ['**/*.test.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
  {
    files: ['**/*.mjs'],
    rules: shape,
  },
);
