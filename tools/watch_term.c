// SPDX-License-Identifier: GPL-2.0
#include "watch_term.h"	/* before term.h, which calls the word lines its own */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define ESC_WAIT_MS 25		/* for what follows the escape of an arrow key */

static SCREEN *screen;
static volatile sig_atomic_t left;
/* What a dying program must write, made beforehand. */
static struct termios saved;
static char restore[256];
static size_t restore_b;
static char other_stack[32768];
static bool colours;

/* --- ways out --- */

static int gather(int c)
{
	if (restore_b < sizeof(restore))
		restore[restore_b++] = c;
	return c;
}

static void make_restore(void)
{
	static const char *const names[] = { "sgr0", "rmkx", "cnorm", "rmcup" };
	char *s;
	size_t i;

	restore_b = 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		s = tigetstr(names[i]);
		if (s && s != (char *)-1)
			tputs(s, 1, gather);
	}
}

static void on_leave(int signo)
{
	left = signo;
}

/* Only what a signal handler may do; then it dies as it would have. */
static void on_fault(int signo)
{
	size_t done = 0;
	ssize_t n;

	while (done < restore_b) {
		n = write(STDOUT_FILENO, restore + done, restore_b - done);
		if (n <= 0)
			break;
		done += n;
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	signal(signo, SIG_DFL);
	raise(signo);
}

static void catch_signals(void)
{
	static const int leave[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int fault[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction act = { .sa_handler = on_leave };
	stack_t stack = { .ss_sp = other_stack,
			  .ss_size = sizeof(other_stack) };
	size_t i;

	sigemptyset(&act.sa_mask);
	for (i = 0; i < sizeof(leave) / sizeof(leave[0]); i++)
		sigaction(leave[i], &act, NULL);
	sigaltstack(&stack, NULL);
	act.sa_handler = on_fault;
	act.sa_flags = SA_ONSTACK;
	for (i = 0; i < sizeof(fault) / sizeof(fault[0]); i++)
		sigaction(fault[i], &act, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int watch_term_signal(void)
{
	return left;
}

void watch_term_close(void)
{
	endwin();
	delscreen(screen);
	/* to the letter, whatever curses thinks of it */
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

/* --- the screen --- */

enum { PAIR_RED = 1, PAIR_YELLOW, PAIR_GREEN, PAIR_CYAN };

static void start_colours(void)
{
	const char *no = getenv("NO_COLOR");
	static const short of_pair[] = {
		[PAIR_RED] = COLOR_RED, [PAIR_YELLOW] = COLOR_YELLOW,
		[PAIR_GREEN] = COLOR_GREEN, [PAIR_CYAN] = COLOR_CYAN };
	short i;

	colours = !(no && no[0]) && has_colors() && start_color() == OK &&
		  use_default_colors() == OK;
	for (i = PAIR_RED; colours && i <= PAIR_CYAN; i++)
		init_pair(i, of_pair[i], -1);
}

bool watch_term_open(void)
{
	if (tcgetattr(STDIN_FILENO, &saved))
		return false;
	screen = newterm(NULL, stdout, stdin);
	if (!screen || !tigetstr("cup")) {	/* no way to move the cursor */
		if (screen) {
			endwin();
			delscreen(screen);
		}
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
		return false;
	}
	make_restore();
	catch_signals();
	cbreak();
	noecho();
	nonl();
	set_escdelay(ESC_WAIT_MS);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	start_colours();
	return true;
}

bool watch_term_wait(int ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&in, 1, ms) < 0)
		return errno == EINTR;
	return !(in.revents & (POLLHUP | POLLERR | POLLNVAL));
}

int32_t watch_term_key(void)
{
	wint_t c;
	int rc = get_wch(&c);

	if (rc == ERR)
		return -1;
	if (rc != KEY_CODE_YES)
		return c == 'L' - '@' ? WATCH_TERM_REPAINT : (int32_t)c;
	switch (c) {
	case KEY_UP: return WATCH_KEY_UP;
	case KEY_DOWN: return WATCH_KEY_DOWN;
	case KEY_LEFT: return WATCH_KEY_LEFT;
	case KEY_RIGHT: return WATCH_KEY_RIGHT;
	case KEY_PPAGE: return WATCH_KEY_PAGE_UP;
	case KEY_NPAGE: return WATCH_KEY_PAGE_DOWN;
	case KEY_HOME: return WATCH_KEY_HOME;
	case KEY_END: return WATCH_KEY_END;
	case KEY_BACKSPACE: return WATCH_KEY_BACKSPACE;
	case KEY_ENTER: return '\n';
	case KEY_RESIZE: return WATCH_TERM_REPAINT;
	default: return 0;
	}
}

void watch_term_size(int *width, int *height)
{
	*width = COLS < WATCH_WIDTH ? COLS : WATCH_WIDTH;
	*height = LINES < WATCH_HEIGHT ? LINES : WATCH_HEIGHT;
}

/* Without colours the attributes alone tell them apart, as do the words. */
static attr_t attributes(enum watch_style s, short *pair)
{
	static const struct {
		attr_t plain, coloured;
		short pair;
	} of[] = {
		[WATCH_PLAIN] = { A_NORMAL, A_NORMAL, 0 },
		[WATCH_BOLD] = { A_BOLD, A_BOLD, 0 },
		[WATCH_FAINT] = { A_DIM, A_DIM, 0 },
		[WATCH_TITLE] = { A_UNDERLINE, A_BOLD, PAIR_CYAN },
		[WATCH_GOOD] = { A_NORMAL, A_NORMAL, PAIR_GREEN },
		[WATCH_WARN] = { A_BOLD, A_NORMAL, PAIR_YELLOW },
		[WATCH_BAD] = { A_BOLD, A_BOLD, PAIR_RED },
		[WATCH_ALARM] = { A_REVERSE | A_BOLD, A_REVERSE | A_BOLD,
				  PAIR_RED },
		[WATCH_SELECTED] = { A_REVERSE, A_REVERSE, 0 },
	};

	*pair = colours ? of[s].pair : 0;
	return colours ? of[s].coloured : of[s].plain;
}

static void paint_line(const struct watch_line *l, int y, int width,
		       bool ascii)
{
	char text[WATCH_LINE_B];
	attr_t attr;
	short pair;

	watch_fit(text, sizeof(text), l->text, width, ascii ? WATCH_ASCII : 0);
	attr = attributes(l->style, &pair);
	attr_set(attr, pair, NULL);
	mvaddstr(y, 0, text);
	if (l->mark_n && l->mark_at < width && l->mark != WATCH_PLAIN) {
		attr = attributes(l->mark, &pair) |
		       (l->style == WATCH_SELECTED ? A_REVERSE : 0);
		mvchgat(y, l->mark_at, l->mark_n, attr, pair, NULL);
	}
}

void watch_term_paint(const struct watch_page *p, int width, bool anew,
		      bool ascii)
{
	int y;

	if (anew)
		clear();
	else
		erase();
	for (y = 0; y < p->n; y++)
		paint_line(&p->line[y], y, width, ascii);
	attr_set(A_NORMAL, 0, NULL);
	refresh();
}
