// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that means harm, as scripts tell it: every call of the driver ABI with any numbers, writes anywhere, loops, recursion and
 * functions of the kernel used wrongly, in every context that a driver is called in. The script comes as a parameter, in hex, and
 * may be replaced while it runs: whoever writes it has the section TURN carried out.
 *
 * Words: a head with where each section begins, then operations. An operand is two words, how and what: see operand().
 */
#include <linux/etherdevice.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <drvport_shim_abi.h>

/* drvport_abi_call(): made of the table of the ABI, so that no call is left out. */
#include "calls.h"

#define WORDS_MAX 4096
#define REGISTERS 8
#define SCRATCH_BYTES 65536

enum section { INIT, PROBE, IRQ, TIMER, WORK, THREAD, XMIT, REMOVE, EXIT, TURN, SECTIONS };

enum operation {
	OP_END, OP_ABI, OP_KERNEL, OP_STORE, OP_FILL, OP_COPY, OP_REPEAT, OP_AGAIN, OP_RECURSE, OP_INDIRECT, OP_SPIN, OP_DEVICE,
	OP_START, OP_TRAP, OP_WRITE_REGISTER,
};

enum how { LITERAL, REGISTER, SCRATCH, SELF, STACK, HANDLE, KERNEL_DATA };

static u32 script[WORDS_MAX], words;
static u8 scratch[SCRATCH_BYTES] __aligned(16);
static struct pci_dev *device;
static void __iomem *window;
static struct net_device *netdev;
static struct timer_list timer;
static struct work_struct work;
static bool has_irq, has_netdev;
static unsigned int depth;
extern u32 drvport_irqs_off, drvport_pending;

struct frame {
	u32 at, end, registers[REGISTERS], loop, turns;
};

static void carry_out(enum section section);

static u32 operand(struct frame *f, u32 at)
{
	u32 how, what;

	if (at + 1 >= words)
		return 0;
	how = script[at];
	what = script[at + 1];
	switch (how) {
	case REGISTER:
		return f->registers[what % REGISTERS];
	case SCRATCH:
		return (u32)scratch + what;
	case SELF:
		return (u32)THIS_MODULE + what;
	case STACK:
		return (u32)f + what;
	case HANDLE:
		return what == 0 ? (device ? device->irq : 0) : what == 1 ? (u32)window : what == 2 ? (u32)netdev :
		       what == 3 ? (u32)&drvport_irqs_off : what == 4 ? (u32)&drvport_pending : (u32)carry_out;
	case KERNEL_DATA:
		return (u32)current + what;
	}
	return what;
}

static u32 again(u32 n, u32 which, const u32 *args)
{
	volatile u32 hold[8] = { n };

	if (which)
		drvport_abi_call(which - 1, args);
	return n ? again(n - 1, which, args) + hold[0] : 0;
}

/* Functions of the kernel, with whatever it is told. */
static u32 kernel_call(u32 which, const u32 *a)
{
	switch (which) {
	case 0: return (u32)kmalloc(a[0], a[1]);
	case 1: kfree((void *)a[0]); return 0;
	case 2: return (u32)vmalloc(a[0]);
	case 3: vfree((void *)a[0]); return 0;
	case 4: return (u32)memcpy((void *)a[0], (void *)a[1], a[2]);
	case 5: return strlen((char *)a[0]);
	case 6: return printk("%s %pI4 %pUb\n", (char *)a[0], (void *)a[1], (void *)a[2]);
	case 7: return schedule_work((struct work_struct *)a[0]);
	case 8: wake_up_process((struct task_struct *)a[0]); return 0;
	case 9: complete((struct completion *)a[0]); return 0;
	case 10: mutex_lock((struct mutex *)a[0]); return 0;
	case 11: spin_lock((spinlock_t *)a[0]); return 0;
	case 12: local_irq_disable(); return 0;
	case 13: preempt_disable(); return 0;
	case 14: schedule_timeout_uninterruptible(a[0]); return 0;
	case 15: return __get_free_pages(a[0], a[1] & 15);
	case 16: free_pages(a[0], a[1] & 15); return 0;
	case 17: free_irq(a[0], (void *)a[1]); return 0;
	case 18: disable_irq_nosync(a[0]); return 0;
	case 19: put_device((struct device *)a[0]); return 0;
	case 20: kthread_stop((struct task_struct *)a[0]); return 0;
	case 21: netif_rx((struct sk_buff *)a[0]); return 0;
	case 22: kfree_skb((struct sk_buff *)a[0]); return 0;
	case 23: pci_disable_device((struct pci_dev *)a[0]); return 0;
	case 24: panic("%x", a[0]);
	case 25: flush_work((struct work_struct *)a[0]); return 0;
	case 26: list_add((struct list_head *)a[0], (struct list_head *)a[1]); return 0;
	case 27: ndelay(a[0]); return 0;
	case 28: cond_resched(); return 0;
	}
	return readl((void __iomem *)a[0]);
}

static irqreturn_t on_irq(int irq, void *data)
{
	carry_out(IRQ);
	return IRQ_HANDLED;
}

static void on_timer(struct timer_list *t)
{
	carry_out(TIMER);
}

static void on_work(struct work_struct *w)
{
	carry_out(WORK);
}

static int on_thread(void *unused)
{
	carry_out(THREAD);
	return 0;
}

