export default {
  files: ['**/*.test.ts', '!test/xen/**'],
  extensions: { ts: 'module' },
  concurrency: 2,
  timeout: '120s',
};
