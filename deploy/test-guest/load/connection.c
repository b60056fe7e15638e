#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* A packet that is more than its headers, and whose rest a backend has to copy. */
#define LINE_BYTES 1024

/* Between two attempts to connect. */
#define ANEW_MS 1000

static void make_line(char *line, unsigned long number) {
  memset(line, (int)('a' + number % 26), LINE_BYTES);
  int length = snprintf(line, LINE_BYTES, "line %lu ", number);
  line[length] = 'x';
  line[LINE_BYTES - 1] = '\n';
}

static int send_all(int peer, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = send(peer, bytes, length, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    bytes += count;
    length -= (size_t)count;
  }
  return 0;
}

static int receive_all(int peer, char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = recv(peer, bytes, length, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = ECONNRESET;
    if (count <= 0) return -1;
    bytes += count;
    length -= (size_t)count;
  }
  return 0;
}

/* Until the connection is lost. Nothing here has a time-out: how long one lives is TCP's to say. */
static void hold(struct course *course, int peer) {
  char sent[LINE_BYTES];
  char echoed[LINE_BYTES];
  for (unsigned long number = 1;; number += 1) {
    make_line(sent, number);
    if (send_all(peer, sent, LINE_BYTES) < 0 || receive_all(peer, echoed, LINE_BYTES) < 0) return;
    if (memcmp(sent, echoed, LINE_BYTES) != 0) {
      course->wrong += 1;
      say("line %lu came back as something else", number);
    }
    round_ended(course);
    rest(ROUND_PAUSE_MS);
  }
}

void *load_connection(void *argument) {
  struct connection_load *load = argument;
  const struct sockaddr *address = (const struct sockaddr *)&load->peer;
  for (;; rest(ANEW_MS)) {
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer < 0) continue;
    if (connect(peer, address, sizeof load->peer) == 0) {
      load->course.begun += 1;
      hold(&load->course, peer);
      load->course.errors += 1;
      say("the connection is lost: %s", strerror(errno));
    }
    close(peer);
  }
}
