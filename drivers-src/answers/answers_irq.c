// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts: mappings of a domain, what request_irq() refuses, lines that scream, types and wake-up, threads. The chip and
 * its lines are the suite's own; a case raises one as an interrupt controller's driver would.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/sched.h>

#define LINES 8
#define PATIENCE (10 * HZ)
/* Of 100,000 interrupts in a row that nobody handles, the kernel makes an end. */
#define SCREAMS 100000

static unsigned int masked[LINES], unmasked[LINES], retriggered[LINES];

static void mask(struct irq_data *data)
{
	masked[data->hwirq]++;
}

static void unmask(struct irq_data *data)
{
	unmasked[data->hwirq]++;
}

static void acknowledge(struct irq_data *data)
{
}

/* The line goes up once more: a case looks how often it was asked to. */
static int retrigger(struct irq_data *data)
{
	retriggered[data->hwirq]++;
	return 1;
}

/* It knows edges only. */
static int set_type(struct irq_data *data, unsigned int type)
{
	return type & IRQ_TYPE_LEVEL_MASK ? -EPROTO : 0;
}

static struct irq_chip chip = {
	.name = "answers",
	.irq_mask = mask,
	.irq_unmask = unmask,
	.irq_ack = acknowledge,
	.irq_set_type = set_type,
	.irq_retrigger = retrigger,
};

static int refuses_wake(struct irq_data *data, unsigned int on)
{
	return -EREMOTEIO;
}

static struct irq_chip wakeful_chip = {
	.name = "answers-wake",
	.irq_mask = mask,
	.irq_unmask = unmask,
	.irq_ack = acknowledge,
	.irq_set_wake = refuses_wake,
};

static int map(struct irq_domain *domain, unsigned int irq, irq_hw_number_t line)
{
	irq_domain_set_info(domain, irq, line, &chip, NULL, handle_level_irq, NULL, NULL);
	return 0;
}

static const struct irq_domain_ops ops = { .map = map };

struct bench {
	struct irq_domain *domain;
	unsigned int irq, other;
	struct completion came;
	unsigned int count, thread_count;
	struct task_struct *thread;
	bool in_hard, thread_in_interrupt;
	irqreturn_t answer;
};

static int bench_init(struct kunit *test)
{
	struct bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	memset(masked, 0, sizeof(masked));
	memset(unmasked, 0, sizeof(unmasked));
	memset(retriggered, 0, sizeof(retriggered));
	init_completion(&bench->came);
	bench->answer = IRQ_HANDLED;
	bench->domain = irq_domain_create_linear(NULL, LINES, &ops, NULL);
	KUNIT_ASSERT_NOT_NULL(test, bench->domain);
	bench->irq = irq_create_mapping(bench->domain, 1);
	bench->other = irq_create_mapping(bench->domain, 2);
	KUNIT_ASSERT_NE(test, bench->irq, 0u);
	KUNIT_ASSERT_NE(test, bench->other, 0u);
	test->priv = bench;
	return 0;
}

static void bench_exit(struct kunit *test)
{
	struct bench *bench = test->priv;
	int line;

	if (!bench || !bench->domain)
		return;
	for (line = 0; line < LINES; line++)
		irq_dispose_mapping(irq_find_mapping(bench->domain, line));
	irq_domain_remove(bench->domain);
}

static irqreturn_t comes(int irq, void *data)
{
	struct bench *bench = data;

	bench->count++;
	bench->in_hard = in_hardirq();
	return bench->answer;
}

static irqreturn_t goes_on(int irq, void *data)
{
	struct bench *bench = data;

	bench->thread_count++;
	bench->thread = current;
	bench->thread_in_interrupt = in_interrupt();
	complete(&bench->came);
	return IRQ_HANDLED;
}

static void raise(unsigned int irq)
{
	generic_handle_irq_safe(irq);
}

static bool disabled(unsigned int irq)
{
	return irqd_irq_disabled(irq_get_irq_data(irq));
}

static void mappings_are_found_and_disposed(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int irq = irq_create_mapping(bench->domain, 5);

	KUNIT_EXPECT_NE(test, irq, 0u);
	KUNIT_EXPECT_NE(test, irq, bench->irq);
	KUNIT_EXPECT_EQ(test, irq_find_mapping(bench->domain, 5), irq);
	KUNIT_EXPECT_EQ(test, irq_create_mapping(bench->domain, 5), irq);
	KUNIT_EXPECT_EQ(test, irq_get_irq_data(irq)->hwirq, 5ul);
	irq_dispose_mapping(irq);
	KUNIT_EXPECT_EQ(test, irq_find_mapping(bench->domain, 5), 0u);
	KUNIT_EXPECT_EQ(test, irq_find_mapping(bench->domain, 6), 0u);
	/* A domain of eight lines has no ninth. */
	KUNIT_EXPECT_EQ(test, irq_create_mapping(bench->domain, LINES), 0u);
}

