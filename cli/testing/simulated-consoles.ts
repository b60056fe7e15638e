import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Input } from '../../proto/codec.ts';
import type { ConsoleInput, ConsoleOutput } from '../../proto/gen/flotilla.vm.v1.ts';

type ConsoleCall = ServerDuplexStream<ConsoleInput, Input<ConsoleOutput>>;

/** The consoles of a simulated pool's VMs, by the names that they are opened with. */
export interface SimulatedConsoles {
  attach(call: ConsoleCall): void;
  /** The guest prints: those who are attached see it, and those who come later. */
  print(vm: string, text: string): void;
  /** What was typed so far. */
  typed(vm: string): string;
  /** The guest halts: the console ends. */
  end(vm: string): void;
}

/** Consoles on which nothing was printed. */
export function simulatedConsoles(): SimulatedConsoles {
  const printed = new Map<string, string>();
  const typed = new Map<string, string>();
  const attached = new Map<string, Set<ConsoleCall>>();
  const callsOf = (vm: string): Set<ConsoleCall> => {
    const calls = attached.get(vm) ?? new Set();
    attached.set(vm, calls);
    return calls;
  };
  return {
    attach: (call) => {
      let vm = '';
      call.on('data', (input: ConsoleInput) => {
        if (vm === '') {
          vm = input.vm;
          callsOf(vm).add(call);
          call.write({ data: Buffer.from(printed.get(vm) ?? '') });
        } else typed.set(vm, (typed.get(vm) ?? '') + Buffer.from(input.data).toString());
      });
      call.on('cancelled', () => callsOf(vm).delete(call));
      call.on('error', () => callsOf(vm).delete(call));
    },
    print: (vm, text) => {
      printed.set(vm, (printed.get(vm) ?? '') + text);
      for (const call of callsOf(vm)) call.write({ data: Buffer.from(text) });
    },
    typed: (vm) => typed.get(vm) ?? '',
    end: (vm) => {
      for (const call of callsOf(vm)) call.end();
    },
  };
}
