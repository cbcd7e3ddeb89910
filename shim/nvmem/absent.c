// SPDX-License-Identifier: GPL-2.0-only
/*
 * Non-volatile memory cells (a MAC address in an EEPROM, a calibration value): no provider is in a driver's domain.
 */
#include <linux/err.h>
#include <linux/nvmem-consumer.h>
#include <linux/nvmem-provider.h>

struct nvmem_cell *nvmem_cell_get(struct device *dev, const char *id)
{
	return ERR_PTR(-ENOENT);
}

struct nvmem_cell *of_nvmem_cell_get(struct device_node *np, const char *id)
{
	return ERR_PTR(-ENOENT);
}

void nvmem_cell_put(struct nvmem_cell *cell)
{
}

void *nvmem_cell_read(struct nvmem_cell *cell, size_t *len)
{
	return ERR_PTR(-EINVAL);
}

/* What a kernel without them answers a driver that offers some. */
struct nvmem_device *devm_nvmem_register(struct device *dev, const struct nvmem_config *config)
{
	return ERR_PTR(-EOPNOTSUPP);
}
