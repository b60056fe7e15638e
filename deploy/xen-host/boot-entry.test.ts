import test from 'ava';
import { bootWords, grubEntry } from './boot-entry.ts';

test('a boot loader is told the disks, and what the control domain gets of the memory', (t) => {
  const words = bootWords(
    { commandLine: 'panic=1 console=hvc0', memory: 2 ** 30 },
    { data: '/dev/sda3', images: '/dev/sda4', seed: '/dev/sdb' },
    'console=com1',
  );
  t.is(words.xen, 'dom0_mem=1024M,max:1024M console=com1');
  t.is(
    words.kernel,
    'panic=1 console=hvc0 flotilla.data=/dev/sda3 flotilla.images=/dev/sda4 flotilla.host-seed=/dev/sdb',
  );
  const entry = grubEntry(words, { kernel: 'vmlinuz', initramfs: 'initramfs.img' });
  t.regex(entry, /^ {2}multiboot2 \/flotilla\/xen dom0_mem=/m);
  t.regex(entry, /^ {2}module2 \/flotilla\/vmlinuz panic=1 /m);
  t.regex(entry, /^ {2}module2 --nounzip \/flotilla\/initramfs\.img$/m);
});
