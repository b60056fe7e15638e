import { setFlagsFromString } from 'node:v8';
import { servingChannel } from '../../../base/serving.ts';

/**
 * V8's compilers to machine code. On one processor what they do is not done meanwhile, and little of what
 * runs until a service serves is ever run again; an emulator besides has to translate what they make.
 */
const compilers = ['sparkplug', 'maglev', 'turbofan'];

/** A service that does not serve for longer, since it waits or has much to read, has use for them. */
const patience = 10_000;

/** What Node loads by itself when a server of gRPC listens and a client of it is made. */
const withServers = ['node:cluster', 'node:dns/promises', 'node:perf_hooks'];

function setCompilers(on: boolean): void {
  setFlagsFromString(compilers.map((name) => `--${on ? '' : 'no-'}${name}`).join(' '));
}

/**
 * Has V8 interpret what runs until the program serves. Returns what the program is to load Node's modules
 * with: V8 takes what Node brings compiled of them only while its flags are as they were then.
 */
export function putCompilersOff(load: NodeJS.Require): NodeJS.Require {
  const loaded = new Map<string, unknown>();
  let off = true;
  const on = (): void => {
    off = false;
    clearTimeout(timer);
    setCompilers(true);
  };
  const timer = setTimeout(on, patience).unref();
  servingChannel.subscribe(on);
  setCompilers(false);
  const loading = (name: string): unknown => {
    if (!off || loaded.has(name)) return loaded.get(name) ?? load(name);
    setCompilers(true);
    try {
      const module: unknown = load(name);
      loaded.set(name, module);
      if (/^(node:)?http2$/.test(name)) for (const further of withServers) load(further);
      return module;
    } finally {
      setCompilers(false);
    }
  };
  return Object.assign(loading, load);
}
