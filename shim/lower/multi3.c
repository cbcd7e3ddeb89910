// SPDX-License-Identifier: GPL-2.0-only
/* 128-bit product, which compilers for wasm leave to a library. In 32-bit halves, so that it does not call itself. */
#include <linux/export.h>
#include <linux/types.h>

union wide {
	__int128 whole;
	struct {
		u64 low, high;
	};
};

__int128 __multi3(__int128 a, __int128 b);
__int128 __multi3(__int128 a, __int128 b)
{
	union wide x = { .whole = a }, y = { .whole = b }, product;
	u64 x0 = (u32)x.low, x1 = x.low >> 32, y0 = (u32)y.low, y1 = y.low >> 32;
	u64 lowest = x0 * y0, middle = x1 * y0 + (lowest >> 32), other = x0 * y1 + (u32)middle;

	product.low = other << 32 | (u32)lowest;
	product.high = x1 * y1 + (middle >> 32) + (other >> 32) + x.high * y.low + x.low * y.high;
	return product.whole;
}
EXPORT_SYMBOL(__multi3);
