/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small PCI driver around one mistake. The including file defines fault() and ends with FAULT_DRIVER("what it does");
 * the parameter `when` says where the mistake happens: init, probe, irq, timer, xmit, or never.
 *
 * It binds to an RTL8139, whose timer gives an interrupt without a cable (register map: RTL8139C data sheet, section 6).
 */
#ifndef FAULTS_MOMENTS_H
#define FAULTS_MOMENTS_H

#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/timer.h>

#define REG_COMMAND 0x37
#define REG_INT_MASK 0x3c
#define REG_INT_STATUS 0x3e
#define REG_TIMER_COUNT 0x48
#define REG_TIMER_INT 0x54
#define INT_TIMER 0x4000

static char *when = "probe";
module_param(when, charp, 0444);
MODULE_PARM_DESC(when, "init, probe, irq, timer, xmit or never");

struct sample {
	struct pci_dev *pdev;
	struct net_device *netdev;
	void __iomem *regs;
	struct timer_list timer;
	bool has_irq;
};

/* What the sample does wrong; NULL at module init. */
static noinline void fault(struct sample *sample);

static bool now(const char *moment)
{
	return !strcmp(when, moment);
}

static void sample_timer(struct timer_list *t)
{
	struct sample *sample = from_timer(sample, t, timer);

	fault(sample);
}

static irqreturn_t sample_irq(int irq, void *data)
{
	struct sample *sample = data;
	u16 status = ioread16(sample->regs + REG_INT_STATUS);

	if (!(status & INT_TIMER))
		return IRQ_NONE;
	iowrite16(status, sample->regs + REG_INT_STATUS);
	iowrite32(0, sample->regs + REG_TIMER_INT);
	fault(sample);
	return IRQ_HANDLED;
}

static int sample_open(struct net_device *netdev)
{
	netif_carrier_on(netdev);
	netif_start_queue(netdev);
	return 0;
}

static int sample_stop(struct net_device *netdev)
{
	netif_stop_queue(netdev);
	netif_carrier_off(netdev);
	return 0;
}

static netdev_tx_t sample_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	if (now("xmit"))
		fault(netdev_priv(netdev));
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops sample_ops = {
	.ndo_open = sample_open,
	.ndo_stop = sample_stop,
	.ndo_start_xmit = sample_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static int sample_start(struct sample *sample)
{
	int err;

	if (now("probe"))
		fault(sample);
	if (now("timer"))
		mod_timer(&sample->timer, jiffies + 2);
	if (!now("irq"))
		return 0;
	err = request_irq(sample->pdev->irq, sample_irq, IRQF_SHARED, "fault", sample);
	if (err)
		return err;
	sample->has_irq = true;
	iowrite16(INT_TIMER, sample->regs + REG_INT_MASK);
	iowrite32(3300, sample->regs + REG_TIMER_INT); /* 100 us at 33 MHz */
	iowrite32(0, sample->regs + REG_TIMER_COUNT);
	return 0;
}

static void sample_end(struct sample *sample)
{
	timer_delete_sync(&sample->timer);
	if (sample->has_irq) {
		iowrite16(0, sample->regs + REG_INT_MASK);
		free_irq(sample->pdev->irq, sample);
	}
	pci_iounmap(sample->pdev, sample->regs);
	pci_release_regions(sample->pdev);
	pci_disable_device(sample->pdev);
	free_netdev(sample->netdev);
}

static int sample_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *netdev = alloc_etherdev(sizeof(struct sample));
	struct sample *sample;
	int err;

	if (!netdev)
		return -ENOMEM;
	sample = netdev_priv(netdev);
	sample->pdev = pdev;
	sample->netdev = netdev;
	SET_NETDEV_DEV(netdev, &pdev->dev);
	timer_setup(&sample->timer, sample_timer, 0);
	pci_set_drvdata(pdev, sample);
	err = pci_enable_device(pdev);
	if (err)
		goto free;
	err = pci_request_regions(pdev, "fault");
	if (err)
		goto disable;
	pci_set_master(pdev);
	sample->regs = pci_iomap(pdev, 1, 0);
	if (!sample->regs) {
		err = -EIO;
		goto release;
	}
	netdev->netdev_ops = &sample_ops;
	eth_hw_addr_random(netdev);
	netif_carrier_off(netdev);
	err = sample_start(sample);
	if (!err)
		err = register_netdev(netdev);
	if (err)
		sample_end(sample);
	return err;
release:
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
free:
	free_netdev(netdev);
	return err;
}

static void sample_remove(struct pci_dev *pdev)
{
	struct sample *sample = pci_get_drvdata(pdev);

	unregister_netdev(sample->netdev);
	sample_end(sample);
}

static const struct pci_device_id sample_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REALTEK, 0x8139) },
	{ }
};
MODULE_DEVICE_TABLE(pci, sample_ids);

static struct pci_driver sample_driver = {
	.name = KBUILD_MODNAME,
	.id_table = sample_ids,
	.probe = sample_probe,
	.remove = sample_remove,
};

static int __init sample_init(void)
{
	if (now("init"))
		fault(NULL);
	return pci_register_driver(&sample_driver);
}

static void __exit sample_exit(void)
{
	pci_unregister_driver(&sample_driver);
}

#define FAULT_DRIVER(what)			\
	module_init(sample_init);		\
	module_exit(sample_exit);		\
	MODULE_DESCRIPTION(what);		\
	MODULE_LICENSE("GPL")

#endif
