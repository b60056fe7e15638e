import test from 'ava';
import { planText } from './plan.ts';
import { guestServices } from './services.ts';

const keys =
  /^(run|user|module|directory|device|capability|call|sign-of-life|sysfs|terminals|data|images|environment|argument) \S.*$/;

for (const [name, service] of Object.entries(guestServices))
  test(`the plan of ${name} has only lines that its init knows, and fits its bounds`, (t) => {
    const text = planText({
      ...{ service, modules: service.modules, hasConfiguration: true },
      calls: Array.from({ length: 255 }, (_, index) => 200 + index),
    });
    const lines = text.split('\n');
    t.is(lines.pop(), '');
    for (const line of lines) t.regex(line, keys);
    // PLAN_BYTES_MAX, WORDS_MAX and MODULES_MAX of init/init.h
    t.true(text.length < 8192);
    t.true(lines.filter((line) => line.startsWith('argument ')).length < 64);
    t.true(service.modules.length < 32);
  });

test('the xenstore guest starts xenstored as a xenstore domain, and may open what Xen has for it', (t) => {
  const text = planText({
    service: guestServices.xenstore,
    modules: [{ name: 'xen_evtchn' }, { name: 'xen_privcmd', parameters: 'unrestricted=1' }],
    hasConfiguration: false,
    calls: [0, 257],
  });
  t.regex(
    text,
    /^module \/modules\/xen_evtchn\.ko\nmodule \/modules\/xen_privcmd\.ko unrestricted=1$/m,
  );
  t.regex(text, /^device \/dev\/xen\/gntdev$/m);
  t.regex(text, /^call 0\ncall 257$/m);
  t.regex(text, /^argument xenstored\nargument --xenstore-domain$/m);
  t.notRegex(text, /^argument --config$|^capability|^data/m);
});

test('a service with disks looks in its seed for the configuration that is not linked in', (t) => {
  const plan = (hasConfiguration: boolean) =>
    planText({ service: guestServices.consensus, modules: [], hasConfiguration, calls: [] });
  t.regex(plan(false), /^argument --config\nargument \/seed\/configuration\.json$/m);
  t.regex(plan(true), /^argument --config\nargument \/etc\/flotilla\/configuration\.json$/m);
});

test('a driver domain sends copies of what it has of its VMs, an ordinary guest what it has', (t) => {
  const lines = (name: keyof typeof guestServices) => {
    const service = guestServices[name];
    return planText({
      ...{ service, modules: service.modules, hasConfiguration: false, calls: [] },
    });
  };
  t.regex(lines('network'), /^module \S+xen-netfront\.ko trusted=0$/m);
  t.regex(lines('storage'), /^module \S+xen-blkfront\.ko trusted=0$/m);
  t.notRegex(lines('consensus'), /trusted/);
});

test("the control domain has its guests' images and consoles, and starts what starts a host", (t) => {
  const service = guestServices['vm-lifecycle'];
  const text = planText({
    ...{ service, modules: service.modules, hasConfiguration: true, calls: [] },
  });
  t.regex(text, /^images \/images$/m);
  t.regex(text, /^terminals yes$/m);
  t.regex(text, /^argument host-boot\nargument --config\nargument \/etc\/flotilla\/conf/m);
  // Compiled code is the image's own: nobody writes any that is run.
  t.notRegex(text, /COMPILE_CACHE/);
});
