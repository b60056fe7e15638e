/** The nouns of the ops CLI, as `main.ts` mounts them. */
export { completeCommand, completionCommand } from './completion/command.ts';
export { hostCommand } from './host.ts';
export { operationCommand } from './operation.ts';
export { poolCommand } from './pool/command.ts';
export { vmCommand } from './vm/command.ts';
