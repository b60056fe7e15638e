/** The real hypervisor, for those outside this folder. */
export { connectXen } from './client.ts';
