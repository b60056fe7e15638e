/*
 * What an attacker would try who took over a service domain: its service, or its kernel. It tries each thing
 * once and says what it was answered, a line each: `attack WHAT: ANSWER`. A refusal is named by its errno or
 * by Xen's own status. What it may do is tried by the same functions, so that a refusal means something.
 */
#ifndef FLOTILLA_ATTACKER_H
#define FLOTILLA_ATTACKER_H

#include <stdint.h>

/* Whom it attacks: what the control domain tells it, since it cannot find out by itself. */
struct target {
  unsigned own;          /* its own domain */
  unsigned victim;       /* a guest: its NIC is served by this domain, its disk by another */
  unsigned store;        /* the domain that keeps xenstore */
  unsigned disk_ring;    /* the grant of the ring of the victim's disk */
  unsigned disk_channel; /* the victim's port of that disk */
  unsigned nic_ring;     /* the grant of a ring of the victim's NIC */
};

/* main.c */
void answer(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* OK for what is not negative, else the name of errno. */
const char *outcome(long result);

/* store.c */
int await_target(struct target *target);
void attack_store(const struct target *target);
void tell_heard(const struct target *target);

/* machine.c */
void attack_machine(void);

/* grants.c */
void attack_grants(const struct target *target);

/* channels.c */
void attack_channels(const struct target *target);

/* hypercalls.c */
void attack_hypervisor(const struct target *target);

#endif
