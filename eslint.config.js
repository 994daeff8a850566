// Lint rules. Non-null assertions are allowed: typed arrays are checked at their boundaries (kernels/README.md), and inner
// loops stay readable. Layout is prettier's business, so no rule here is about it.
import js from '@eslint/js'
import tseslint from 'typescript-eslint'

const unused = { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'dist.*/',
      'kernels/cpu/build/',
      'kernels/vulkan/build/',
      'manystart-*/',
      'src/data/tables/',
      'benchmarks/results/',
      'benchmarks/peers/.venv/',
      'benchmarks/peers/node_modules/'
    ]
  },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        Buffer: 'readonly',
        AbortController: 'readonly'
      }
    },
    rules: { eqeqeq: 'error', 'no-unused-vars': ['error', unused] }
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: ['./tests/tsconfig.json'], tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', unused],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false }
      ],
      // Constants keep the digits of the paper they come from.
      'no-loss-of-precision': 'off',
      // Numbers belong in messages.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // What a user typed arrives as `unknown` and is quoted in messages by String().
      '@typescript-eslint/no-base-to-string': 'off',
      // Interfaces are asynchronous so that a GPU can stand behind them; the CPU engines have nothing to await.
      '@typescript-eslint/require-await': 'off'
    }
  },
  {
    // What tests print (worst errors, engine tables) is for the person who runs them.
    files: ['tests/**/*.ts', 'benchmarks/**/*.ts', 'docs/**/*.ts'],
    rules: { 'no-console': 'off' }
  },
  {
    files: ['tests/**/*.ts', 'bundle/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.object.name=/^(it|test|describe)$/][callee.property.name=/^(only|todo|skip)$/]',
          message: 'A committed test runs.'
        }
      ]
    }
  }
)
