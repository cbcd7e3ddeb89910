// SPDX-License-Identifier: GPL-2.0-only
/*
 * I2C across domains: a module of its own, loaded wherever the tree's I2C core is. Every adapter that a driver here registers is
 * offered as a service, one thread each; every device that is granted from another domain's bus gets an adapter of its own here,
 * whose transfers are calls of that service.
 *
 * Transfers are those of SMBus, which the core makes of plain I2C messages where the adapter has no others. The address is
 * not part of a request: it is the badge of the capability that it comes through.
 */
#include <linux/err.h>
#include <linux/i2c.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../lower/drvport/bus.h"
#include "../lower/drvport/ipc.h"

/* ---- what goes over: a label, and up to 32 bytes in the words ---- */

#define ADDRESS_MASK		0x7f
#define REQUEST_KIND		0x3
#define REQUEST_FUNCTIONALITY	1
#define REQUEST_TRANSFER	2
#define REQUEST_READ		BIT(2)
#define REQUEST_PEC		BIT(3)
#define REQUEST_SIZE_SHIFT	4 /* 4 bits, I2C_SMBUS_* */
#define REQUEST_COMMAND_SHIFT	8 /* 8 bits */
#define REQUEST_LENGTH_SHIFT	16 /* 6 bits: of a block */
/* The answer: an errno, and the length of a block. */
#define ANSWER_ERROR		0xfff
#define ANSWER_LENGTH_SHIFT	16

static bool is_block(int size)
{
	return size == I2C_SMBUS_BLOCK_DATA || size == I2C_SMBUS_I2C_BLOCK_DATA || size == I2C_SMBUS_BLOCK_PROC_CALL;
}

/* Put the data of a transfer into the message; the length of a block. */
static u32 pack(struct drvport_message *msg, int size, const union i2c_smbus_data *data)
{
	u32 length = 0;

	msg->count = 8;
	if (!data)
		return 0;
	if (is_block(size)) {
		length = min_t(u32, data->block[0], I2C_SMBUS_BLOCK_MAX);
		memcpy(msg->words, data->block + 1, length);
	} else {
		msg->words[0] = size == I2C_SMBUS_WORD_DATA || size == I2C_SMBUS_PROC_CALL ? data->word : data->byte;
	}
	return length;
}

static void unpack(const struct drvport_message *msg, int size, u32 length, union i2c_smbus_data *data)
{
	if (!data)
		return;
	if (is_block(size)) {
		data->block[0] = min_t(u32, length, I2C_SMBUS_BLOCK_MAX);
		memcpy(data->block + 1, msg->words, data->block[0]);
	} else if (size == I2C_SMBUS_WORD_DATA || size == I2C_SMBUS_PROC_CALL) {
		data->word = msg->words[0];
	} else {
		data->byte = msg->words[0];
	}
}

/* ---- adapters of others: devices granted to this domain ---- */

struct granted {
	struct list_head list;
	struct i2c_adapter adapter;
	struct i2c_client *client;
	u32 handle, endpoint, functionality;
};

static LIST_HEAD(granted);

/* A bus that does not answer within this has lost it, or its driver has. */
#define PATIENCE_NS (10ULL * NSEC_PER_SEC)

static s32 remote_transfer(struct i2c_adapter *adapter, u16 addr, unsigned short flags, char read_write, u8 command,
			   int size, union i2c_smbus_data *data)
{
	struct granted *device = adapter->algo_data;
	struct drvport_message msg = { 0 };
	int answer;

	if (device->client && addr != device->client->addr)
		return -ENXIO;
	msg.label = REQUEST_TRANSFER | (read_write == I2C_SMBUS_READ ? REQUEST_READ : 0) |
		    (flags & I2C_CLIENT_PEC ? REQUEST_PEC : 0) | size << REQUEST_SIZE_SHIFT |
		    command << REQUEST_COMMAND_SHIFT | pack(&msg, size, data) << REQUEST_LENGTH_SHIFT;
	answer = drvport_call(device->endpoint, &msg, ktime_get_ns() + PATIENCE_NS);
	if (answer < 0)
		return answer;
	if (answer & ANSWER_ERROR)
		return -(answer & ANSWER_ERROR);
	if (read_write == I2C_SMBUS_READ || size == I2C_SMBUS_PROC_CALL || size == I2C_SMBUS_BLOCK_PROC_CALL)
		unpack(&msg, size, answer >> ANSWER_LENGTH_SHIFT, data);
	return 0;
}

