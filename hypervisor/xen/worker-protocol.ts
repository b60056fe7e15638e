/** The descriptor on which a worker finds the socket to its caller. */
export const workerDescriptor = 3;

/** What a worker prints once it has reached Xen. */
export const workerReady = 'ready';

/** Threads of a worker: for every call of libxl that may run at once, and some for files. */
export const workerThreads = 16;
