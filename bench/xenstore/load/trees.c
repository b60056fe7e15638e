#include "load.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Writes that are asked for before their replies are read. */
enum { batch = 16 };

/* Makes nodes: all in one, or a hundred to a parent. */
static void make(struct client *client, int flat)
{
	char path[64];
	for (int made = 0; made < wishes.nodes;) {
		int count = wishes.nodes - made < batch ? wishes.nodes - made : batch;
		for (int i = made; i < made + count; i++) {
			if (flat) snprintf(path, sizeof path, "/bench/many/child%06d", i);
			else snprintf(path, sizeof path, "/bench/tree/%d/n%d", i / 100, i);
			put(client, WRITE, 0, path, value, sizeof value);
		}
		send_queued(client);
		for (int i = 0; i < count; i++) must(client);
		made += count;
	}
}

static int names_in(const char *names, size_t length)
{
	int count = 0;
	for (size_t i = 0; i < length; i++) count += names[i] == 0;
	return count;
}

/* Lists a node by DIRECTORY_PART, or, where the server has none, by DIRECTORY. */
static int list(struct client *client, const char *path)
{
	char offset[16];
	size_t at = 0;
	int found = 0;
	for (;;) {
		int length = snprintf(offset, sizeof offset, "%zu", at);
		put(client, DIRECTORY_PART, 0, path, offset, length + 1);
		struct reply reply = ask(client);
		if (reply.header->type == ERROR) {
			put(client, DIRECTORY, 0, path, NULL, 0);
			reply = ask(client);
			if (reply.header->type == ERROR) fail("DIRECTORY", reply.payload);
			return names_in(reply.payload, reply.header->length);
		}
		/* A generation comes first, and one more NUL at the end of all. */
		size_t skipped = strlen(reply.payload) + 1, rest = reply.header->length - skipped;
		const char *names = reply.payload + skipped;
		if (rest == 0) return found;
		int last = rest == 1 || (names[rest - 1] == 0 && names[rest - 2] == 0);
		found += names_in(names, rest) - last;
		if (last) return found;
		at += rest;
	}
}

void run_children(void)
{
	struct client *client = client_open(0);
	uint64_t operations = 0;
	prepare();
	gauge_begin();
	make(client, 1);
	gauge_report("create", wishes.nodes);
	gauge_begin();
	for (; !gauge_over(); operations++)
		if (list(client, "/bench/many") != wishes.nodes) fail("list", "children are missing");
	gauge_report("list", operations);
	operations = 0;
	gauge_begin();
	for (; !gauge_over(); operations++) {
		put(client, MKDIR, 0, "/bench/many/new", NULL, 0);
		must(client);
		put(client, RM, 0, "/bench/many/new", NULL, 0);
		must(client);
	}
	gauge_report("mkdirRm", operations);
	gauge_begin();
	put(client, RM, 0, "/bench/many", NULL, 0);
	must(client);
	gauge_report("remove", 1);
}

void run_tree(void)
{
	struct client *client = client_open(0);
	prepare();
	long before = gauge_memory();
	gauge_begin();
	make(client, 0);
	gauge_report("create", wishes.nodes);
	/* What is done after the last reply is part of the memory that it takes, not of the removal. */
	usleep(300000);
	number_report("grown", (gauge_memory() - before) / 1024.0);
	gauge_begin();
	put(client, RM, 0, "/bench/tree", NULL, 0);
	must(client);
	gauge_report("remove", 1);
}
