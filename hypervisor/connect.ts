import type { Hypervisor } from './port.ts';

/** Xen through libxl, or a simulated hypervisor behind its socket. */
export type HypervisorChoice =
  | { readonly kind: 'xen' }
  | { readonly kind: 'simulated'; readonly socket: string };

/** Connects to the hypervisor that is asked for; only that one is loaded. */
export async function connectHypervisor(choice: HypervisorChoice): Promise<Hypervisor> {
  switch (choice.kind) {
    case 'xen': {
      const { connectXen } = await import('./xen/index.ts');
      return connectXen();
    }
    case 'simulated': {
      const { connectSimulated } = await import('./simulated/client.ts');
      return connectSimulated(choice.socket);
    }
  }
}
