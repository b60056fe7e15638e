import { PassThrough } from 'node:stream';
import test from 'ava';
import { openMonitor, QemuRefusal } from './qmp.ts';

/** The two ends of a monitor, with what QEMU has been told. */
function qemu(): { input: PassThrough; output: PassThrough; told: () => string[] } {
  const input = new PassThrough();
  const told = (): string[] => `${input.read() ?? ''}`.split('\n').filter((line) => line !== '');
  return { input, output: new PassThrough(), told };
}

test('answers go to the commands in their order; events and greetings go to none', async (t) => {
  const { input, output, told } = qemu();
  const monitor = openMonitor(input, output);
  const first = monitor.command('stop');
  const second = monitor.command('info status');
  output.write('{"QMP": {"version": {}}}\r\n{"return": {}}\r\n{"event": "STOP"}\r\n{"ret');
  output.write('urn": ""}\r\n{"return": "VM status: paused\\r\\n"}\r\n');
  t.is(await first, '');
  t.is(await second, 'VM status: paused');
  t.deepEqual(
    told().map((line) => JSON.parse(line).arguments['command-line']),
    [undefined, 'stop', 'info status'],
  );
});

test('a refusal is an error with what QEMU says', async (t) => {
  const { input, output } = qemu();
  const monitor = openMonitor(input, output);
  const command = monitor.command('nonsense');
  output.write('{"return": {}}\n{"error": {"class": "GenericError", "desc": "unknown"}}\n');
  await t.throwsAsync(command, { instanceOf: QemuRefusal, message: 'unknown' });
});

test('commands that QEMU did not answer before it ended are refused, later ones too', async (t) => {
  const { input, output } = qemu();
  const monitor = openMonitor(input, output);
  const command = monitor.command('stop');
  output.destroy();
  await t.throwsAsync(command, { instanceOf: QemuRefusal });
  await t.throwsAsync(monitor.command('cont'), { instanceOf: QemuRefusal });
});
