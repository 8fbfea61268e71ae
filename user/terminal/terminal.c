// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// ncurses on a thread of its own: see terminal.h.
#define NCURSES_WIDECHAR 1
#include "terminal.h"

#include "restore.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ESCAPE_MS   100		/* what comes later is no part of a key's sequence */
#define CLOSE_S	    1
#define RESTORE_MS  200
#define NOT_OURS_MS 100
#define SIDE_MOST   2000	/* rows, columns: what a terminal claims beyond is not used */

static const int taken[] = { SIGTSTP, SIGCONT, SIGWINCH };
#define TAKEN (sizeof(taken) / sizeof(taken[0]))

/* What the thread is told, a byte each. */
enum { REDRAW = 'r', RESIZE = 'w', STOP = 's', GO_ON = 'c', END = 'e' };

static struct {
	const struct terminal_handlers *handlers;
	bool open;
	int input, output;
	int bell[2];			/* bytes for the thread; both ends never wait */
	FILE *in, *out;
	SCREEN *screen;
	WINDOW *keys;			/* reading keys from the screen's own would draw it */
	bool colours;
	locale_t locale;
	pthread_t thread;
	struct sigaction before[TAKEN];
	struct cells cells;		/* the thread's */
} terminal;

static void ring(char what)
{
	int before = errno;

	/* Full: it has enough to do, and looks at everything anyway. */
	(void)!write(terminal.bell[1], &what, 1);
	errno = before;
}

static void on_signal(int number)
{
	ring(number == SIGTSTP ? STOP : number == SIGCONT ? GO_ON : RESIZE);
}

void terminal__redraw(void)
{
	if (terminal.open)
		ring(REDRAW);
}

/* --- drawing ------------------------------------------------------------- */

static attr_t attributes(uint32_t style)
{
	return (style & CELL_BOLD ? A_BOLD : 0) | (style & CELL_REVERSE ? A_REVERSE : 0) |
	       (style & CELL_DIM ? A_DIM : 0);
}

static void draw(void)
{
	struct cells *cells = &terminal.cells;

	cells__reset(cells, (unsigned int)LINES, (unsigned int)COLS);
	terminal.handlers->draw(terminal.handlers->context, cells);
	erase();
	for (unsigned int row = 0; row < cells->rows; row++) {
		for (unsigned int column = 0; column < cells->columns; column++) {
			struct cell cell = cells->cells[(size_t)row * cells->columns + column];
			wchar_t text[2] = { (wchar_t)cell.code, 0 };
			short colour = terminal.colours ? (short)(cell.style & CELL_COLOUR) : 0;
			cchar_t character;

			if (!cell.code || (cell.code == ' ' && !cell.style))
				continue;
			setcchar(&character, text, attributes(cell.style), colour, NULL);
			/* The last cell of all is an error to curses, which sets it. */
			(void)mvadd_wch((int)row, (int)column, &character);
		}
	}
	refresh();
}

