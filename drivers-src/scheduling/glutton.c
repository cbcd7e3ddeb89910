// SPDX-License-Identifier: GPL-2.0-only
/* A second hog, so that there are two. */
#include "hog.c"
