// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rest of the core: RCU callbacks, processors that come and go, user memory that is not there, rate limits, clocks by
 * device node and by name, files in /proc.
 */
#include <kunit/test.h>
#include <linux/clk.h>
#include <linux/clk-provider.h>
#include <linux/clkdev.h>
#include <linux/completion.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/proc_fs.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include "read_file.h"

/* ---- RCU ---- */

struct passing {
	struct rcu_head head;
	struct completion done;
	bool in_softirq, over;
};

static void passes(struct rcu_head *head)
{
	struct passing *passing = container_of(head, struct passing, head);

	passing->in_softirq = in_serving_softirq();
	passing->over = true;
	complete(&passing->done);
}

static void rcu_calls_back_in_softirq(struct kunit *test)
{
	struct passing *passing = kunit_kzalloc(test, sizeof(*passing), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, passing);
	init_completion(&passing->done);
	rcu_read_lock();
	call_rcu(&passing->head, passes);
	/* Who reads is not overtaken. */
	udelay(100);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(passing->over));
	rcu_read_unlock();
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&passing->done, 10 * HZ), 0ul);
	KUNIT_EXPECT_TRUE(test, passing->in_softirq);
}

static void rcu_barrier_waits_for_them(struct kunit *test)
{
	struct passing *passing = kunit_kzalloc(test, sizeof(*passing), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, passing);
	init_completion(&passing->done);
	call_rcu(&passing->head, passes);
	rcu_barrier();
	KUNIT_EXPECT_TRUE(test, passing->over);
}

/* ---- processors ---- */

static int ups, downs, up_answer;

static int comes_up(unsigned int cpu)
{
	ups++;
	return up_answer;
}

static int goes_down(unsigned int cpu)
{
	downs++;
	return 0;
}

static void cpu_state_is_torn_down(struct kunit *test)
{
	int state, cpus = num_online_cpus();

	ups = downs = up_answer = 0;
	state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "answers:online", comes_up, goes_down);
	KUNIT_ASSERT_GT(test, state, 0);
	KUNIT_EXPECT_EQ(test, ups, cpus);
	KUNIT_EXPECT_EQ(test, downs, 0);
	cpuhp_remove_state(state);
	KUNIT_EXPECT_EQ(test, downs, cpus);
	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "answers:online", comes_up, goes_down);
	KUNIT_ASSERT_GT(test, state, 0);
	cpuhp_remove_state_nocalls(state);
	KUNIT_EXPECT_EQ(test, ups, cpus);
	KUNIT_EXPECT_EQ(test, downs, cpus);
	up_answer = -EIO;
	KUNIT_EXPECT_EQ(test, cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "answers:online", comes_up, goes_down), -EIO);
}

/* ---- user memory ---- */

static void user_memory_may_not_be_there(struct kunit *test)
{
	/* Where no program's memory lies. */
	void __user *bad = (void __user *)-64ul;
	u8 bytes[32];
	u32 word = 1;

	memset(bytes, 0x5a, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, copy_from_user(bytes, bad, sizeof(bytes)), (unsigned long)sizeof(bytes));
	/* What was not copied is zero, so that nothing old is taken for it. */
	KUNIT_EXPECT_EQ(test, bytes[0], (u8)0);
	KUNIT_EXPECT_EQ(test, copy_to_user(bad, bytes, sizeof(bytes)), (unsigned long)sizeof(bytes));
	KUNIT_EXPECT_EQ(test, clear_user(bad, sizeof(bytes)), (unsigned long)sizeof(bytes));
	KUNIT_EXPECT_EQ(test, get_user(word, (u32 __user *)bad), -EFAULT);
	KUNIT_EXPECT_EQ(test, put_user(word, (u32 __user *)bad), -EFAULT);
	KUNIT_EXPECT_EQ(test, strncpy_from_user(bytes, bad, sizeof(bytes)), (long)-EFAULT);
	KUNIT_EXPECT_TRUE(test, IS_ERR(memdup_user(bad, sizeof(bytes))));
}

/* ---- rate limits ---- */

static void rate_is_limited(struct kunit *test)
{
	static DEFINE_RATELIMIT_STATE(limit, HZ / 5, 3);
	int i;

	ratelimit_set_flags(&limit, RATELIMIT_MSG_ON_RELEASE);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, __ratelimit(&limit), 1);
	KUNIT_EXPECT_EQ(test, __ratelimit(&limit), 0);
	KUNIT_EXPECT_EQ(test, __ratelimit(&limit), 0);
	msleep(300);
	KUNIT_EXPECT_EQ(test, __ratelimit(&limit), 1);
}