static netdev_tx_t on_xmit(struct sk_buff *skb, struct net_device *dev)
{
	carry_out(XMIT);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static int on_open(struct net_device *dev)
{
	netif_carrier_on(dev);
	netif_start_queue(dev);
	return 0;
}

static const struct net_device_ops net_ops = { .ndo_open = on_open, .ndo_start_xmit = on_xmit, .ndo_set_mac_address = eth_mac_addr };

/* Everything that has the machine come back. */
static void start(u32 what)
{
	switch (what) {
	case TIMER:
		mod_timer(&timer, jiffies + 1);
		break;
	case WORK:
		schedule_work(&work);
		break;
	case THREAD:
		kthread_run(on_thread, NULL, "hostile");
		break;
	case IRQ:
		if (device && !has_irq)
			has_irq = !request_irq(device->irq, on_irq, IRQF_SHARED, "hostile", &device);
		break;
	case XMIT:
		if (!netdev || has_netdev)
			break;
		netdev->netdev_ops = &net_ops;
		eth_hw_addr_random(netdev);
		has_netdev = !register_netdev(netdev);
	}
}

static void use_device(void)
{
	if (!device || window || pci_enable_device(device))
		return;
	pci_set_master(device);
	window = pci_iomap(device, 1, 0);
}

static void step(struct frame *f)
{
	u32 op = script[f->at], a[6], i;

	for (i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = operand(f, f->at + 2 + 2 * i);
	i = f->at + 1 < words ? script[f->at + 1] : 0;
	f->at += 2 + 2 * ARRAY_SIZE(a);
	switch (op) {
	case OP_ABI:
		f->registers[i >> 16 & 7] = drvport_abi_call(i & 0xffff, a);
		break;
	case OP_KERNEL:
		f->registers[i >> 16 & 7] = kernel_call(i & 0xffff, a);
		break;
	case OP_STORE:
		*(u32 *)a[0] = a[1];
		break;
	case OP_FILL:
		memset((void *)a[0], a[1], a[2]);
		break;
	case OP_COPY:
		memcpy((void *)a[0], (void *)a[1], a[2]);
		break;
	case OP_REPEAT:
		f->loop = f->at;
		f->turns = a[0];
		break;
	case OP_AGAIN:
		if (f->turns && --f->turns)
			f->at = f->loop;
		break;
	case OP_RECURSE:
		f->registers[0] = again(a[0], i, a + 1);
		break;
	case OP_INDIRECT:
		f->registers[0] = ((u32 (*)(u32))a[0])(a[1]);
		break;
	case OP_SPIN:
		while (!READ_ONCE(scratch[0]))
			f->turns++;
		break;
	case OP_DEVICE:
		use_device();
		break;
	case OP_START:
		start(i);
		break;
	case OP_TRAP:
		i == 0 ? __builtin_trap() : i == 1 ? (void)(f->turns = a[0] / a[1]) : BUG();
		break;
	case OP_WRITE_REGISTER:
		if (window)
			writel(a[1], window + (a[0] & 0xff));
		break;
	}
}

static void carry_out(enum section section)
{
	struct frame f = { .at = section < words ? script[section] : 0 };

	if (!f.at || depth > 8)
		return;
	depth++;
	while (f.at < words && script[f.at] != OP_END)
		step(&f);
	depth--;
}

static int script_set(const char *text, const struct kernel_param *param)
{
	bool first = !words;
	u32 n = 0;

	for (; n < WORDS_MAX && text[0] && text[0] != '\n'; text += 8) {
		char word[9] = {};
		int i;

		for (i = 0; i < 8 && text[i]; i++)
			word[i] = text[i];
		if (i < 8 || kstrtou32(word, 16, &script[n]))
			break;
		n++;
	}
	words = n;
	if (!first)
		carry_out(TURN);
	return 0;
}

static const struct kernel_param_ops script_ops = { .set = script_set };
module_param_cb(script, &script_ops, NULL, 0200);
MODULE_PARM_DESC(script, "words in hex, eight digits each");

static int hostile_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	device = pdev;
	netdev = alloc_etherdev(0);
	if (netdev)
		SET_NETDEV_DEV(netdev, &pdev->dev);
	carry_out(PROBE);
	return 0;
}

static void hostile_remove(struct pci_dev *pdev)
{
	carry_out(REMOVE);
	if (has_irq)
		free_irq(pdev->irq, &device);
	if (has_netdev)
		unregister_netdev(netdev);
	if (netdev)
		free_netdev(netdev);
	if (window) {
		pci_iounmap(pdev, window);
		pci_disable_device(pdev);
	}
	has_irq = has_netdev = false;
	netdev = NULL;
	window = NULL;
	device = NULL;
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x10ec, 0x8139) }, { } };
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = { .name = "hostile", .id_table = ids, .probe = hostile_probe, .remove = hostile_remove };

static int __init hostile_init(void)
{
	timer_setup(&timer, on_timer, 0);
	INIT_WORK(&work, on_work);
	carry_out(INIT);
	return pci_register_driver(&driver);
}

static void __exit hostile_exit(void)
{
	carry_out(EXIT);
	del_timer_sync(&timer);
	cancel_work_sync(&work);
	pci_unregister_driver(&driver);
}

module_init(hostile_init);
module_exit(hostile_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Does what scripts say, in every context there is");
