# SPDX-License-Identifier: GPL-2.0-only
#
# The top Makefile of a view: the tree's own, which lies beside it as Makefile.linux, and three goals of ours. Linux's
# `prepare` would build host tools for an ELF kernel; drvport-headers makes the generated headers and nothing else.

include $(dir $(lastword $(MAKEFILE_LIST)))Makefile.linux

# Set only in make's second pass, which runs in the output directory with everything defined.
ifeq ($(need-sub-make),)

PHONY += drvport-headers drvport-kernel drvport-graph drvport-sources drvport-prepare
export DRVPORT_GRAPH DRVPORT_OBJECTS DRVPORT_SOURCES

# Headers with numbers that a C file computes: whichever the tree's own Kbuild file makes.
drvport-offsets := $(shell sed -n 's,^[a-z-]*-file *:= *\(include/generated/[^ ]*\.h\)$$,\1,p' $(srctree)/Kbuild)

drvport-headers: asm-generic include/config/auto.conf include/generated/autoconf.h include/generated/utsrelease.h \
		include/generated/uapi/linux/version.h
	$(Q)$(MAKE) $(build)=. $(drvport-offsets)
	$(Q)$(MAKE) $(build)=scripts scripts/asn1_compiler

# What the kernel's own files want besides: names of the release and of who built it. Not every release has all of them,
# and older ones make the first where they use it.
drvport-compile-h := $(shell grep -s '^include/generated/compile\.h:' $(srctree)/init/Makefile)

drvport-kernel: $(if $(drvport-compile-h),include/config/auto.conf,include/generated/compile.h)
	$(Q)$(MAKE) $(build)=init $(if $(drvport-compile-h),include/generated/compile.h,include/generated/utsversion.h)

drvport-graph: include/config/auto.conf
	$(Q)$(MAKE) -f $(srctree)/drvport-graph.mk obj=. need-builtin=1 need-modorder=1 DRVPORT_TOP_DIRS="$(vmlinux-dirs)" \
		DRVPORT_TOP_LINKED="$(KBUILD_VMLINUX_OBJS)" drvport-graph

# What make would do for objects whose source is not where their name says. DRVPORT_PAIRS: DIR:OBJECT...
drvport-source-dirs := $(sort $(foreach pair,$(DRVPORT_PAIRS),$(firstword $(subst :, ,$(pair)))))

PHONY += $(addprefix drvport-sources-in-,$(drvport-source-dirs))
drvport-sources: $(addprefix drvport-sources-in-,$(drvport-source-dirs))
	@:

$(addprefix drvport-sources-in-,$(drvport-source-dirs)): drvport-sources-in-%: include/config/auto.conf
	$(Q)$(MAKE) -n -k -f $(srctree)/drvport-graph.mk obj=$* need-builtin=1 need-modorder=1 \
		$(patsubst $*:%,%,$(filter $*:%,$(DRVPORT_PAIRS)))

drvport-prepare: include/config/auto.conf
	$(if $(filter %.dtb.c %.dtbo.c,$(DRVPORT_SOURCES)),$(Q)$(MAKE) $(build)=scripts/dtc)
	$(Q)$(MAKE) -f $(srctree)/drvport-graph.mk obj=$(DRVPORT_DIR) need-builtin=1 need-modorder=1 drvport-prepare

endif
