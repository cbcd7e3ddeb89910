// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC-32, both bit orders, and CRC-32C: a table of 256 entries each, computed at first use. The tree's own file needs a
 * table that a host program generates at build time.
 */
#include <linux/crc32.h>
#include <linux/crc32poly.h>
#include <linux/export.h>

struct table {
	bool ready;
	u32 word[256];
};

static const u32 *table_reflected(struct table *table, u32 polynomial)
{
	unsigned int i, bit;

	if (table->ready)
		return table->word;
	for (i = 0; i < 256; i++) {
		u32 crc = i;

		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? polynomial : 0);
		table->word[i] = crc;
	}
	table->ready = true;
	return table->word;
}

static u32 reflected(struct table *table, u32 polynomial, u32 crc, const u8 *p, size_t len)
{
	const u32 *word = table_reflected(table, polynomial);

	while (len--)
		crc = (crc >> 8) ^ word[(crc ^ *p++) & 255];
	return crc;
}

u32 __pure crc32_le(u32 crc, unsigned char const *p, size_t len)
{
	static struct table table;

	return reflected(&table, CRC32_POLY_LE, crc, p, len);
}

u32 __pure __crc32c_le(u32 crc, unsigned char const *p, size_t len)
{
	static struct table table;

	return reflected(&table, CRC32C_POLY_LE, crc, p, len);
}

u32 __pure crc32_be(u32 crc, unsigned char const *p, size_t len)
{
	static struct table table;
	unsigned int i, bit;

	if (!table.ready) {
		for (i = 0; i < 256; i++) {
			u32 word = i << 24;

			for (bit = 0; bit < 8; bit++)
				word = (word << 1) ^ (word & 0x80000000 ? CRC32_POLY_BE : 0);
			table.word[i] = word;
		}
		table.ready = true;
	}
	while (len--)
		crc = (crc << 8) ^ table.word[(crc >> 24) ^ *p++];
	return crc;
}
