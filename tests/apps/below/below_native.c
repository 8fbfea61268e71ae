// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Native code without frame pointers, and with rbp in use for other things: nobody
// finds its callers by rbp.  Each function has one caller.
unsigned long below_leaf(unsigned long value);
unsigned long below_inner(unsigned long value);
unsigned long below_outer(unsigned long value);
unsigned long below_brief(unsigned long value);

/* A call follows in each, which cannot become a jump. */
#define SPOIL_RBP() __asm__ volatile("mov $0x7fff1230, %%ebp" ::: "rbp")

unsigned long below_leaf(unsigned long value)
{
	for (int i = 0; i < 1000; i++)
		value = value * 6364136223846793005UL + 1442695040888963407UL;
	return value;
}

unsigned long below_inner(unsigned long value)
{
	SPOIL_RBP();
	return below_leaf(value) + 1;
}

/* Aligned as the one below is, and nearly all of it the way in and out. */
unsigned long below_brief(unsigned long value)
{
	__attribute__((aligned(64))) volatile char room[128];
	volatile char *more = __builtin_alloca(16 + value % 64);

	room[value % 128] = more[0] = 1;
	return value + room[value % 128] + more[0];
}

/* Its frame has no size that is known before it runs, and is aligned. */
unsigned long below_outer(unsigned long value)
{
	unsigned long sum = 0;

	for (int i = 0; i < 64; i++) {
		__attribute__((aligned(64))) volatile char room[128];
		volatile char *more = __builtin_alloca(16 + value % 64);

		room[value % 128] = more[0] = 1;
		for (int j = 0; j < 512; j++)
			sum += below_brief(value + j);
		sum += below_inner(value + sum + room[value % 128] + more[0]);
	}
	return sum;
}
