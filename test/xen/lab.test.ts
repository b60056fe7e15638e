import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { consoleLog, destroyXlGuest, startXlGuest, xlDiskSize } from './xl-guest.ts';

let lab: Lab;

test.before('two hosts boot', async (t) => {
  t.timeout(1_500_000);
  lab = await bootLab({ hosts: 2 });
});

test.after.always('the hosts are gone', async () => {
  await lab?.close();
});

test('a host runs Xen 4.17', async (t) => {
  const info = await lab.first.sh('xl info');
  t.regex(info, /^xen_version\s*: 4\.17\./m);
  t.regex(info, /^virt_caps\s*:.* hvm/m);
});

test('a host has Node 24, the toolstack and the npm packages', async (t) => {
  t.regex(await lab.first.sh('node --version'), /^v24\./);
  t.regex(await lab.first.sh('flotilla --help'), /control plane/);
  const load = 'import("koffi").then(({ default: k }) => k.load("libxenlight.so.4.17").unload())';
  await lab.first.sh(['sh', '-c', 'cd /opt/flotilla && node -e "$1"', 'sh', load]);
  t.pass();
});

test('hosts reach each other, until the cable is cut', async (t) => {
  const [first, second] = lab.hosts;
  const ping = {
    first: `ping -c 1 -W 10 ${second?.address}`,
    cut: `ping -c 1 -W 2 ${second?.address}`,
  };
  t.is((await first?.exec(ping.first))?.code, 0);
  lab.ethernet.cut([0]);
  t.not((await first?.exec(ping.cut))?.code, 0);
  lab.ethernet.mend();
  t.is((await first?.exec(ping.first))?.code, 0);
});

test('a file goes to a host and comes back', async (t) => {
  const content = Buffer.alloc(3_000_000, 'flotilla');
  await lab.first.put('/tmp/deep/down/file', content);
  t.true(content.equals(await lab.first.get('/tmp/deep/down/file')));
  await t.throwsAsync(lab.first.get('/no/such/file'), { message: /No such file/ });
});

test('a port of a host is reachable from here', async (t) => {
  const listener = 'require("http").createServer((q, s) => s.end("from dom0")).listen(8080)';
  await lab.first.sh(['sh', '-c', 'setsid node -e "$1" >/dev/null 2>&1 &', 'sh', listener]);
  await lab.first.until('busybox wget -q -O - http://127.0.0.1:8080');
  const port = await lab.first.forward(8080);
  const answer = await fetch(`http://127.0.0.1:${port}`);
  t.is(await answer.text(), 'from dom0');
});

for (const [type, address] of [
  ['pv', '10.77.0.101'],
  ['pvh', '10.77.0.102'],
] as const) {
  test(`xl starts the test guest as ${type.toUpperCase()}, with disk, NIC and console`, async (t) => {
    const [host, other] = lab.hosts;
    if (host === undefined || other === undefined) return t.fail('two hosts were asked for');
    const name = `guest-${type}`;
    const said = (line: string) =>
      host.until(`grep -a '^flotilla guest: ${line}' ${consoleLog(name)}`);
    const times = await startXlGuest(host, { name, type, address: `${address}/24` });
    t.log(`xl create: ${times.create} ms; first line of the guest: ${times.ready} ms`);
    await said('devices done');
    t.regex(await said('disk'), new RegExp(`disk xvda ${xlDiskSize} bytes, wrote and read back`));
    t.regex(await said('nic'), new RegExp(`nic eth0 mac [0-9a-f:]+ up, address ${address}/24`));
    t.regex(await said('ping'), new RegExp(`ping ${host.address} answered`));
    t.is((await other.exec(`ping -c 1 -W 10 ${address}`)).code, 0, 'from the other host');

    const typing = 'timeout 20 socat -u - "FILE:$1" <<EOF\nhello from outside\nEOF';
    const domid = (await host.sh(`xl domid ${name}`)).trim();
    const tty = (await host.sh(`xenstore-read /local/domain/${domid}/console/tty`)).trim();
    await host.sh(['sh', '-c', typing, 'sh', tty]);
    await said('typed: hello from outside');

    await host.sh(`xl shutdown -w ${name}`, { timeout: 300_000 });
    await said('poweroff');
    await host.until(`! xl domid ${name}`);
    await destroyXlGuest(host, name);
    t.notRegex(await host.sh('losetup -a'), new RegExp(name));
  });
}
