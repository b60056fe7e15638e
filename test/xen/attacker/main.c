#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attacker.h"

void answer(const char *what, const char *format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  printf("attack %s: %s\n", what, text);
  fflush(stdout);
}

const char *outcome(long result) {
  if (result >= 0) return "OK";
  const char *name = strerrorname_np(errno);
  return name == NULL ? "an unknown error" : name;
}

int main(void) {
  struct target target = {0};
  attack_machine();
  if (!await_target(&target)) {
    answer("end", "no xenstore");
    return 1;
  }
  attack_store(&target);
  attack_grants(&target);
  attack_channels(&target);
  attack_hypervisor(&target);
  tell_heard(&target);
  answer("end", "done");
  /* Its init would start it again. */
  for (;;) poll(NULL, 0, -1);
}
