#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

const char value[16] = "0123456789abcde";

void prepare(void)
{
	char path[64];
	struct client *client = client_open(0);
	put(client, WRITE, 0, "/bench/x", "", 0);
	must(client);
	put(client, RM, 0, "/bench", NULL, 0);
	must(client);
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof path, "/bench/k%d", i);
		put(client, WRITE, 0, path, value, sizeof value);
		must(client);
	}
	put(client, MKDIR, 0, "/bench/made", NULL, 0);
	must(client);
	client_close(client);
}

const char *some_node(const struct client *client, uint64_t turn)
{
	static char path[64];
	snprintf(path, sizeof path, "/bench/k%d", (int)((turn * 7 + client->number * 13) % 1000));
	return path;
}

static void queue(struct client *client, enum operation operation)
{
	char path[64];
	uint64_t turn = client->turn++;
	switch (operation) {
	case op_read:
		put(client, READ, 0, some_node(client, turn), NULL, 0);
		return;
	case op_write:
		put(client, WRITE, 0, some_node(client, turn), value, sizeof value);
		return;
	case op_mkdir_rm:
		snprintf(path, sizeof path, "/bench/made/c%d-%llu", client->number, (unsigned long long)turn / 2);
		put(client, turn % 2 ? RM : MKDIR, 0, path, NULL, 0);
		return;
	}
}

/* One request at a time: no epoll between the reply and the next request. */
static uint64_t lock_step(struct client *client, enum operation operation)
{
	uint64_t operations = 0, before = nanoseconds();
	while (!gauge_over()) {
		queue(client, operation);
		must(client);
		uint64_t now = nanoseconds();
		gauge_sample(now - before);
		before = now;
		operations++;
	}
	return operations;
}

static uint64_t concurrent(struct client **clients, enum operation operation)
{
	uint64_t operations = 0;
	struct epoll_event ready[256];
	struct reply reply;
	int poll = epoll_create1(0);
	for (int i = 0; i < wishes.clients; i++) {
		struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = clients[i] };
		epoll_ctl(poll, EPOLL_CTL_ADD, clients[i]->socket, &wanted);
		for (int each = 0; each < wishes.depth; each++) queue(clients[i], operation);
		clients[i]->since = nanoseconds();
		send_queued(clients[i]);
	}
	while (!gauge_over()) {
		int count = epoll_wait(poll, ready, 256, 1000);
		for (int i = 0; i < count; i++) {
			struct client *client = ready[i].data.ptr;
			receive(client, 0);
			while (next_message(client, &reply)) {
				if (reply.header->type == ERROR) fail("the server refuses", reply.payload);
				operations++;
				queue(client, operation);
				if (wishes.depth > 1) continue;
				uint64_t now = nanoseconds();
				gauge_sample(now - client->since);
				client->since = now;
			}
			send_queued(client);
		}
	}
	close(poll);
	return operations;
}

void run_operations(enum operation operation)
{
	prepare();
	for (int i = 0; i < wishes.idle; i++) dial();
	struct client **clients = calloc(wishes.clients, sizeof *clients);
	for (int i = 0; i < wishes.clients; i++) clients[i] = client_open(i);
	gauge_begin();
	uint64_t operations = wishes.clients * wishes.depth == 1 ? lock_step(clients[0], operation) : concurrent(clients, operation);
	gauge_report("operation", operations);
}

void run_connects(void)
{
	prepare();
	uint64_t operations = 0;
	gauge_begin();
	for (; !gauge_over(); operations++) {
		uint64_t before = nanoseconds();
		struct client *client = client_open(0);
		put(client, READ, 0, "/bench/k1", NULL, 0);
		must(client);
		client_close(client);
		gauge_sample(nanoseconds() - before);
	}
	gauge_report("operation", operations);
}
