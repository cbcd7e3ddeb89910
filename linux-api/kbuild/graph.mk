# SPDX-License-Identifier: GPL-2.0-only
#
# One directory of the tree as Kbuild itself evaluates it: Makefile.build reads the directory's Makefile, and what it
# concluded is written to a file of its own under DRVPORT_GRAPH instead of being built. Lines:
#
#   d DIR                     this directory
#   s DIR...                  directories below that Kbuild descends into
#   m TARGET...               modules in modules.order's order; x/modules.order stands for the modules of x
#   c TARGET OBJECT...        a module linked from several objects
#   y OBJECT...               what is linked into the kernel, in link order; x/built-in.a stands for what x links
#   l OBJECT...               what goes into its library
#   om OBJECT FLAGS           an object of a module, and its compiler flags as Kbuild would pass them
#   oy OBJECT FLAGS           an object of the kernel itself
#   f FLAGS                   only at the top: what every C file of the kernel is compiled with
#   g                         something here is generated: objects may need drvport-prepare
#
# drvport-prepare makes what the objects in DRVPORT_OBJECTS need that is generated, and the generated DRVPORT_SOURCES.

drvport-dir := $(obj)
include $(srctree)/scripts/Makefile.build

ifneq ($(filter drvport-graph,$(MAKECMDGOALS)),)

drvport-prefix := $(if $(filter .,$(drvport-dir)),,$(drvport-dir)/)
drvport-file := $(DRVPORT_GRAPH)/$(if $(filter .,$(drvport-dir)),top,$(subst /,%,$(drvport-dir)))

# c_flags asks for the target and its stem, which a rule would set.
drvport-flags = $(eval @ := $2)$(eval * := $(patsubst $(drvport-prefix)%.o,%,$2))$(file >>$(drvport-file),$1 $2 $(c_flags))
drvport-parts = $(addprefix $(drvport-prefix),$(call drvport-search,$(patsubst $(drvport-prefix)%,%,$1)))
# Older trees have no suffix-search, and call the modules of several objects by another name.
drvport-search = $(if $(value suffix-search),$(call suffix-search,$1,.o,-objs -y -m),$($(1:.o=-objs)) $($(1:.o=-y)) $($(1:.o=-m)))
drvport-multi := $(sort $(multi-obj-m) $(multi-used-m))

# Where the top Makefile says which directories there are, not the top Kbuild file, that has told them.
ifeq ($(drvport-dir),.)
subdir-ym := $(strip $(subdir-ym) $(DRVPORT_TOP_DIRS))
subdir-builtin += $(DRVPORT_TOP_DIRS:%=%/built-in.a)
subdir-modorder += $(DRVPORT_TOP_DIRS:%=%/modules.order)
obj-m += $(DRVPORT_TOP_DIRS:%=%/modules.order)
endif

$(file >$(drvport-file),d $(drvport-dir))
$(file >>$(drvport-file),s $(subdir-ym))
$(file >>$(drvport-file),m $(obj-m))
# Where the top Makefile says what is linked, it is not the top Kbuild file's.
$(file >>$(drvport-file),y $(real-obj-y) $(if $(filter .,$(drvport-dir)),$(DRVPORT_TOP_LINKED)))
$(file >>$(drvport-file),l $(lib-y))
$(foreach m,$(drvport-multi),$(file >>$(drvport-file),c $m $(call drvport-parts,$m)))
$(foreach o,$(filter %.o,$(real-obj-m)),$(call drvport-flags,om,$o))
$(foreach o,$(filter %.o,$(real-obj-y) $(lib-y)),$(call drvport-flags,oy,$o))
$(if $(filter .,$(drvport-dir)),$(file >>$(drvport-file),f $(NOSTDINC_FLAGS) $(LINUXINCLUDE) \
	-include $(srctree)/include/linux/compiler_types.h $(KBUILD_CPPFLAGS) $(KBUILD_CFLAGS)))
# What has a rule of its own is among the targets by its name (cifs includes a table that a script writes).
$(if $(hostprogs)$(clean-files)$(always-y)$(filter %.c %.h,$(targets)),$(file >>$(drvport-file),g))

.PHONY: drvport-graph $(addprefix drvport-sub-,$(subdir-ym))
drvport-graph: $(addprefix drvport-sub-,$(subdir-ym))
	@:

$(addprefix drvport-sub-,$(subdir-ym)): drvport-sub-%:
	$(Q)$(MAKE) -f $(srctree)/drvport-graph.mk obj=$* need-builtin=$(if $(filter $*/built-in.a,$(subdir-builtin)),1) \
		need-modorder=$(if $(filter $*/modules.order,$(subdir-modorder)),1) drvport-graph

endif

ifneq ($(filter drvport-prepare,$(MAKECMDGOALS)),)

# A device tree that is part of an object: bytes between two names. Kbuild writes them in assembly for ELF; here it is the same
# bytes and names for wasm, as text, so that whoever reads the source knows when they change.
drvport-tree-name = __$(patsubst .%,%,$(suffix $<))_$(subst -,_,$(notdir $*))
drvport-tree-label = printf '%s\n' '".globl $1\n.type $1,@object\n$1:\n"'
define drvport-wrap-tree
	$(Q){ printf '%s\n' 'asm(".section .rodata.$(drvport-tree-name),\"\",@\n.p2align 3\n"'; \
	$(call drvport-tree-label,$(drvport-tree-name)_begin); \
	od -An -v -tu1 $< | sed 's/^ */".byte /; s/  */,/g; s/\.byte,/.byte /; s/$$/\\n"/'; \
	$(call drvport-tree-label,$(drvport-tree-name)_end); \
	printf '%s\n' '".byte 0,0,0,0,0,0,0,0\n"'; \
	printf '%s\n' '".size $(drvport-tree-name)_begin, $(drvport-tree-name)_end - $(drvport-tree-name)_begin\n"'; \
	printf '%s\n' '".size $(drvport-tree-name)_end, 8\n");'; } > $@
endef

$(drvport-prefix)%.dtb.c: $(drvport-prefix)%.dtb
	$(drvport-wrap-tree)

$(drvport-prefix)%.dtbo.c: $(drvport-prefix)%.dtbo
	$(drvport-wrap-tree)

# An empty recipe keeps make from compiling, while the prerequisites that the directory's Makefile names are still made.
$(DRVPORT_OBJECTS): FORCE ;

.PHONY: drvport-prepare
drvport-prepare: $(DRVPORT_OBJECTS) $(DRVPORT_SOURCES)
	@:

endif