/* ---- clocks ---- */

#define HERTZ 12345678ul

static void node_release(struct kobject *kobj)
{
}

static void clock_is_found_by_its_node(struct kunit *test)
{
	static struct kobj_type type = { .release = node_release };
	struct device_node *node = kunit_kzalloc(test, sizeof(*node), GFP_KERNEL);
	struct of_phandle_args args = { .np = node };
	struct clk_hw *hw;
	struct clk *clk;

	if (!IS_ENABLED(CONFIG_OF) || !IS_ENABLED(CONFIG_COMMON_CLK))
		kunit_skip(test, "the kernel is configured without device trees or clocks");
	KUNIT_ASSERT_NOT_NULL(test, node);
	node->name = "clock";
	node->full_name = "clock";
	kobject_init(&node->kobj, &type);
	hw = clk_hw_register_fixed_rate(NULL, "answers-node", NULL, 0, HERTZ);
	KUNIT_ASSERT_FALSE(test, IS_ERR(hw));
	/* Until somebody provides it, it may yet come. */
	KUNIT_EXPECT_EQ(test, PTR_ERR(of_clk_get_from_provider(&args)), (long)-EPROBE_DEFER);
	KUNIT_ASSERT_EQ(test, of_clk_add_hw_provider(node, of_clk_hw_simple_get, hw), 0);
	clk = of_clk_get_from_provider(&args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(clk));
	KUNIT_EXPECT_EQ(test, clk_get_rate(clk), HERTZ);
	clk_put(clk);
	of_clk_del_provider(node);
	KUNIT_EXPECT_EQ(test, PTR_ERR(of_clk_get_from_provider(&args)), (long)-EPROBE_DEFER);
	clk_hw_unregister_fixed_rate(hw);
}

static void clock_is_found_by_its_name(struct kunit *test)
{
	struct clk_lookup *lookup;
	struct clk_hw *hw;
	struct clk *clk;

	if (!IS_ENABLED(CONFIG_COMMON_CLK))
		kunit_skip(test, "the kernel is configured without clocks");
	hw = clk_hw_register_fixed_rate(NULL, "answers-name", NULL, 0, HERTZ);
	KUNIT_ASSERT_FALSE(test, IS_ERR(hw));
	KUNIT_EXPECT_EQ(test, PTR_ERR(clk_get_sys("answers-device", "tick")), (long)-ENOENT);
	lookup = clkdev_hw_create(hw, "tick", "answers-device");
	KUNIT_ASSERT_NOT_NULL(test, lookup);
	clk = clk_get_sys("answers-device", "tick");
	KUNIT_ASSERT_FALSE(test, IS_ERR(clk));
	KUNIT_EXPECT_EQ(test, clk_get_rate(clk), HERTZ);
	KUNIT_EXPECT_EQ(test, clk_prepare_enable(clk), 0);
	clk_disable_unprepare(clk);
	clk_put(clk);
	KUNIT_EXPECT_EQ(test, PTR_ERR(clk_get_sys("another-device", "tick")), (long)-ENOENT);
	clkdev_drop(lookup);
	clk_hw_unregister_fixed_rate(hw);
}

/* ---- /proc ---- */

static int show(struct seq_file *file, void *unused)
{
	seq_printf(file, "asked %d\n", 42);
	return 0;
}

static void proc_file_is_read(struct kunit *test)
{
	struct proc_dir_entry *directory = proc_mkdir("answers", NULL);
	char text[32];

	KUNIT_ASSERT_NOT_NULL(test, directory);
	KUNIT_ASSERT_NOT_NULL(test, proc_create_single("file", 0444, directory, show));
	KUNIT_EXPECT_EQ(test, read_file("/proc/answers/file", text, sizeof(text)), (ssize_t)9);
	KUNIT_EXPECT_STREQ(test, text, "asked 42\n");
	remove_proc_subtree("answers", NULL);
	KUNIT_EXPECT_EQ(test, read_file("/proc/answers/file", text, sizeof(text)), (ssize_t)-ENOENT);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(rcu_calls_back_in_softirq),
	KUNIT_CASE(rcu_barrier_waits_for_them),
	KUNIT_CASE(cpu_state_is_torn_down),
	KUNIT_CASE(user_memory_may_not_be_there),
	KUNIT_CASE(rate_is_limited),
	KUNIT_CASE(clock_is_found_by_its_node),
	KUNIT_CASE(clock_is_found_by_its_name),
	KUNIT_CASE(proc_file_is_read),
	{ }
};

static struct kunit_suite suite = { .name = "answers_core", .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("Asks what Linux answers of its core");
MODULE_LICENSE("GPL");
