// Habits that can be checked by reading: the direction of imports, determinism in domain and workflows, and the usual care with promises.
import js from '@eslint/js'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import { importX } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

const noNode = { regex: '^node:', message: 'bundled into the workflow sandbox: no Node modules here' }
/** `folder` may import from `allowed` of our folders and no other. */
const folders = ['domain', 'workflows', 'activities', 'adapters', 'db', 'api', 'relay', 'simulators', 'dev', 'bench', 'test']
const arrow = (target, allowed) => ({
  target: `./${target}`,
  from: [...folders.filter((f) => f !== target && !allowed.includes(f)), 'worker.ts', ...(allowed.includes('config.ts') ? [] : ['config.ts'])].map((f) => `./${f}`),
  message: `${target}/ may import from: ${[target, ...allowed].join(', ')}`,
})

export default tseslint.config(
  { ignores: ['node_modules', 'dist', '.data', 'coverage', '**/*.js', '**/*.mjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['**/*.ts'],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': [
        'error',
        {
          basePath: import.meta.dirname,
          zones: [
            arrow('domain', []),
            arrow('db', ['domain', 'config.ts']),
            arrow('activities', ['domain', 'db']),
            arrow('adapters', ['domain', 'activities']),
            arrow('workflows', ['domain', 'activities', 'db']), // activities and db by type only: see below
            arrow('relay', ['domain', 'db', 'api']),
            arrow('api', ['domain', 'db', 'relay', 'adapters', 'activities', 'config.ts']),
            arrow('simulators', []),
            arrow('test', folders.concat('config.ts')),
          ],
        },
      ],
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'config.ts is the only reader of the environment' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off', // nothing here uses `this`
      '@typescript-eslint/no-base-to-string': 'off',
    },
  },
  {
    files: ['domain/**/*.ts', 'workflows/**/*.ts'],
    ignores: ['workflows/support/bundle.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noNode] }],
      'no-restricted-globals': ['error', ...['setInterval', 'setImmediate', 'fetch', 'process', 'Buffer'].map((name) => ({ name, message: 'not in the workflow sandbox' }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'randomness is an argument' }],
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'time is an argument' },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'time is an argument' },
      ],
    },
  },
  {
    files: ['workflows/*.ts', 'workflows/order/**/*.ts', 'workflows/support/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(\\.\\./)+(activities|db)(/|$)', allowTypeImports: true, message: 'workflows know activities and rows by type only' }] },
      ],
    },
  },
  {
    files: ['workflows/order.ts', 'workflows/order/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        paths: [{ name: '@temporalio/workflow', importNames: ['condition', 'proxyLocalActivities'], message: 'an order waits by workflows/support/turns.ts and steps by workflows/support/activities.ts, so that it is told again as it was' }],
        patterns: [noNode],
      }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Jest's matchers and recorded JSON are `any` by nature.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  { files: ['config.ts', 'dev/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts', 'simulators/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
)
