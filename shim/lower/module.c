// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading a module by the tree's own loader (kernel/module). Code and data are in place already: the machine has
 * instantiated the bound module. What the loader is given is an ELF file with the few sections that it reads: the
 * struct module, the parameters and other tables, the module's information. It puts them where they are.
 */
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleloader.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#define INCLUDE_VERMAGIC
#include <linux/vermagic.h>
#include <linux/vmalloc.h>
#include "lower.h"

/* What the binder must know of struct module: its size. */
const unsigned int drvport_module_bytes = sizeof(struct module);

/* Where the memory lies that the loader asks for next, by the task that loads: several may, one for another. */
struct place {
	struct list_head list;
	struct task_struct *task;
	void *at;
	unsigned long bytes;
};

static LIST_HEAD(places);

void *drvport_module_place(unsigned long size)
{
	struct place *place;

	list_for_each_entry(place, &places, list) {
		void *at = place->at;

		if (place->task != current || !at || size > place->bytes)
			continue;
		place->at = NULL;
		return at;
	}
	return NULL;
}

static const char MODULE_SECTION[] = ".gnu.linkonce.this_module";
static const char MODINFO[] = ".modinfo";
/* What modpost adds to a module of the tree. */
static const char ADDED[] = "intree=Y\0vermagic=" VERMAGIC_STRING;

/* Sections beside those of the description: none, names, symbols, this module, its information. */
#define FIXED_SECTIONS 5

struct elf_file {
	u8 *bytes;
	u32 used;
	Elf_Shdr *sections;
	u32 count;
	u32 names;
};

static u32 put(struct elf_file *file, const void *from, u32 bytes, u32 align)
{
	u32 at = ALIGN(file->used, align);

	memcpy(file->bytes + at, from, bytes);
	file->used = at + bytes;
	return at;
}

/* A section; its name goes into the table of names, whose place was kept before all contents. */
static Elf_Shdr *section(struct elf_file *file, const char *name, u32 type, u32 flags, const void *from, u32 bytes, u32 align)
{
	Elf_Shdr *header = &file->sections[file->count++], *names = &file->sections[1];

	strcpy(file->bytes + names->sh_offset + file->names, name);
	*header = (Elf_Shdr) {
		.sh_name = file->names, .sh_type = type, .sh_flags = flags, .sh_size = bytes, .sh_addralign = align,
		.sh_offset = put(file, from, bytes, align ?: 1),
	};
	file->names += strlen(name) + 1;
	return header;
}

static void describe(struct elf_file *file, const struct drvport_module_image *image, const struct drvport_module_section *tables,
		     const char *information)
{
	static const u8 nothing[sizeof(Elf_Sym)];
	u32 count = FIXED_SECTIONS + image->sections, i;
	Elf_Ehdr *head = (Elf_Ehdr *)file->bytes;
	u32 names_bytes = 64 + sizeof(((struct drvport_module_section *)0)->name) * image->sections;
	Elf_Shdr *info;

	*head = (Elf_Ehdr) {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELF_CLASS, ELF_DATA, EV_CURRENT },
		.e_type = ET_REL, .e_machine = ELF_ARCH, .e_version = EV_CURRENT, .e_ehsize = sizeof(Elf_Ehdr),
		.e_shentsize = sizeof(Elf_Shdr), .e_shoff = sizeof(Elf_Ehdr), .e_shnum = count, .e_shstrndx = 1,
	};
	file->sections = (Elf_Shdr *)(head + 1);
	file->used = sizeof(Elf_Ehdr) + count * sizeof(Elf_Shdr);
	file->names = 1;
	file->count = 2;
	file->sections[1] = (Elf_Shdr) { .sh_type = SHT_STRTAB, .sh_size = names_bytes, .sh_offset = file->used };
	file->used += names_bytes;
	/* A loader that keeps symbols would want room for this one beside the tables. */
	section(file, ".symtab", SHT_SYMTAB, 0, nothing, IS_ENABLED(CONFIG_KALLSYMS) ? 0 : sizeof(nothing), 4)->sh_link = 1;
	section(file, MODULE_SECTION, SHT_PROGBITS, SHF_WRITE | SHF_ALLOC, (void *)image->place, sizeof(struct module),
		__alignof__(struct module));
	for (i = 0; i < image->sections; i++)
		section(file, tables[i].name, SHT_PROGBITS, SHF_WRITE | SHF_ALLOC, (void *)tables[i].address,
			tables[i].bytes, tables[i].align);
	info = section(file, MODINFO, SHT_PROGBITS, SHF_ALLOC, information, image->information, 1);
	put(file, ADDED, sizeof(ADDED), 1);
	info->sh_size = file->used - info->sh_offset;
}

/* `description`: struct module_image, its sections, its information, its parameters. */
int drvport_module_load(u32 description)
{
	const struct drvport_module_image *image = (void *)description;
	const struct drvport_module_section *tables = (void *)(image + 1);
	const char *information = (const char *)(tables + image->sections);
	const char *arguments = information + image->information;
	struct module *module = (void *)image->place;
	struct place place = { .task = current, .at = module, .bytes = image->place_bytes };
	struct elf_file file = {};
	u32 bytes = PAGE_SIZE + image->information + image->place_bytes + image->sections * 256;
	int err;

	file.bytes = vzalloc(bytes);
	if (!file.bytes)
		return -ENOMEM;
	memset(module, 0, sizeof(*module));
	strscpy(module->name, image->name, sizeof(module->name));
	module->init = (void *)image->init;
#ifdef CONFIG_MODULE_UNLOAD
	module->exit = (void *)image->exit;
#endif
	describe(&file, image, tables, information);
	list_add(&place.list, &places);
	err = sys_init_module(wasm_user_address(file.bytes), file.used, wasm_user_address(arguments));
	list_del(&place.list);
	vfree(file.bytes);
	return err;
}

int drvport_module_unload(u32 name) { return sys_delete_module(wasm_user_address(name), O_NONBLOCK); }

/* A module by its name or an alias, after those that it stands on, as modprobe would load it. */
int drvport_module_find(const char *name)
{
	u32 length = strlen(name);
	int bytes, err = 0;

	while ((bytes = drvport_call_wanted((u32)name, length)) > 0) {
		void *image = vmalloc(bytes);

		if (!image)
			return -ENOMEM;
		/* Somebody else may have taken this one meanwhile: what is next, then? */
		if (!drvport_call_module((u32)name, length, (u32)image, bytes))
			err = drvport_module_load((u32)image);
		vfree(image);
		if (err)
			return err;
	}
	return bytes ? -ENOENT : 0;
}

/* Everything is in place: a file with relocations is none of ours. */
int apply_relocate(Elf_Shdr *sections, const char *names, unsigned int symbols, unsigned int relocations, struct module *me)
{
	return -ENOEXEC;
}