static void resize(void)
{
	struct winsize size;

	if (ioctl(terminal.output, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return;
	resizeterm(size.ws_row < SIDE_MOST ? size.ws_row : SIDE_MOST,
		   size.ws_col < SIDE_MOST ? size.ws_col : SIDE_MOST);
}

/* In the background it is not ours to write to: stops the program, as the shell expects. */
static void wait_for_foreground(void)
{
	pid_t owner = tcgetpgrp(terminal.output);
	sigset_t stop, old;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	pthread_sigmask(SIG_UNBLOCK, &stop, &old);
	while (owner > 0 && owner != getpgrp()) {
		raise(SIGTTOU);
		poll(NULL, 0, NOT_OURS_MS);	/* nobody stops who has no shell any more */
		owner = tcgetpgrp(terminal.output);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void come_back(void)
{
	wait_for_foreground();
	reset_prog_mode();
	resize();
	clearok(curscr, TRUE);
}

/* As if the signal had never been taken, but on a terminal that is as it was. */
static void stop(void)
{
	struct sigaction ours, plain = { .sa_handler = SIG_DFL };
	sigset_t just, old;

	endwin();
	sigaction(SIGTSTP, &plain, &ours);
	sigemptyset(&just);
	sigaddset(&just, SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &just, &old);
	raise(SIGTSTP);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGTSTP, &ours, NULL);
	come_back();
}

/* --- keys ---------------------------------------------------------------- */

static uint32_t key_of(int kind, wint_t code)
{
	static const struct {
		wint_t code;
		uint32_t key;
	} keys[] = {
		{ KEY_UP, KEY_OF_UP }, { KEY_DOWN, KEY_OF_DOWN }, { KEY_LEFT, KEY_OF_LEFT },
		{ KEY_RIGHT, KEY_OF_RIGHT }, { KEY_PPAGE, KEY_OF_PAGE_UP },
		{ KEY_NPAGE, KEY_OF_PAGE_DOWN }, { KEY_HOME, KEY_OF_HOME },
		{ KEY_END, KEY_OF_END }, { KEY_ENTER, KEY_OF_ENTER },
		{ KEY_BACKSPACE, KEY_OF_BACKSPACE },
	};

	if (kind != KEY_CODE_YES)
		return code == '\r' || code == '\n' ? KEY_OF_ENTER :
		       code == 0x7f || code == '\b' ? KEY_OF_BACKSPACE :
		       code == 0x1b ? KEY_OF_ESCAPE : (uint32_t)code;
	for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return 0;
}

static void read_keys(void)
{
	wint_t code;
	int kind;

	while ((kind = wget_wch(terminal.keys, &code)) != ERR) {
		uint32_t key = key_of(kind, code);

		if (key == ('L' & 0x1f))	/* Ctrl-L: something else wrote to it */
			clearok(curscr, TRUE);
		else if (key)
			terminal.handlers->key(terminal.handlers->context, key);
	}
}

/* --- the thread ---------------------------------------------------------- */

/* False: it is to end. */
static bool listen_to_bell(void)
{
	char what[64];
	ssize_t count = read(terminal.bell[0], what, sizeof(what));

	for (ssize_t i = 0; i < count; i++) {
		if (what[i] == END)
			return false;
		if (what[i] == STOP)
			stop();
		if (what[i] == GO_ON)
			come_back();
		if (what[i] == RESIZE)
			resize();
	}
	return true;
}

static void *run(void *unused)
{
	struct pollfd waits[] = { { .fd = terminal.bell[0], .events = POLLIN },
				  { .fd = terminal.input, .events = POLLIN } };

	uselocale(terminal.locale);
	for (;;) {
		draw();
		if (poll(waits, 2, -1) < 0)
			continue;
		if (waits[0].revents && !listen_to_bell())
			break;
		if (waits[1].revents & POLLIN)
			read_keys();
		if (waits[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			waits[1].fd = -1;
			terminal.handlers->gone(terminal.handlers->context);
		}
	}
	endwin();
	restore__disarm();
	return unused;
}

/* The thread takes no signals but those that it may bring on itself. */
static int start_thread(void)
{
	sigset_t all, crashes, old;
	int err;

	sigfillset(&all);
	restore__crashes(&crashes);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_sigmask(SIG_UNBLOCK, &crashes, NULL);
	err = pthread_create(&terminal.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

/* --- opening and closing ------------------------------------------------- */

static void take_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	for (unsigned int i = 0; i < TAKEN; i++)
		sigaction(taken[i], &action, &terminal.before[i]);
}

static void give_signals_back(void)
{
	for (unsigned int i = 0; i < TAKEN; i++)
		sigaction(taken[i], &terminal.before[i], NULL);
}

/* Keys come from the terminal also where standard input does not. */
static int open_files(void)
{
	terminal.input = isatty(STDIN_FILENO) ? dup(STDIN_FILENO) :
			 open("/dev/tty", O_RDWR | O_CLOEXEC);
	terminal.output = dup(STDOUT_FILENO);
	if (terminal.input < 0 || terminal.output < 0 ||
	    pipe2(terminal.bell, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	fcntl(terminal.input, F_SETFD, FD_CLOEXEC);
	fcntl(terminal.output, F_SETFD, FD_CLOEXEC);
	terminal.in = fdopen(terminal.input, "r");
	terminal.out = fdopen(terminal.output, "w");
	return terminal.in && terminal.out ? 0 : -errno;
}

/* Only by what the user set; a process has no locale until it asks for one. */
static void choose_locale(void)
{
	terminal.locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	if (!terminal.locale)
		terminal.locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	terminal.cells.utf8 = !strcmp(nl_langinfo_l(CODESET, terminal.locale), "UTF-8");
}

static void set_up_colours(void)
{
	static const short colours[CELL_COLOURS] = {
		[CELL_RED] = COLOR_RED, [CELL_GREEN] = COLOR_GREEN,
		[CELL_YELLOW] = COLOR_YELLOW, [CELL_BLUE] = COLOR_BLUE,
		[CELL_MAGENTA] = COLOR_MAGENTA, [CELL_CYAN] = COLOR_CYAN,
	};
	const char *none = getenv("NO_COLOR");	/* no-color.org: set and not empty */

	if ((none && *none) || !has_colors())
		return;
	start_color();
	use_default_colors();
	for (short i = 1; i < CELL_COLOURS; i++)
		init_pair(i, colours[i], -1);
	terminal.colours = true;
}

static int set_up_curses(void)
{
	locale_t before = uselocale(terminal.locale);	/* curses asks for the codeset */
	int err = 0;

	terminal.screen = newterm(NULL, terminal.out, terminal.in);
	if (!terminal.screen) {
		err = -EINVAL;
		goto out;
	}
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	leaveok(stdscr, TRUE);
	set_up_colours();
	terminal.keys = newpad(1, 1);
	keypad(terminal.keys, TRUE);
	nodelay(terminal.keys, TRUE);
	resize();
out:
	uselocale(before);
	return err;
}

int terminal__open(const struct terminal_handlers *handlers, struct trouble *ret_trouble)
{
	int err = terminal__check(ret_trouble);

	if (err)
		return err;
	terminal.handlers = handlers;
	err = open_files();
	if (!err)
		err = restore__arm(terminal.input, terminal.output);
	if (err) {
		return trouble__set(ret_trouble, err, "cannot read keys from the terminal: %s",
				    strerror(-err));
	}
	choose_locale();
	wait_for_foreground();
	take_signals();
	err = set_up_curses();
	if (!err)
		err = start_thread();
	terminal.open = !err;
	if (!err)
		return 0;
	restore__now(RESTORE_MS);
	give_signals_back();
	return trouble__set(ret_trouble, err, "cannot use the terminal: %s", strerror(-err));
}

bool terminal__close(void)
{
	struct timespec until;

	if (!terminal.open)
		return true;
	terminal.open = false;
	ring(END);
	restore__let_go();	/* the shell behind us could say nothing either */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S;
	if (pthread_timedjoin_np(terminal.thread, NULL, &until)) {
		restore__now(RESTORE_MS);
		give_signals_back();
		return false;
	}
	give_signals_back();
	delwin(terminal.keys);
	delscreen(terminal.screen);
	fclose(terminal.in);
	fclose(terminal.out);
	close(terminal.bell[0]);
	close(terminal.bell[1]);
	freelocale(terminal.locale);
	cells__free(&terminal.cells);
	return true;
}
