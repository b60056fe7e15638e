/** The tests that boot real Xen: one after the other, each file in a process of its own. */
export default {
  files: ['test/xen/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 1,
  serial: true,
  workerThreads: false,
  timeout: '20m',
  verbose: true,
};
