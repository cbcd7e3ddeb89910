// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt lines: handlers, shared lines, threaded handlers, masking. A line belongs to the machine; request attaches
 * to it, the last free detaches. The depth of disable_irq() is counted here and told to the machine at its edges.
 *
 * Must not know: where an interrupt number comes from (the bus code does).
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/device.h>
#include <linux/export.h>
#include <drvport/core.h>

/* Drivers check a number they were given against it. */
int nr_irqs = NR_IRQS;

struct line {
	struct list_head list;
	struct irqaction *actions;
	unsigned int irq;
	unsigned int depth; /* of disable_irq */
	unsigned int running;
	unsigned int threads_active;
	unsigned long unhandled;
	bool oneshot_masked;
};

static LIST_HEAD(lines);
static DECLARE_WAIT_QUEUE_HEAD(quiet);

enum { THREAD_PENDING, THREAD_RUNNING };

static struct line *line_find(unsigned int irq)
{
	struct line *line;

	list_for_each_entry(line, &lines, list)
		if (line->irq == irq)
			return line;
	return NULL;
}

/* ---- delivery ---- */

static irqreturn_t wake_thread_only(int irq, void *dev)
{
	return IRQ_WAKE_THREAD;
}

irqreturn_t no_action(int cpl, void *dev)
{
	return IRQ_NONE;
}

static void thread_wake(struct line *line, struct irqaction *action)
{
	if (test_and_set_bit(THREAD_PENDING, &action->thread_flags))
		return;
	line->threads_active++;
	if (action->flags & IRQF_ONESHOT && !line->oneshot_masked) {
		line->oneshot_masked = true;
		drvport_irq_mask(line->irq);
	}
	wake_up_process(action->thread);
}

void drvport_irq_dispatch(unsigned int irq)
{
	struct line *line = line_find(irq);
	irqreturn_t all = IRQ_NONE;
	struct irqaction *action;

	if (!line || line->depth)
		return;
	line->running++;
	for (action = line->actions; action; action = action->next) {
		irqreturn_t one = action->handler(irq, action->dev_id);

		if (one == IRQ_WAKE_THREAD && action->thread)
			thread_wake(line, action);
		all |= one;
	}
	line->running--;
	if (all == IRQ_NONE && !(++line->unhandled % 100000))
		pr_err("irq %u: nobody cared (%lu times)\n", irq, line->unhandled);
}

static int thread_body(void *arg)
{
	struct irqaction *action = arg;
	struct line *line = line_find(action->irq);

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!test_bit(THREAD_PENDING, &action->thread_flags)) {
			if (kthread_should_stop())
				break;
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		clear_bit(THREAD_PENDING, &action->thread_flags);
		action->thread_fn(action->irq, action->dev_id);
		local_irq_disable();
		if (!--line->threads_active && line->oneshot_masked) {
			line->oneshot_masked = false;
			drvport_irq_unmask(line->irq);
		}
		local_irq_enable();
		wake_up_all(&quiet);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* ---- request and free ---- */

static struct line *line_open(unsigned int irq)
{
	struct line *line = line_find(irq);

	if (line)
		return line;
	line = drvport_core_alloc(sizeof(*line));
	if (!line)
		return NULL;
	line->irq = irq;
	list_add_tail(&line->list, &lines);
	return line;
}

static int action_add(struct irqaction *action)
{
	struct line *line = line_open(action->irq);
	struct irqaction **at;
	unsigned long flags;

	if (!line)
		return -ENOMEM;
	if (line->actions && !(line->actions->flags & action->flags & IRQF_SHARED))
		return -EBUSY;
	local_irq_save(flags);
	for (at = &line->actions; *at; at = &(*at)->next)
		;
	*at = action;
	if (line->actions == action)
		line->depth = action->flags & IRQF_NO_AUTOEN ? 1 : 0;
	local_irq_restore(flags);
	if (line->actions == action) {
		int err = drvport_irq_attach(action->irq);

		if (err < 0) {
			list_del(&line->list);
			drvport_core_free(line);
			return err;
		}
		if (line->depth)
			drvport_irq_mask(action->irq);
	}
	drvport_held.irqs++;
	return 0;
}

int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn, unsigned long irqflags,
			 const char *name, void *dev)
{
	struct irqaction *action;
	int err;

	if (irq == IRQ_NOTCONNECTED)
		return -ENOTCONN;
	if (((irqflags & IRQF_SHARED) && !dev) || ((irqflags & IRQF_SHARED) && (irqflags & IRQF_NO_AUTOEN)))
		return -EINVAL;
	if (!handler && !thread_fn)
		return -EINVAL;
	might_sleep();
	action = drvport_core_alloc(sizeof(*action));
	if (!action)
		return -ENOMEM;
	action->handler = handler ?: wake_thread_only;
	action->thread_fn = thread_fn;
	action->flags = irqflags;
	action->name = name;
	action->dev_id = dev;
	action->irq = irq;
	if (thread_fn) {
		action->thread = kthread_create(thread_body, action, "irq/%d-%s", irq, name);
		if (IS_ERR(action->thread)) {
			err = PTR_ERR(action->thread);
			drvport_core_free(action);
			return err;
		}
	}
	err = action_add(action);
	if (!err) {
		if (action->thread)
			wake_up_process(action->thread);
		return 0;
	}
	if (action->thread)
		kthread_stop(action->thread);
	drvport_core_free(action);
	return err;
}

