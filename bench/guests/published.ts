/** What others have published of systems with the same aim; none of it was measured in this run. */
export const published: readonly string[] = [
  'Lupine (Kuo et al., A Linux in Unikernel Clothing, EuroSys 2020): a kernel of about 4 MB for one',
  '  application; beside a microVM 73 % less image, 59 % faster boot, 28 % less memory.',
  '  Measured again by the artifact of Unikraft (EuroSys 2021): an empty program boots in 17.8 ms on',
  '  Firecracker with KVM, and needs 20 MB of memory; with redis 21 MB.',
  'MirageOS (Madhavapeddy et al., Unikernels: Library Operating Systems for the Cloud, ASPLOS 2013): one',
  '  program with its libraries in one address space, with an order of magnitude less code.',
  'Xoar (Colp et al., Breaking Up is Hard to Do, SOSP 2011): the control domain in service domains that can',
  '  be restarted, at little cost in speed. It is what comes closest to these guests.',
];
