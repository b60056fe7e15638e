import type { ServiceName } from '../../pool/records/host.ts';

/** A program that a host runs. */
export interface HostProcess {
  /** What its configuration and its log are named after. */
  readonly name: ServiceName | 'service-guests' | 'simulated-hypervisor';
  /** The subcommand of `flotilla` that runs it. */
  readonly command: readonly string[];
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** What a service's guest is given at each start: a directory of files, for nobody else. */
export interface Seed {
  /** Absolute. */
  readonly directory: string;
  /** Becomes `configuration.json`. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Files that are copied: their names in the seed, and where they are. */
  readonly files: Readonly<Record<string, string>>;
}

/** What `flotilla host up --config` reads. */
export interface HostPlan {
  readonly host: { readonly id: string; readonly name: string };
  /** Where its state is: absolute. */
  readonly directory: string;
  readonly processes: readonly HostProcess[];
  readonly seeds?: readonly Seed[] | undefined;
}
