import type { Step, Told } from './step.ts';

/** A xenstored that histories are told to. */
export interface Subject {
  /** Does one step, and waits until everybody has been told of it. */
  perform(step: Step): Promise<Told>;
  close(): Promise<void>;
}
