#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* A transaction: start, 5 reads, 2 writes, commit. */
enum { reads = 5, writes = 2, commit = 1 + reads + writes };

static int shared;
static uint64_t written, commits, conflicts;

static void node(char *path, size_t length, const struct client *client, int number)
{
	snprintf(path, length, "/bench/t%d/k%d", shared ? 0 : client->number, number);
}

static void queue(struct client *client)
{
	char path[64], text[20];
	if (client->step == 0) {
		client->since = nanoseconds();
		put(client, TRANSACTION_START, 0, "", NULL, 0);
	} else if (client->step <= reads) {
		node(path, sizeof path, client, client->step - 1);
		put(client, READ, client->transaction, path, NULL, 0);
	} else if (client->step < commit) {
		/* Another value each time: what changes nothing may not conflict. */
		snprintf(text, sizeof text, "%015llu", (unsigned long long)++written);
		node(path, sizeof path, client, client->step - reads - 1);
		put(client, WRITE, client->transaction, path, text, strlen(text));
	} else put(client, TRANSACTION_END, client->transaction, "T", NULL, 0);
	send_queued(client);
}

static void take(struct client *client, const struct reply *reply)
{
	if (reply->header->type == ERROR && client->step == commit && !strcmp(reply->payload, "EAGAIN")) conflicts++;
	else if (reply->header->type == ERROR) fail("the server refuses", reply->payload);
	else if (client->step == commit) commits++;
	else if (client->step == 0) client->transaction = strtoul(reply->payload, NULL, 10);
	if (client->step < commit) { client->step++; return; }
	gauge_sample(nanoseconds() - client->since);
	client->step = 0;
}

void run_transactions(int all_on_the_same)
{
	shared = all_on_the_same;
	prepare();
	char path[64];
	struct reply reply;
	struct epoll_event ready[256];
	struct client **clients = calloc(wishes.clients, sizeof *clients);
	int poll = epoll_create1(0);
	for (int i = 0; i < wishes.clients; i++) {
		struct epoll_event wanted = { .events = EPOLLIN };
		wanted.data.ptr = clients[i] = client_open(i);
		epoll_ctl(poll, EPOLL_CTL_ADD, clients[i]->socket, &wanted);
		for (int number = 0; number < reads; number++) {
			node(path, sizeof path, clients[i], number);
			put(clients[i], WRITE, 0, path, value, sizeof value);
			must(clients[i]);
		}
	}
	gauge_begin();
	for (int i = 0; i < wishes.clients; i++) queue(clients[i]);
	while (!gauge_over()) {
		int count = 1;
		if (wishes.clients == 1) { ready[0].data.ptr = clients[0]; receive(clients[0], 1); }
		else count = epoll_wait(poll, ready, 256, 1000);
		for (int i = 0; i < count; i++) {
			struct client *client = ready[i].data.ptr;
			if (wishes.clients > 1) receive(client, 0);
			while (next_message(client, &reply)) { take(client, &reply); queue(client); }
		}
	}
	gauge_report("commit", commits);
	number_report("conflicts", conflicts / (double)(commits + conflicts ? commits + conflicts : 1));
}
