import koffi from 'koffi';

/**
 * The calls of the C library that sockets take, as foreign functions. Each returns what the kernel does:
 * a number of at least 0, or -1 with the reason in errno.
 */
export interface Calls {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Uint8Array, length: number): number;
  listen(descriptor: number, backlog: number): number;
  accept4(descriptor: number, address: null, length: null, flags: number): number;
  recv(descriptor: number, into: Uint8Array, length: number, flags: number): number;
  send(descriptor: number, from: Uint8Array, length: number, flags: number): number;
  close(descriptor: number): number;
  fcntl(descriptor: number, command: number, type: 'int', argument: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(set: number, operation: number, descriptor: number, event: Uint8Array): number;
  epoll_wait(set: number, events: Uint8Array, most: number, timeout: number): number;
}

function load(): Calls {
  const libc = koffi.load('libc.so.6');
  return {
    socket: libc.func('int socket(int family, int type, int protocol)'),
    bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
    listen: libc.func('int listen(int fd, int backlog)'),
    accept4: libc.func('int accept4(int fd, void *address, void *length, int flags)'),
    recv: libc.func('long recv(int fd, uint8_t *into, size_t length, int flags)'),
    send: libc.func('long send(int fd, const uint8_t *from, size_t length, int flags)'),
    close: libc.func('int close(int fd)'),
    fcntl: libc.func('int fcntl(int fd, int command, ...)'),
    epoll_create1: libc.func('int epoll_create1(int flags)'),
    epoll_ctl: libc.func('int epoll_ctl(int set, int operation, int fd, uint8_t *event)'),
    epoll_wait: libc.func('int epoll_wait(int set, uint8_t *events, int most, int timeout)'),
  };
}

let loaded: Calls | null = null;

/** Loads them when they are first asked for. */
export function calls(): Calls {
  loaded ??= load();
  return loaded;
}

/** The errno that the last call has left. */
export function lastErrno(): number {
  return koffi.errno();
}