static u32 remote_functionality(struct i2c_adapter *adapter)
{
	return ((struct granted *)adapter->algo_data)->functionality;
}

static const struct i2c_algorithm remote = {
	.smbus_xfer = remote_transfer,
	.functionality = remote_functionality,
};

static void forget(struct granted *device)
{
	if (device->client)
		i2c_unregister_device(device->client);
	i2c_del_adapter(&device->adapter);
	list_del(&device->list);
	kfree(device);
}

static int introduce(struct granted *device, const struct drvport_nub *nub)
{
	struct i2c_board_info info = { .addr = nub->address };
	struct i2c_client *client;

	strscpy(info.type, (const char *)nub->name, sizeof(info.type));
	client = i2c_new_client_device(&device->adapter, &info);
	if (IS_ERR(client))
		return PTR_ERR(client);
	device->client = client;
	return client->dev.driver ? 0 : drvport_probe(&client->dev);
}

static int add(const struct drvport_nub *nub)
{
	struct drvport_message msg = { .label = REQUEST_FUNCTIONALITY };
	struct granted *device;
	int err;

	err = drvport_call(nub->endpoint, &msg, ktime_get_ns() + PATIENCE_NS);
	if (err < 0)
		return err;
	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return -ENOMEM;
	device->handle = nub->handle;
	device->endpoint = nub->endpoint;
	device->functionality = msg.words[0];
	device->adapter.owner = THIS_MODULE;
	device->adapter.algo = &remote;
	device->adapter.algo_data = device;
	snprintf(device->adapter.name, sizeof(device->adapter.name), "bus of another domain, device 0x%02x", nub->address);
	err = i2c_add_adapter(&device->adapter);
	if (err) {
		kfree(device);
		return err;
	}
	list_add_tail(&device->list, &granted);
	err = introduce(device, nub);
	if (err)
		forget(device);
	return err;
}

static void remove(u32 handle)
{
	struct granted *device, *next;

	list_for_each_entry_safe(device, next, &granted, list)
		if (device->handle == handle)
			forget(device);
}

/* ---- adapters of this domain: offered to others ---- */

struct served {
	struct list_head list;
	struct i2c_adapter *adapter;
	struct task_struct *thread;
	u32 endpoint;
};

static LIST_HEAD(served);

static void transfer(struct i2c_adapter *adapter, struct drvport_message *msg)
{
	int size = msg->label >> REQUEST_SIZE_SHIFT & 0xf;
	u8 command = msg->label >> REQUEST_COMMAND_SHIFT;
	char read_write = msg->label & REQUEST_READ ? I2C_SMBUS_READ : I2C_SMBUS_WRITE;
	union i2c_smbus_data data = { .block = { 0 } };
	u32 length = 0;
	int err;

	unpack(msg, size, msg->label >> REQUEST_LENGTH_SHIFT & 0x3f, &data);
	err = i2c_smbus_xfer(adapter, msg->badge & ADDRESS_MASK, msg->label & REQUEST_PEC ? I2C_CLIENT_PEC : 0, read_write,
			     command, size, &data);
	if (!err)
		length = pack(msg, size, &data);
	msg->label = (-err & ANSWER_ERROR) | length << ANSWER_LENGTH_SHIFT;
}

