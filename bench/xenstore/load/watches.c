#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* Watches that are asked for before their replies are read. */
enum { batch = 50 };

/* Registers a client's share of the watches, all on one path or each on its own. */
static void watch(struct client *client, int share, const char *common)
{
	char path[64], token[32];
	for (int done = 0; done < share;) {
		int count = share - done < batch ? share - done : batch;
		for (int i = 0; i < count; i++) {
			snprintf(path, sizeof path, "/elsewhere/c%d/w%d", client->number, done + i);
			int length = snprintf(token, sizeof token, "token%d", done + i);
			put(client, WATCH, 0, common ? common : path, token, length + 1);
		}
		send_queued(client);
		for (int i = 0; i < count; i++) must(client);
		done += count;
	}
	await_events(client, share);
}

static struct client **watchers(const char *common)
{
	struct client **clients = calloc(wishes.clients, sizeof *clients);
	for (int i = 0; i < wishes.clients; i++) {
		clients[i] = client_open(i);
		watch(clients[i], wishes.watches / wishes.clients, common);
	}
	return clients;
}

/* Writes where nobody watches, with watches elsewhere. */
static void write_beside(void)
{
	watchers(NULL);
	struct client *writer = client_open(0);
	uint64_t operations = 0, before;
	gauge_begin();
	for (before = nanoseconds(); !gauge_over(); operations++) {
		put(writer, WRITE, 0, some_node(writer, operations), value, sizeof value);
		must(writer);
		uint64_t now = nanoseconds();
		gauge_sample(now - before);
		before = now;
	}
	gauge_report("write", operations);
}

/* Writes a node that all watch; it is over when the last event is there. */
static void write_watched(void)
{
	struct client **clients = watchers("/bench/k1"), *writer = client_open(0);
	struct epoll_event ready[256];
	struct reply reply;
	uint64_t operations = 0;
	int poll = epoll_create1(0);
	for (int i = 0; i < wishes.clients; i++) {
		struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = clients[i] };
		epoll_ctl(poll, EPOLL_CTL_ADD, clients[i]->socket, &wanted);
	}
	int all = wishes.watches / wishes.clients * wishes.clients;
	gauge_begin();
	for (; !gauge_over(); operations++) {
		uint64_t before = nanoseconds();
		put(writer, WRITE, 0, "/bench/k1", value, sizeof value);
		send_queued(writer);
		for (int got = 0; got < all;) {
			int count = epoll_wait(poll, ready, 256, 10000);
			if (count <= 0) fail("fan-out", "events are missing");
			for (int i = 0; i < count; i++) {
				receive(ready[i].data.ptr, 0);
				while (next_message(ready[i].data.ptr, &reply)) got++;
			}
		}
		must(writer);
		gauge_sample(nanoseconds() - before);
	}
	gauge_report("fanOut", operations);
}

void run_watches(void)
{
	prepare();
	if (wishes.depth == 0) write_watched();
	else write_beside();
}
