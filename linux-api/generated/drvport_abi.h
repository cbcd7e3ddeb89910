/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit. */

#ifndef DRVPORT_ABI_H
#define DRVPORT_ABI_H

#ifndef __ASSEMBLY__

/* ---- mmio: Device memory. A mapping is a range of addresses beyond linear memory, so a plain dereference of it traps. ---- */
/* Map part of a granted memory BAR. Returns the address, or 0 when no capability covers the range. */
__attribute__((import_module("mmio"), import_name("map")))
unsigned int drvport_mmio_map(unsigned int phys_lo, unsigned int phys_hi, unsigned int len);

/* Undo map. 0, or E_INVAL. */
__attribute__((import_module("mmio"), import_name("unmap")))
int drvport_mmio_unmap(unsigned int addr);

/* Read a byte. */
__attribute__((import_module("mmio"), import_name("read8")))
unsigned int drvport_mmio_read8(unsigned int addr);

/* Read two bytes, little-endian. */
__attribute__((import_module("mmio"), import_name("read16")))
unsigned int drvport_mmio_read16(unsigned int addr);

/* Read four bytes, little-endian. */
__attribute__((import_module("mmio"), import_name("read32")))
unsigned int drvport_mmio_read32(unsigned int addr);

/* Write a byte. */
__attribute__((import_module("mmio"), import_name("write8")))
void drvport_mmio_write8(unsigned int addr, unsigned int value);

/* Write two bytes. */
__attribute__((import_module("mmio"), import_name("write16")))
void drvport_mmio_write16(unsigned int addr, unsigned int value);

/* Write four bytes. */
__attribute__((import_module("mmio"), import_name("write32")))
void drvport_mmio_write32(unsigned int addr, unsigned int value);

/* Read one register repeatedly into memory. */
__attribute__((import_module("mmio"), import_name("read_rep")))
void drvport_mmio_read_rep(unsigned int addr, unsigned int width, unsigned int dst, unsigned int count);

/* Write memory to one register repeatedly. */
__attribute__((import_module("mmio"), import_name("write_rep")))
void drvport_mmio_write_rep(unsigned int addr, unsigned int width, unsigned int src, unsigned int count);


/* ---- pio: I/O ports. A port is usable when it lies in a granted I/O BAR or a granted fixed range. ---- */
/* Read a byte. */
__attribute__((import_module("pio"), import_name("in8")))
unsigned int drvport_pio_in8(unsigned int port);

/* Read two bytes. */
__attribute__((import_module("pio"), import_name("in16")))
unsigned int drvport_pio_in16(unsigned int port);

/* Read four bytes. */
__attribute__((import_module("pio"), import_name("in32")))
unsigned int drvport_pio_in32(unsigned int port);

/* Write a byte. */
__attribute__((import_module("pio"), import_name("out8")))
void drvport_pio_out8(unsigned int port, unsigned int value);

/* Write two bytes. */
__attribute__((import_module("pio"), import_name("out16")))
void drvport_pio_out16(unsigned int port, unsigned int value);

/* Write four bytes. */
__attribute__((import_module("pio"), import_name("out32")))
void drvport_pio_out32(unsigned int port, unsigned int value);

/* Read one port repeatedly into memory. */
__attribute__((import_module("pio"), import_name("in_rep")))
void drvport_pio_in_rep(unsigned int port, unsigned int width, unsigned int dst, unsigned int count);

/* Write memory to one port repeatedly. */
__attribute__((import_module("pio"), import_name("out_rep")))
void drvport_pio_out_rep(unsigned int port, unsigned int width, unsigned int src, unsigned int count);


/* ---- irq: Interrupt lines and messages granted to the domain. ---- */
/* Interrupts were turned on while `pending` was set: deliver now. */
__attribute__((import_module("irq"), import_name("deliver")))
void drvport_irq_deliver(void);


/* ---- time: Virtual time. ---- */
/* Busy wait. Time passes; devices work; interrupts arrive if they are on. */
__attribute__((import_module("time"), import_name("delay")))
void drvport_time_delay(unsigned int ns);


/* ---- sched: Tasks as fibers, each with a C stack of its own. The program says which of them runs; the machine, whether the program does. ---- */
/* A busy-wait loop turned once: a little time passes and interrupts may arrive. */
__attribute__((import_module("sched"), import_name("relax")))
void drvport_sched_relax(void);


#endif
#endif