/* What a request for any device on the bus may use: what the core makes of plain messages is among it. */
static void functionality(struct i2c_adapter *adapter, struct drvport_message *msg)
{
	u32 can = i2c_get_functionality(adapter);

	if (can & I2C_FUNC_I2C)
		can |= I2C_FUNC_SMBUS_EMUL;
	msg->words[0] = can & (I2C_FUNC_SMBUS_EMUL | I2C_FUNC_SMBUS_READ_BLOCK_DATA | I2C_FUNC_SMBUS_BLOCK_PROC_CALL);
	msg->count = 1;
	msg->label = 0;
}

static int serve(void *data)
{
	struct served *bus = data;
	struct drvport_message msg = { 0 };
	int label = drvport_receive(bus->endpoint, &msg, DRVPORT_FOREVER);

	while (label >= 0) {
		if ((label & REQUEST_KIND) == REQUEST_TRANSFER)
			transfer(bus->adapter, &msg);
		else
			functionality(bus->adapter, &msg);
		label = drvport_reply_receive(bus->endpoint, &msg, DRVPORT_FOREVER);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static int offer(struct i2c_adapter *adapter)
{
	struct device *parent = adapter->dev.parent;
	struct served *bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	char name[96];
	int endpoint;

	if (!bus)
		return -ENOMEM;
	snprintf(name, sizeof(name), "i2c.bus:%s@%s", dev_name(&adapter->dev), parent ? dev_name(parent) : "");
	endpoint = drvport_service_offer(name, NULL);
	if (endpoint < 0) {
		kfree(bus);
		return endpoint;
	}
	bus->adapter = adapter;
	bus->endpoint = endpoint;
	bus->thread = kthread_run(serve, bus, "%s", dev_name(&adapter->dev));
	if (IS_ERR(bus->thread)) {
		drvport_service_close(endpoint);
		kfree(bus);
		return -ENOMEM;
	}
	list_add_tail(&bus->list, &served);
	return 0;
}

static void withdraw(struct i2c_adapter *adapter)
{
	struct served *bus, *next;

	list_for_each_entry_safe(bus, next, &served, list) {
		if (bus->adapter != adapter)
			continue;
		drvport_service_close(bus->endpoint);
		kthread_stop(bus->thread);
		list_del(&bus->list);
		kfree(bus);
	}
}

/* An adapter of this domain's own; the other domains' are theirs to offer. */
static struct i2c_adapter *own_adapter(struct device *dev)
{
	struct i2c_adapter *adapter = i2c_verify_adapter(dev);

	return adapter && adapter->algo != &remote ? adapter : NULL;
}

static int on_bus(struct notifier_block *block, unsigned long action, void *data)
{
	struct i2c_adapter *adapter = own_adapter(data);

	if (adapter && action == BUS_NOTIFY_ADD_DEVICE && offer(adapter))
		dev_warn(&adapter->dev, "cannot be offered to other domains\n");
	if (adapter && action == BUS_NOTIFY_DEL_DEVICE)
		withdraw(adapter);
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = on_bus };

static int offer_each(struct device *dev, void *unused)
{
	if (own_adapter(dev))
		offer(own_adapter(dev));
	return 0;
}

static struct drvport_bus bus = { .kind = DRVPORT_NUB_I2C, .add = add, .remove = remove };

static int __init start(void)
{
	int err = bus_register_notifier(&i2c_bus_type, &notifier);

	if (err)
		return err;
	bus_for_each_dev(&i2c_bus_type, NULL, NULL, offer_each);
	drvport_bus_register(&bus);
	return 0;
}
module_init(start);

/* What is granted goes first; adapters of this domain have been withdrawn as their drivers took them away. */
static void __exit stop(void)
{
	struct granted *device, *next;

	drvport_bus_unregister(&bus);
	list_for_each_entry_safe(device, next, &granted, list)
		forget(device);
	bus_unregister_notifier(&i2c_bus_type, &notifier);
}
module_exit(stop);

MODULE_DESCRIPTION("I2C adapters and devices across domains");
MODULE_LICENSE("GPL");