static void no_handler_wants_oneshot(struct kunit *test)
{
	struct bench *bench = test->priv;

	KUNIT_EXPECT_EQ(test, request_threaded_irq(bench->irq, NULL, NULL, 0, "answers", bench), -EINVAL);
	KUNIT_EXPECT_EQ(test, request_threaded_irq(bench->irq, NULL, goes_on, 0, "answers", bench), -EINVAL);
	KUNIT_ASSERT_EQ(test, request_threaded_irq(bench->irq, NULL, goes_on, IRQF_ONESHOT, "answers", bench), 0);
	free_irq(bench->irq, bench);
}

static void sharing_takes_two_alike(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned long rising = IRQF_SHARED | IRQF_TRIGGER_RISING;

	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, IRQF_SHARED, "answers", NULL), -EINVAL);
	KUNIT_ASSERT_EQ(test, request_irq(bench->irq, comes, rising, "answers", bench), 0);
	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, IRQF_TRIGGER_RISING, "answers", test), -EBUSY);
	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, IRQF_SHARED | IRQF_TRIGGER_FALLING, "answers", test), -EBUSY);
	KUNIT_EXPECT_EQ(test, request_threaded_irq(bench->irq, comes, goes_on, rising | IRQF_ONESHOT, "answers", test), -EBUSY);
	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, rising, "answers", &bench->count), 0);
	KUNIT_EXPECT_STREQ(test, free_irq(bench->irq, &bench->count), "answers");
	free_irq(bench->irq, bench);
	/* Without anybody it can be had alone. */
	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, 0, "answers", bench), 0);
	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, IRQF_SHARED, "answers", test), -EBUSY);
	free_irq(bench->irq, bench);
}

static void handler_runs_in_interrupt_context(struct kunit *test)
{
	struct bench *bench = test->priv;

	KUNIT_ASSERT_EQ(test, request_irq(bench->irq, comes, 0, "answers", bench), 0);
	local_irq_disable();
	__irq_enter_raw();
	generic_handle_irq(bench->irq);
	__irq_exit_raw();
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, bench->count, 1u);
	KUNIT_EXPECT_TRUE(test, bench->in_hard);
	free_irq(bench->irq, bench);
}

static void screaming_line_is_disabled(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int i;

	bench->answer = IRQ_NONE;
	KUNIT_ASSERT_EQ(test, request_irq(bench->irq, comes, 0, "answers", bench), 0);
	for (i = 0; i < SCREAMS - 1; i++) {
		raise(bench->irq);
		if (i % 1000 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_FALSE(test, disabled(bench->irq));
	raise(bench->irq);
	KUNIT_EXPECT_TRUE(test, disabled(bench->irq));
	i = bench->count;
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, bench->count, i);
	free_irq(bench->irq, bench);
}

/* Now and then one that was another's is no reason. */
static void handled_now_and_then_is_no_scream(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, request_irq(bench->irq, comes, 0, "answers", bench), 0);
	for (i = 0; i < SCREAMS + 1000; i++) {
		bench->answer = i % 100 ? IRQ_NONE : IRQ_HANDLED;
		raise(bench->irq);
		if (i % 1000 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_FALSE(test, disabled(bench->irq));
	free_irq(bench->irq, bench);
}

static void type_is_the_chips_answer(struct kunit *test)
{
	struct bench *bench = test->priv;

	KUNIT_EXPECT_EQ(test, irq_set_irq_type(bench->irq, IRQ_TYPE_LEVEL_HIGH), -EPROTO);
	KUNIT_EXPECT_EQ(test, irq_set_irq_type(bench->irq, IRQ_TYPE_EDGE_FALLING), 0);
	KUNIT_EXPECT_EQ(test, irq_get_trigger_type(bench->irq), (u32)IRQ_TYPE_EDGE_FALLING);
	/* Who asks for one with the line hears the same. */
	KUNIT_EXPECT_EQ(test, request_irq(bench->irq, comes, IRQF_TRIGGER_LOW, "answers", bench), -EPROTO);
	KUNIT_EXPECT_EQ(test, irq_set_irq_type(INT_MAX, IRQ_TYPE_EDGE_FALLING), -EINVAL);
}

static void wake_up_is_the_chips_answer(struct kunit *test)
{
	struct bench *bench = test->priv;

	KUNIT_EXPECT_EQ(test, enable_irq_wake(bench->irq), -ENXIO);
	irq_set_chip_and_handler(bench->other, &wakeful_chip, handle_level_irq);
	KUNIT_EXPECT_EQ(test, enable_irq_wake(bench->other), -EREMOTEIO);
	irq_set_chip_and_handler(bench->other, &chip, handle_level_irq);
}

static void lines_are_masked_and_unmasked(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int before;

	KUNIT_ASSERT_EQ(test, request_irq(bench->irq, comes, 0, "answers", bench), 0);
	KUNIT_EXPECT_EQ(test, unmasked[1], 1u);
	/* A level is masked while its handler runs. */
	before = masked[1];
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, masked[1], before + 1);
	KUNIT_EXPECT_EQ(test, unmasked[1], 2u);
	/* Disabling counts; the chip hears of it when the line is raised all the same. */
	disable_irq(bench->irq);
	disable_irq(bench->irq);
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, bench->count, 1u);
	KUNIT_EXPECT_TRUE(test, irqd_irq_masked(irq_get_irq_data(bench->irq)));
	enable_irq(bench->irq);
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, bench->count, 1u);
	enable_irq(bench->irq);
	KUNIT_EXPECT_FALSE(test, irqd_irq_masked(irq_get_irq_data(bench->irq)));
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, bench->count, 2u);
	free_irq(bench->irq, bench);
	KUNIT_EXPECT_TRUE(test, irqd_irq_masked(irq_get_irq_data(bench->irq)));
}

