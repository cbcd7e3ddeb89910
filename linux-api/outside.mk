# SPDX-License-Identifier: GPL-2.0-only
#
# Read before every makefile of a run for a folder outside of the tree (make's MAKEFILES): the goal that has Kbuild say
# what the folder's modules are made of, as kbuild/graph.mk does for the tree. Set only in make's second pass, which runs
# in the output directory with everything defined. Trees that know a srcroot build a folder in that folder, which is then
# the directory `.`; older ones name it by its path.

ifneq ($(and $(sub_make_done),$(or $(KBUILD_EXTMOD),$(M))),)

.PHONY: drvport-outside
drvport-outside:
	$(Q)$(MAKE) -f $(srctree)/drvport-graph.mk obj=$(if $(srcroot),.,$(KBUILD_EXTMOD)) need-builtin=1 need-modorder=1 drvport-graph

# What view.mk's goals wait for lies where make ran before it went to the folder, and is there.
ifneq ($(srcroot),)
include/config/auto.conf: ;
endif

endif
