/**
 * Each file in a process of its own, not in a thread: V8 13.6 of Node 24 can lose count of WebAssembly's code when many
 * threads of a process load some and end (nodejs/node#64500), and then it ends the process, with all that would be tested.
 */
export default {
  files: ['**/*.test.ts', '!test/xen/**'],
  extensions: ['ts'],
  concurrency: 2,
  workerThreads: false,
  timeout: '120s',
};
