# SPDX-License-Identifier: GPL-2.0-only
#
# Read before every makefile of a run of the tree's make (make's MAKEFILES): runs left-out.c with the environment in which
# the tree runs kconfig.

ifneq ($(sub_make_done),)
.PHONY: drvport-left-out
drvport-left-out:
	@$(DRVPORT_LEFT_OUT) Kconfig
endif
