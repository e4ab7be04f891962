// SPDX-License-Identifier: GPL-2.0
/* Rounds in a thread: an agent that hangs must not stop the keys. */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include "duration.h"
#include "watch_data.h"

#define S_NS 1000000000ULL
#define LEAVE_MS 200	/* that a request may take when all is over */

static struct timespec in_time(uint64_t ns)
{
	return (struct timespec){ ns / S_NS, ns % S_NS };
}

/* Until the next round is due: a second after the last one at the earliest. */
static void rest(struct watch_thread *t, uint64_t began_ns)
{
	struct timespec until;

	while (!t->stop) {
		uint64_t due_ns = began_ns + (t->hurry ? S_NS : t->every_ns);

		if (!t->paused && sl_mono_ns() >= due_ns)
			break;
		until = in_time(t->paused ? sl_mono_ns() + S_NS : due_ns);
		pthread_cond_timedwait(&t->wake, &t->feed->lock, &until);
	}
}

static void *rounds(void *arg)
{
	struct watch_thread *t = arg;
	uint64_t began_ns;
	int rc;

	pthread_mutex_lock(&t->feed->lock);
	while (!t->stop) {
		t->hurry = false;
		pthread_mutex_unlock(&t->feed->lock);
		began_ns = sl_mono_ns();
		rc = watch_round(t->feed);
		pthread_mutex_lock(&t->feed->lock);
		t->version++;
		t->hurry |= rc != DONE;	/* it may be back in a second */
		rest(t, began_ns);
	}
	pthread_mutex_unlock(&t->feed->lock);
	return NULL;
}

int watch_thread_start(struct watch_thread *t)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	int rc;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	/* signals are the screen's, but those of a fault */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGABRT);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&t->id, NULL, rounds, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

void watch_thread_wake(struct watch_thread *t)
{
	pthread_cond_signal(&t->wake);
}

bool watch_thread_stop(struct watch_thread *t)
{
	struct timespec until;

	pthread_mutex_lock(&t->feed->lock);
	t->stop = true;
	watch_thread_wake(t);
	pthread_mutex_unlock(&t->feed->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until = in_time(until.tv_sec * S_NS + until.tv_nsec +
			LEAVE_MS * 1000000ULL);
	return !pthread_timedjoin_np(t->id, NULL, &until);
}
