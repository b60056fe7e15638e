import { channel } from 'node:diagnostics_channel';

/**
 * Where a process tells, once, that it serves. Whoever started it may have put off until then what can
 * wait: an image's compilers do (deploy/guest-image/program/start.ts).
 */
export const servingChannel = channel('flotilla.serving');
