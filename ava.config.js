export default {
  files: ['**/*.test.ts', '!test/xen/**'],
  extensions: ['ts'],
  concurrency: 2,
  timeout: '120s',
};