/* What came while it was disabled is asked for again when it is enabled. */
static void edge_is_kept_while_disabled(struct kunit *test)
{
	struct bench *bench = test->priv;

	irq_set_chip_and_handler(bench->irq, &chip, handle_edge_irq);
	KUNIT_ASSERT_EQ(test, request_irq(bench->irq, comes, 0, "answers", bench), 0);
	disable_irq(bench->irq);
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, bench->count, 0u);
	KUNIT_EXPECT_EQ(test, retriggered[1], 0u);
	enable_irq(bench->irq);
	KUNIT_EXPECT_EQ(test, retriggered[1], 1u);
	raise(bench->irq);
	KUNIT_EXPECT_EQ(test, bench->count, 1u);
	free_irq(bench->irq, bench);
}

static void thread_takes_over(struct kunit *test)
{
	struct bench *bench = test->priv;

	bench->answer = IRQ_WAKE_THREAD;
	KUNIT_ASSERT_EQ(test, request_threaded_irq(bench->irq, comes, goes_on, IRQF_ONESHOT, "answers", bench), 0);
	raise(bench->irq);
	/* Masked until the thread has done its part. */
	KUNIT_EXPECT_EQ(test, bench->thread_count, 0u);
	KUNIT_EXPECT_TRUE(test, irqd_irq_masked(irq_get_irq_data(bench->irq)));
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&bench->came, PATIENCE), 0ul);
	synchronize_irq(bench->irq);
	KUNIT_EXPECT_FALSE(test, irqd_irq_masked(irq_get_irq_data(bench->irq)));
	KUNIT_EXPECT_FALSE(test, bench->thread_in_interrupt);
	KUNIT_EXPECT_PTR_NE(test, bench->thread, current);
	KUNIT_EXPECT_EQ(test, bench->count, 1u);
	KUNIT_EXPECT_EQ(test, bench->thread_count, 1u);
	free_irq(bench->irq, bench);
}

struct demultiplexer {
	unsigned int child;
	struct task_struct *thread;
	struct completion done;
};

static irqreturn_t demultiplexes(int irq, void *data)
{
	struct demultiplexer *parent = data;

	parent->thread = current;
	handle_nested_irq(parent->child);
	complete(&parent->done);
	return IRQ_HANDLED;
}

/* A line behind a slow bus: its handler runs in the thread of the line above it. */
static void nested_runs_in_its_parents_thread(struct kunit *test)
{
	struct bench *bench = test->priv;
	struct demultiplexer parent = { .child = bench->other };

	init_completion(&parent.done);
	irq_set_nested_thread(bench->other, true);
	KUNIT_EXPECT_EQ(test, request_irq(bench->other, comes, 0, "answers", bench), -EINVAL);
	KUNIT_ASSERT_EQ(test, request_threaded_irq(bench->other, NULL, goes_on, 0, "answers", bench), 0);
	KUNIT_ASSERT_EQ(test, request_threaded_irq(bench->irq, NULL, demultiplexes, IRQF_ONESHOT, "answers", &parent), 0);
	raise(bench->irq);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&parent.done, PATIENCE), 0ul);
	KUNIT_EXPECT_EQ(test, bench->thread_count, 1u);
	KUNIT_EXPECT_PTR_EQ(test, bench->thread, parent.thread);
	/* A client that does not care gets what the line has. */
	free_irq(bench->other, bench);
	KUNIT_EXPECT_EQ(test, request_any_context_irq(bench->other, goes_on, 0, "answers", bench), (int)IRQC_IS_NESTED);
	free_irq(bench->irq, &parent);
	free_irq(bench->other, bench);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(mappings_are_found_and_disposed),
	KUNIT_CASE(no_handler_wants_oneshot),
	KUNIT_CASE(sharing_takes_two_alike),
	KUNIT_CASE(handler_runs_in_interrupt_context),
	KUNIT_CASE(screaming_line_is_disabled),
	KUNIT_CASE(handled_now_and_then_is_no_scream),
	KUNIT_CASE(type_is_the_chips_answer),
	KUNIT_CASE(wake_up_is_the_chips_answer),
	KUNIT_CASE(lines_are_masked_and_unmasked),
	KUNIT_CASE(edge_is_kept_while_disabled),
	KUNIT_CASE(thread_takes_over),
	KUNIT_CASE(nested_runs_in_its_parents_thread),
	{ }
};

static struct kunit_suite suite = { .name = "answers_irq", .init = bench_init, .exit = bench_exit, .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("Asks what Linux answers of interrupts");
MODULE_LICENSE("GPL");