int request_any_context_irq(unsigned int irq, irq_handler_t handler, unsigned long flags, const char *name, void *dev)
{
	int err = request_threaded_irq(irq, handler, NULL, flags, name, dev);

	return err ? err : IRQC_IS_HARDIRQ;
}

const void *free_irq(unsigned int irq, void *dev)
{
	struct line *line = line_find(irq);
	struct irqaction **at, *action;
	const char *name;
	unsigned long flags;

	might_sleep();
	for (at = line ? &line->actions : NULL; at && *at && (*at)->dev_id != dev; at = &(*at)->next)
		;
	if (!at || !*at) {
		WARN(1, "Trying to free already-free IRQ %d\n", irq);
		return NULL;
	}
	local_irq_save(flags);
	action = *at;
	*at = action->next;
	local_irq_restore(flags);
	synchronize_irq(irq);
	if (action->thread)
		kthread_stop(action->thread);
	name = action->name;
	drvport_core_free(action);
	drvport_held.irqs--;
	if (!line->actions) {
		drvport_irq_detach(irq);
		list_del(&line->list);
		drvport_core_free(line);
	}
	return name;
}

/* ---- masking ---- */

void disable_irq_nosync(unsigned int irq)
{
	struct line *line = line_find(irq);

	if (line && !line->depth++)
		drvport_irq_mask(irq);
}

bool synchronize_hardirq(unsigned int irq)
{
	struct line *line = line_find(irq);

	return !line || !line->running;
}

void synchronize_irq(unsigned int irq)
{
	struct line *line = line_find(irq);

	might_sleep();
	if (line)
		wait_event(quiet, !line->threads_active);
}

void disable_irq(unsigned int irq)
{
	might_sleep();
	disable_irq_nosync(irq);
	synchronize_irq(irq);
}

bool disable_hardirq(unsigned int irq)
{
	disable_irq_nosync(irq);
	return synchronize_hardirq(irq);
}

void enable_irq(unsigned int irq)
{
	struct line *line = line_find(irq);

	if (!line)
		return;
	if (!line->depth) {
		WARN(1, "Unbalanced enable for IRQ %d\n", irq);
		return;
	}
	if (!--line->depth)
		drvport_irq_unmask(irq);
}

bool irq_has_action(unsigned int irq)
{
	return line_find(irq) != NULL;
}

void irq_wake_thread(unsigned int irq, void *dev)
{
	struct line *line = line_find(irq);
	struct irqaction *action;

	for (action = line ? line->actions : NULL; action; action = action->next)
		if (action->dev_id == dev && action->thread)
			thread_wake(line, action);
}

/* One processor: the only affinity there is, is the one there is. */
int __irq_apply_affinity_hint(unsigned int irq, const struct cpumask *mask, bool setaffinity)
{
	return 0;
}

int irq_set_irq_type(unsigned int irq, unsigned int type)
{
	return 0;
}

/* There is no suspend to wake from. */
int irq_set_irq_wake(unsigned int irq, unsigned int on)
{
	return 0;
}

/* A line has no chip in here to ask or to program: that is the machine's. */
struct irq_data *irq_get_irq_data(unsigned int irq)
{
	return NULL;
}

/* Probing listens to every free line. A domain hears the lines it was granted, so none is found; the header's 0. */
unsigned long probe_irq_on(void)
{
	return 0;
}

int probe_irq_off(unsigned long mask)
{
	return 0;
}

unsigned int probe_irq_mask(unsigned long mask)
{
	return 0;
}

/* ---- given back with the device ---- */

struct managed {
	unsigned int irq;
	void *dev_id;
};

static void managed_free(struct device *dev, void *res)
{
	struct managed *managed = res;

	free_irq(managed->irq, managed->dev_id);
}

static int managed_match(struct device *dev, void *res, void *data)
{
	struct managed *managed = res, *wanted = data;

	return managed->irq == wanted->irq && managed->dev_id == wanted->dev_id;
}

int devm_request_threaded_irq(struct device *dev, unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn,
			      unsigned long irqflags, const char *name, void *dev_id)
{
	struct managed *managed = devres_alloc(managed_free, sizeof(*managed), GFP_KERNEL);
	int err;

	if (!managed)
		return -ENOMEM;
	err = request_threaded_irq(irq, handler, thread_fn, irqflags, name ?: dev_name(dev), dev_id);
	if (err) {
		devres_free(managed);
		return err;
	}
	managed->irq = irq;
	managed->dev_id = dev_id;
	devres_add(dev, managed);
	return 0;
}

int devm_request_any_context_irq(struct device *dev, unsigned int irq, irq_handler_t handler, unsigned long irqflags,
				 const char *name, void *dev_id)
{
	int err = devm_request_threaded_irq(dev, irq, handler, NULL, irqflags, name, dev_id);

	return err ? err : IRQC_IS_HARDIRQ;
}

void devm_free_irq(struct device *dev, unsigned int irq, void *dev_id)
{
	struct managed wanted = { irq, dev_id };

	WARN_ON(devres_destroy(dev, managed_free, managed_match, &wanted));
	free_irq(irq, dev_id);
}
