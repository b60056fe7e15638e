/** What koffi calls when an asynchronous call of C has returned. */
type Callback<Value> = (error: unknown, value: Value) => void;

/**
 * Runs a call of C on a thread of libuv's pool. A failure here is koffi's: a wrong argument, a bug.
 */
export function asynchronously<Value>(start: (done: Callback<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });
}
