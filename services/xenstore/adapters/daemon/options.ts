import type { Result } from '../../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { XenstoreError } from '../../core/error.ts';
import type { AdapterCommand } from '../../core/input.ts';
import type { DomainId } from '../../core/permissions.ts';
import type { Rings } from '../attached.ts';
import type { Trace } from '../trace.ts';

/** Runs a command of CONTROL that is about the process; the reply is text. */
export type Control = (
  command: AdapterCommand,
  parameters: readonly string[],
) => Promise<Result<string, XenstoreError>>;

/** What a daemon may be given besides its journal. */
export interface DaemonOptions {
  readonly rings?: Rings;
  readonly control?: Control;
  /** The access log, which may be off. */
  readonly trace?: Trace;
  /** Told of a ring that was served before and cannot be mapped again, in a sentence. */
  readonly onTrouble?: (sentence: string) => void;
  /** Told of quotas that are exceeded, at most once in `quotaSilence` for each domain and quota. */
  readonly onQuota?: (domain: DomainId, quota: string) => void;
}

/** How long the same domain's same quota is not told of again. */
export const quotaSilence: Milliseconds = milliseconds(10_000);

/** What a daemon begins with. */
export type Beginning = 'alone' | 'handed over';
