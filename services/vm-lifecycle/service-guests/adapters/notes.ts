import { unreachable } from '../../../../base/assert.ts';
import type { Note, Phase } from '../core/guest.ts';

/** A note as an operator reads it, after the name of the service. */
export function noteText(note: Note): string {
  switch (note.kind) {
    case 'adopted':
      return `runs already, as domain ${note.domain}`;
    case 'starting':
      return 'is started: its image is checked, then its domain is built';
    case 'started':
      return `runs, as domain ${note.domain}`;
    case 'serving':
      return `serves, as domain ${note.domain}, ${seconds(note.after)} after it ran`;
    case 'unserved':
      return `does not serve: the kernel of domain ${note.domain} refuses connections`;
    case 'starved':
      return `gets no processor, domain ${note.domain}: those of the host are taken by others`;
    case 'refused':
      return `is not started: ${note.why}`;
    case 'trouble':
      return `cannot be looked after: ${note.why}`;
    case 'fell':
      return `fell: ${note.why}; it is started again in ${seconds(note.wait)}`;
    case 'stopping':
      return `is asked to stop, domain ${note.domain}`;
    case 'destroying':
      return `domain ${note.domain} is destroyed: ${note.why}`;
  }
  return unreachable(note);
}

/** Where a guest stands, in one word. */
export function stateOf(phase: Phase): string {
  switch (phase.kind) {
    case 'unsure':
    case 'waiting':
      return 'waiting';
    case 'refused':
      return 'refused';
    case 'starting':
      return 'starting';
    case 'up':
      if (phase.answers) return 'serving';
      return phase.servedAt === null ? 'starting' : 'silent';
    case 'stopping':
    case 'destroying':
      return 'stopping';
  }
  return unreachable(phase);
}

function seconds(span: number): string {
  return `${(span / 1000).toFixed(1)} s`;
}
