/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_IO_H
#define _ASM_WASM_IO_H

/*
 * Registers and ports are calls to the machine. A mapping lies beyond linear memory, so a driver that dereferences
 * it instead of calling readl() traps. asm-generic/io.h builds the ordered, relaxed and paused variants from these.
 */
#include <linux/types.h>
#include <asm/abi.h>
#include <asm/page.h>

/* Also where the tree's lib/iomap.c takes a cookie for a port: below 0x40000. */
#define IO_SPACE_LIMIT	0xffff

#define __raw_readb __raw_readb
static inline u8 __raw_readb(const volatile void __iomem *addr)
{
	return drvport_mmio_read8((__force unsigned int)addr);
}

#define __raw_readw __raw_readw
static inline u16 __raw_readw(const volatile void __iomem *addr)
{
	return drvport_mmio_read16((__force unsigned int)addr);
}

#define __raw_readl __raw_readl
static inline u32 __raw_readl(const volatile void __iomem *addr)
{
	return drvport_mmio_read32((__force unsigned int)addr);
}

#define __raw_writeb __raw_writeb
static inline void __raw_writeb(u8 value, volatile void __iomem *addr)
{
	drvport_mmio_write8((__force unsigned int)addr, value);
}

#define __raw_writew __raw_writew
static inline void __raw_writew(u16 value, volatile void __iomem *addr)
{
	drvport_mmio_write16((__force unsigned int)addr, value);
}

#define __raw_writel __raw_writel
static inline void __raw_writel(u32 value, volatile void __iomem *addr)
{
	drvport_mmio_write32((__force unsigned int)addr, value);
}

/* The call itself orders: device and driver never run at the same time. */
#define __io_ar(v)	barrier()
#define __io_bw()	barrier()

#define WASM_IO_REP(name, width)						\
static inline void reads##name(const volatile void __iomem *addr,		\
			       void *buffer, unsigned int count)		\
{										\
	drvport_mmio_read_rep((__force unsigned int)addr, width,		\
			      (unsigned int)buffer, count);			\
}										\
static inline void writes##name(volatile void __iomem *addr,			\
				const void *buffer, unsigned int count)		\
{										\
	drvport_mmio_write_rep((__force unsigned int)addr, width,		\
			       (unsigned int)buffer, count);			\
}										\
static inline void ins##name(unsigned long port, void *buffer,			\
			     unsigned int count)				\
{										\
	drvport_pio_in_rep(port, width, (unsigned int)buffer, count);		\
}										\
static inline void outs##name(unsigned long port, const void *buffer,		\
			      unsigned int count)				\
{										\
	drvport_pio_out_rep(port, width, (unsigned int)buffer, count);		\
}

WASM_IO_REP(b, 1)
WASM_IO_REP(w, 2)
WASM_IO_REP(l, 4)
#define readsb readsb
#define readsw readsw
#define readsl readsl
#define writesb writesb
#define writesw writesw
#define writesl writesl
#define insb insb
#define insw insw
#define insl insl
#define outsb outsb
#define outsw outsw
#define outsl outsl

#define inb inb
static inline u8 inb(unsigned long port) { return drvport_pio_in8(port); }

#define inw inw
static inline u16 inw(unsigned long port) { return drvport_pio_in16(port); }

#define inl inl
static inline u32 inl(unsigned long port) { return drvport_pio_in32(port); }

#define outb outb
static inline void outb(u8 value, unsigned long port) { drvport_pio_out8(port, value); }

#define outw outw
static inline void outw(u16 value, unsigned long port) { drvport_pio_out16(port, value); }

#define outl outl
static inline void outl(u32 value, unsigned long port) { drvport_pio_out32(port, value); }

/* Words where both sides are aligned, bytes at the ends: what a bus would carry. */
#define memcpy_fromio memcpy_fromio
static inline void memcpy_fromio(void *to, const volatile void __iomem *from,
				 size_t count)
{
	u8 *out = to;

	for (; count && ((unsigned long)from & 3); count--)
		*out++ = __raw_readb(from++);
	for (; count >= 4; count -= 4, from += 4, out += 4) {
		u32 word = __raw_readl(from);

		__builtin_memcpy(out, &word, 4);
	}
	for (; count; count--)
		*out++ = __raw_readb(from++);
}

#define memcpy_toio memcpy_toio
static inline void memcpy_toio(volatile void __iomem *to, const void *from,
			       size_t count)
{
	const u8 *in = from;

	for (; count && ((unsigned long)to & 3); count--)
		__raw_writeb(*in++, to++);
	for (; count >= 4; count -= 4, to += 4, in += 4) {
		u32 word;

		__builtin_memcpy(&word, in, 4);
		__raw_writel(word, to);
	}
	for (; count; count--)
		__raw_writeb(*in++, to++);
}

#define memset_io memset_io
static inline void memset_io(volatile void __iomem *to, int value, size_t count)
{
	u32 word = (u8)value * 0x01010101u;

	for (; count && ((unsigned long)to & 3); count--)
		__raw_writeb(value, to++);
	for (; count >= 4; count -= 4, to += 4)
		__raw_writel(word, to);
	for (; count; count--)
		__raw_writeb(value, to++);
}

/* NULL when no capability covers the range. */
static inline void __iomem *drvport_ioremap(unsigned long long phys, size_t size)
{
	return (void __iomem *)drvport_mmio_map((unsigned int)phys,
						(unsigned int)(phys >> 32), size);
}

#define ioremap ioremap
static inline void __iomem *ioremap(phys_addr_t phys, size_t size) { return drvport_ioremap(phys, size); }

#define ioremap_wc	ioremap
#define ioremap_wt	ioremap
#define ioremap_cache	ioremap

#define iounmap iounmap
static inline void iounmap(volatile void __iomem *addr) { drvport_mmio_unmap((__force unsigned int)addr); }

#include <asm-generic/io.h>

#endif
